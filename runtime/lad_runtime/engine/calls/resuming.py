"""Training runs that an earlier worker's end has interrupted: made again from their record, and resumed to the same bits."""

import logging
import threading

from lad_runtime.engine.backend import AnyBackend
from lad_runtime.engine.calls.adapters import Adapters
from lad_runtime.engine.calls.bases import Bases
from lad_runtime.engine.calls.training_runs import TrainingRuns
from lad_runtime.engine.resident.entries import BaseEntry
from lad_runtime.engine.resident.registry import Registry
from lad_runtime.engine.runs.run import Run
from lad_runtime.engine.runs.runs import Runs
from lad_runtime.engine.scheduler.failures import typed_error
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.types.runs import RunRecipe
from lad_runtime.types.training import TrainingSpec

_log = logging.getLogger("lad.runs")


class Resuming:
    def __init__(
        self,
        backend: AnyBackend,
        registry: Registry,
        runs: Runs,
        bases: Bases,
        adapters: Adapters,
        training: TrainingRuns,
    ) -> None:
        self._backend = backend
        self._registry = registry
        self._runs = runs
        self._bases = bases
        self._adapters = adapters
        self._training = training

    def resume(self, run_id: str) -> Run:
        """Resumes a paused or an interrupted run; returns when it goes on. Does nothing for any other run.

        An interrupted one has its base loaded and its adapter made under its id, goes on from its last checkpoint, and is
        interrupted again if it cannot. Raises LadError: NOT_FOUND, INVALID_STATE where it would not be the same run,
        ALREADY_EXISTS if there is an adapter of that id, and as loading a base and starting a run do.
        """
        run = self._runs.about_to_go_on(run_id)
        if run is None:
            paused = self._runs.get(run_id)
            self._training.resume(paused)
            return paused
        self._go_on(run)
        return run

    def resume_all(self) -> None:
        """Queues every interrupted training run, and resumes them on a thread, the latest first: it has what they share."""
        queued = [self._runs.about_to_go_on(run_id) for run_id in reversed(self._runs.interrupted())]

        def resume() -> None:
            for run in queued:
                if run is not None:
                    self._try(run)

        threading.Thread(target=resume, name="lad-resuming", daemon=True).start()

    def _try(self, run: Run) -> None:
        try:
            self._go_on(run)
        except LadError as error:
            _log.warning("run %s is not resumed: %s", run.id, error)

    def _go_on(self, run: Run) -> None:
        try:
            assert run.recipe is not None and run.recipe.training is not None, "it is one of training"
            self._start(run, run.recipe, run.recipe.training)
        except Exception as error:
            known = typed_error(error, self._backend.describe)
            run.fail(known)
            raise known from None

    def _start(self, run: Run, recipe: RunRecipe, spec: TrainingSpec) -> None:
        adapter_id, adapter = run.info.adapter_id, recipe.adapter
        assert adapter is not None, "a run trains an adapter"
        self._training.check_serving()
        from_checkpoint = self._has_own_checkpoint(run, spec)
        if not (from_checkpoint or recipe.is_fresh):
            raise _no_beginning(run.id)
        if self._registry.has_adapter(adapter_id):
            raise _in_the_way(run.id, adapter_id)
        base = self._bases.load(recipe.base, lambda _: None, lambda: not run.cancelling)
        _check_revision(run.id, base, recipe)
        self._adapters.create(base.id, adapter, adapter_id).result()
        try:
            self._training.go_on(run, adapter_id, spec, from_checkpoint=from_checkpoint).result()
        except BaseException as error:
            run.fail(typed_error(error))  # so that the adapter is free
            self._registry.drop_adapter(adapter_id)
            raise

    def _has_own_checkpoint(self, run: Run, spec: TrainingSpec) -> bool:
        """Whether the checkpoint of the run's name is the run's own, or one that it was told to go on from. One that it was told to
        write over may still be the old one, until it has told of its own.
        """
        if not (spec.checkpoint and self._backend.has_checkpoint(spec.checkpoint)):
            return False
        return spec.resume or not spec.overwrite or self._runs.has_checkpoint(run.id)


def _check_revision(run_id: str, base: BaseEntry, recipe: RunRecipe) -> None:
    found = base.info.revision
    if found != recipe.base_revision:
        raise LadError(
            ErrorCode.INVALID_STATE,
            f"Run {run_id} began on {recipe.base.name} of revision {recipe.base_revision}, and this base is of {found}.",
            option="runId",
            value=run_id,
            remedy="Put the base back as it was, or train anew.",
        )


def _no_beginning(run_id: str) -> LadError:
    return LadError(
        ErrorCode.INVALID_STATE,
        f"Run {run_id} has no checkpoint, and its adapter was trained or loaded before it began: it cannot begin again.",
        option="runId",
        value=run_id,
        remedy="Make the adapter again and train anew, with checkpoint: { name, everySteps } to have a run that can go on.",
    )


def _in_the_way(run_id: str, adapter_id: str) -> LadError:
    return LadError(
        ErrorCode.ALREADY_EXISTS,
        f"Run {run_id} trains the adapter {adapter_id}, and there is one of that id, whose weights would be lost.",
        option="runId",
        value=run_id,
        remedy="Drop that adapter first.",
    )
