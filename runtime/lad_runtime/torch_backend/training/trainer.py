"""A training run from its start to its end, its last step or an earlier one."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.method.loss_targets import check_loss
from lad_runtime.torch_backend.adapters.checkpoint import CheckpointStore
from lad_runtime.torch_backend.adapters.trained_adapter import TrainedAdapter
from lad_runtime.torch_backend.forward.base import Base
from lad_runtime.torch_backend.task_kind import Setting, TaskKind
from lad_runtime.torch_backend.training.needs import training_needs
from lad_runtime.torch_backend.training.training_run import TrainingRun
from lad_runtime.types.data import Prepared, PreparedExample, WindowReport
from lad_runtime.types.memory import Needs
from lad_runtime.types.runs import RunPaused, RunResumed
from lad_runtime.types.training import TrainingControl, TrainingSpec, TrainTask
from lad_runtime.types.training_events import TrainingOutcome, TrainingStarted
from lad_runtime.types.work import Park, Work

_log = logging.getLogger("lad.training")
_TO_THE_END = TrainingControl()


def train(
    base: Base,
    trained: TrainedAdapter,
    examples: Sequence[PreparedExample],
    report: WindowReport,
    spec: TrainingSpec,
    validation: Prepared | None,
    *,
    checkpoints: CheckpointStore,
    offloads: Path,
    control: TrainingControl = _TO_THE_END,
    goes_on: bool = False,
) -> Work[TrainingOutcome]:
    """Work that yields TrainingStarted, StepEvents, ValidationEvents and CheckpointEvents; returns TrainingOutcome.

    It ends after `spec.steps`, or earlier after as many validations without an improvement as its patience.
    It goes on with the adapter's optimizer where that is of the kind asked for, and begins without gradients; with `goes_on`
    from the checkpoint of its name, if there is one, whatever `spec.resume` says. Where
    `control.stopping()` is true after a step it writes its checkpoint, if it has a name, and raises CANCELLED. Where
    `control.pausing()` is true before a step it parks between a RunPaused and a RunResumed, its optimizer in a file in
    `offloads` (or in memory, where the disk fails), and goes on to the same bits. Closed or failed (DIVERGED: a loss, gradient
    or weight that is no finite number), it leaves the adapter as the last whole step left it, without gradients.
    """
    run = TrainingRun(base, trained, examples, spec, validation, checkpoints, goes_on)
    trained.clear_gradients()
    try:
        run.begin()
        yield TrainingStarted(
            report=report,
            validation_report=validation[1] if validation else None,
            trainable_parameters=trained.parameter_count,
            accounted_bytes=_accounted_bytes(trained),
            from_step=run.step,
            warnings=run.warnings,
        )
        yield from run.validate(due=run.step == 0)
        while not run.is_over:
            if control.pausing():
                yield from _pause(run, offloads, control)
            yield (yield from run.take_step())
            yield from run.validate(
                due=_due(run.step, spec, spec.validation.every_steps if spec.validation else 0)
            )
            yield from run.save(
                due=bool(spec.checkpoint)
                and (run.is_over or _due(run.step, spec, spec.checkpoint_every_steps))
            )
            if control.stopping() and not run.is_over:
                yield from _stop(run)
        trained.check_finite()
        run.restore_best()
        return run.outcome()
    finally:
        run.rest()
        trained.clear_gradients()


def _pause(run: TrainingRun, offloads: Path, control: TrainingControl) -> Work[None]:
    run.rest()
    try:
        run.trained.offload(offloads)
    except LadError as error:
        _log.warning("a paused run keeps its optimizer in memory: %s", error.message)
    yield RunPaused(steps=run.step)
    while control.pausing():
        if control.stopping():
            yield from _stop(run)
        yield Park()
    yield RunResumed(steps=run.step)


def _stop(run: TrainingRun) -> Work[NoReturn]:
    yield from run.save(due=bool(run.spec.checkpoint))
    raise _stopped(run.step, run.spec)


def _due(step: int, spec: TrainingSpec, every: int) -> bool:
    """After every so many steps, and after the last."""
    return step == spec.steps or (every > 0 and step % every == 0)


def _accounted_bytes(trained: TrainedAdapter) -> int:
    """Weights, their gradients and the optimizer's state: what the run holds beside the base."""
    return 2 * trained.adapter.weight_nbytes + trained.optimizer_nbytes


def _stopped(step: int, spec: TrainingSpec) -> LadError:
    return LadError(
        ErrorCode.CANCELLED,
        f"The run was stopped after step {step} of {spec.steps}.",
        remedy="Start it again with checkpoint.resume to go on from there."
        if spec.checkpoint
        else "Start it again.",
    )


def _needs(base: Base, trained: TrainedAdapter | None, tasks: Sequence[TrainTask]) -> Needs:
    (task,) = tasks
    assert trained is not None, "a run trains an adapter"
    return Needs(training=training_needs(base.model, task.spec, trained.spec))


def _work(at: Setting, task: TrainTask) -> Work[TrainingOutcome]:
    assert task.data is not None, "its data is prepared"
    return train(
        at.base,
        at.trained,
        *task.data,
        task.spec,
        task.validation,
        checkpoints=at.checkpoints,
        offloads=at.offloads,
        control=task.control,
        goes_on=task.goes_on,
    )


TRAINING = TaskKind(
    task=TrainTask,
    check=lambda _, task: check_loss(task.spec.loss, task.spec.noise),
    needs=_needs,
    work=_work,
)
