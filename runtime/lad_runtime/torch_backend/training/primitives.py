"""What a training loop is made of. The worker's own run is this same code, so a loop of the caller's can equal it."""

from array import array
from collections.abc import Callable, Iterable, Sequence
from math import isfinite

from lad_runtime.method.data_order import Draw
from lad_runtime.method.loss_report import TokenLosses, weighted_loss
from lad_runtime.method.loss_targets import check_loss
from lad_runtime.method.row import Row
from lad_runtime.torch_backend.adapters.claims import claims_of
from lad_runtime.torch_backend.adapters.trained_adapter import TrainedAdapter
from lad_runtime.torch_backend.forward.base import Base
from lad_runtime.torch_backend.forward.prefetch import Prefetch
from lad_runtime.torch_backend.optimizers.optimizer import diverged
from lad_runtime.torch_backend.task_kind import TaskKind
from lad_runtime.torch_backend.training.base_targets import base_targets
from lad_runtime.torch_backend.training.micro_batches import Numbered, RowT, in_context, in_micro_batches
from lad_runtime.torch_backend.training.needs import gradient_needs, step_needs
from lad_runtime.torch_backend.training.own_drafts import with_drafts
from lad_runtime.torch_backend.training.rows import NoisedBatch, Noising
from lad_runtime.types.data import PreparedExample
from lad_runtime.types.memory import Needs
from lad_runtime.types.primitives import (
    ForwardBackwardResult,
    ForwardBackwardTask,
    ForwardSpec,
    NoisedExamples,
    NoisedForwardBackwardTask,
    OptimStepResult,
    OptimStepTask,
    TargetedSequence,
)
from lad_runtime.types.training import OptimizerSpec
from lad_runtime.types.work import Work, ask


def forward_backward(
    base: Base, trained: TrainedAdapter, sequences: Sequence[TargetedSequence], forward: ForwardSpec
) -> Work[ForwardBackwardResult]:
    """Work that adds the gradient of Σ weight · CE to the adapter's; returns ForwardBackwardResult.

    Closed, failed or diverged (DIVERGED: the loss is no finite number), it leaves the gradients as they were.
    """
    result = yield from _all_or_nothing(base, trained, map(_given, sequences), forward)
    trained.learn(
        claims_of(
            base.info,
            attention=forward.attention,
            context="prompt",
            noise=None,
            loss=None,
            lengths=(len(sequence.ids) for sequence in sequences),
            canvas_tokens=0,
            pad_tokens=(),
        )
    )
    return result


def forward_backward_noised(
    base: Base,
    trained: TrainedAdapter,
    examples: Sequence[PreparedExample],
    given: NoisedExamples,
    forward: ForwardSpec,
) -> Work[ForwardBackwardResult]:
    """`forward_backward` of the sequences that a run with these options would compute for the rows as one batch of that epoch."""
    noising = Noising(
        base=base,
        noise=given.noise,
        loss=given.loss,
        context=given.context,
        canvas_tokens=given.canvas_tokens,
        seed=given.seed,
    )
    draws = [Draw(epoch=given.epoch, row=row) for row in given.rows]
    drawing = Prefetch(lambda unwanted: NoisedBatch.drawn(noising, examples, lambda: draws, unwanted))
    try:
        batch = yield from drawing.result()
    finally:
        drawing.stop()
    batch = yield from with_drafts(batch, trained.adapter, forward)
    result = yield from _all_or_nothing(base, trained, batch, forward)
    trained.learn(
        claims_of(
            base.info,
            attention=forward.attention,
            context=given.context,
            noise=given.noise,
            loss=given.loss,
            lengths=(len(examples[row].ids) for row in given.rows),
            canvas_tokens=given.canvas_tokens,
            pad_tokens=given.window.padding,
        )
    )
    return result


def optim_step(
    trained: TrainedAdapter, optimizer: OptimizerSpec, learning_rate: float, max_gradient_norm: float
) -> Work[OptimStepResult]:
    """Work that takes one optimizer step on the gradients gathered and clears them; returns OptimStepResult.

    Raises DIVERGED, weights untouched, where their norm is no finite number.
    """
    yield from ()
    norm = trained.step(optimizer, learning_rate, max_gradient_norm)
    return OptimStepResult(gradient_norm=norm, step=trained.steps)


def accumulate(
    base: Base,
    trained: TrainedAdapter,
    rows: Iterable[RowT],
    forward: ForwardSpec,
    see: Callable[[int, RowT, TokenLosses], None],
    skip: Callable[[int, RowT], None],
) -> Work[None]:
    """Gathers gradients micro-batch by micro-batch. `see` is given each row's number, the row and its losses; `skip` those of
    which nothing is supervised.

    Raises DIVERGED as soon as a loss is no finite number.
    """

    def compute(batch: Numbered[RowT]) -> Work[None]:
        sequences = [row.sequence for _, row in batch]
        context = yield from in_context(base, sequences, forward.attention, keep=forward.cache_prompts)
        soft = yield from base_targets(base, [row for _, row in batch], keep=forward.cache_prompts)
        request = context.gradient_request(
            trained.adapter, trained.dropout_seed, soft, checkpointing=forward.gradient_checkpointing
        )
        result = yield from ask(request)
        trained.gather()
        for (number, row), losses in zip(batch, context.whole(result), strict=True):
            loss = weighted_loss(row.sequence, losses)
            if not isfinite(loss):
                raise diverged("The loss", loss)
            see(number, row, losses)

    yield from in_micro_batches(rows, forward.micro_batch_tokens, compute, skip)


def _given(sequence: TargetedSequence) -> Row:
    return Row(sequence=sequence)


def _all_or_nothing(
    base: Base, trained: TrainedAdapter, rows: Iterable[Row], forward: ForwardSpec
) -> Work[ForwardBackwardResult]:
    kept, sums = trained.gradients(), _Sums()
    try:
        yield from accumulate(base, trained, rows, forward, sums.see, sums.skip)
    except BaseException:
        trained.restore_gradients(kept)
        raise
    return sums.result()


class _Sums:
    """What a call of `forwardBackward` tells of its sequences, row by row."""

    def __init__(self) -> None:
        self._loss = 0.0
        self._tokens = 0
        self._supervised = 0
        self._ce: dict[int, array[float]] = {}

    def see(self, number: int, row: Row, losses: TokenLosses) -> None:
        self._loss += weighted_loss(row.sequence, losses)
        self._supervised += sum(target >= 0 for target in row.sequence.targets)
        self._add(number, row, losses.ce_L.tobytes())

    def skip(self, number: int, row: Row) -> None:
        self._add(number, row, bytes(4 * len(row.sequence.ids)))

    def result(self) -> ForwardBackwardResult:
        return ForwardBackwardResult(
            loss=self._loss,
            tokens=self._tokens,
            supervised_tokens=self._supervised,
            ce=tuple(self._ce[number] for number in range(len(self._ce))),
        )

    def _add(self, number: int, row: Row, ce: bytes) -> None:
        self._tokens += len(row.sequence.ids)
        self._ce[number] = array("f", ce)


def _gradient_needs(
    base: Base,
    trained: TrainedAdapter | None,
    tasks: Sequence[ForwardBackwardTask | NoisedForwardBackwardTask],
) -> Needs:
    (task,) = tasks
    assert trained is not None, "gradients are an adapter's"
    given = task.given if isinstance(task, NoisedForwardBackwardTask) else None
    return Needs(
        training=gradient_needs(
            base.model,
            task.longest,
            task.tokens,
            task.forward,
            trained,
            given.loss if given else None,
            given.noise if given else None,
        )
    )


def _step_needs(_: Base, trained: TrainedAdapter | None, tasks: Sequence[OptimStepTask]) -> Needs:
    (task,) = tasks
    assert trained is not None, "a step is an adapter's"
    return Needs(training=step_needs(trained, task.optimizer))


FORWARD_BACKWARD = TaskKind(
    task=ForwardBackwardTask,
    needs=_gradient_needs,
    work=lambda at, task: forward_backward(at.base, at.trained, task.sequences, task.forward),
)
NOISED_FORWARD_BACKWARD = TaskKind(
    task=NoisedForwardBackwardTask,
    check=lambda _, task: check_loss(task.given.loss, task.given.noise),
    needs=_gradient_needs,
    work=lambda at, task: forward_backward_noised(
        at.base, at.trained, task.examples, task.given, task.forward
    ),
)
OPTIM_STEP = TaskKind(
    task=OptimStepTask,
    needs=_step_needs,
    work=lambda at, task: optim_step(at.trained, task.optimizer, task.learning_rate, task.max_gradient_norm),
)
