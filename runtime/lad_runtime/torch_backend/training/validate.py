"""Losses of a data set under noise that is fixed for each example, so that those of different runs are comparable."""

from collections.abc import Callable, Sequence

from lad_runtime.method.loss_report import ExampleLosses, ExampleTally, LossTally, TokenLosses
from lad_runtime.method.loss_targets import check_loss
from lad_runtime.method.random import Purpose
from lad_runtime.method.random_split import Context
from lad_runtime.method.row import NoisedRow
from lad_runtime.torch_backend.forward.base import Base
from lad_runtime.torch_backend.model.lora import LoraAdapter
from lad_runtime.torch_backend.task_kind import Setting, TaskKind
from lad_runtime.torch_backend.training.base_targets import base_targets
from lad_runtime.torch_backend.training.micro_batches import Numbered, in_context, in_micro_batches
from lad_runtime.torch_backend.training.rows import Noising
from lad_runtime.types.attention import AttentionMode
from lad_runtime.types.data import PreparedExample, WindowReport
from lad_runtime.types.primitives import ValidateTask
from lad_runtime.types.training import LossSpec, NoiseSpec
from lad_runtime.types.training_events import LossReport
from lad_runtime.types.work import Work, ask

MICRO_BATCH_TOKENS = 4096


def validate(
    base: Base,
    adapter: LoraAdapter | None,
    examples: Sequence[PreparedExample],
    noise: NoiseSpec,
    loss: LossSpec,
    seed: int,
    *,
    attention: AttentionMode,
    context: Context = "prompt",
    canvas_tokens: int = 0,
    micro_batch_tokens: int = MICRO_BATCH_TOKENS,
    see: Callable[[int, NoisedRow, TokenLosses], None] = lambda number, row, losses: None,
) -> Work[LossReport]:
    """Work that returns the LossReport of `examples`; without an adapter, the base's own.

    Noise and cut are keyed by (seed, example id) under a purpose of their own: never what training draws. `loss` is the mean over
    an example's supervised tokens (with its 1/t weight, where asked for), then over the examples that have any. `see` is told of
    each example of which something is supervised, by its number.
    """
    noising = Noising(
        base=base,
        noise=noise,
        loss=loss,
        context=context,
        canvas_tokens=canvas_tokens,
        seed=seed,
        purpose=Purpose.VALIDATION_NOISE,
    )
    tally, counted = LossTally(), 0

    def compute(batch: Numbered[NoisedRow]) -> Work[None]:
        nonlocal counted
        sequences, keep = [row.sequence for _, row in batch], context == "prompt"
        placed = yield from in_context(base, sequences, attention, keep=keep)
        soft = yield from base_targets(base, [row for _, row in batch], keep=keep)
        result = yield from ask(placed.loss_request(adapter, soft))
        counted += len(batch)
        for (number, row), losses in zip(batch, placed.whole(result), strict=True):
            tally.add(row, losses)
            see(number, row, losses)

    # Each example is a batch of its own here, so that its weights do not depend on how many others there are.
    windows = (noising.seen(examples[index], 0) for index in range(len(examples)))
    rows = (noising.row(example, noising.corrupt(example, 0), 1) for example in windows)
    yield from in_micro_batches(rows, micro_batch_tokens, compute, lambda _, row: tally.skip(row))
    return tally.report(divisor=max(counted, 1))


def _work(at: Setting, task: ValidateTask) -> Work[tuple[LossReport, WindowReport, ExampleLosses]]:
    examples, report = task.data
    tally = ExampleTally()
    losses = yield from validate(
        at.base,
        at.weights,
        examples,
        task.noise,
        task.loss,
        task.seed,
        attention=task.attention,
        context=task.context,
        canvas_tokens=task.canvas_tokens,
        see=tally.add,
    )
    return losses, report, tally.losses(len(examples))


VALIDATING = TaskKind(task=ValidateTask, check=lambda _, task: check_loss(task.loss, task.noise), work=_work)
