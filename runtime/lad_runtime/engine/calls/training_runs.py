"""Training runs: a thread prepares the data, the engine computes the steps; an adapter has at most one run at a time."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace

from lad_runtime.engine.backend import AnyBackend
from lad_runtime.engine.data.datasets import DatasetStore
from lad_runtime.engine.data.prepared import PreparedData
from lad_runtime.engine.memory.budget import Memory, Requester
from lad_runtime.engine.memory.reservations import Reservation
from lad_runtime.engine.resident.checkpoint_names import CheckpointNames, Writer
from lad_runtime.engine.resident.entries import AdapterEntry
from lad_runtime.engine.resident.registry import Registry
from lad_runtime.engine.runs.run import Run
from lad_runtime.engine.runs.runs import Runs
from lad_runtime.engine.scheduler.engine import Engine, stopping_error
from lad_runtime.engine.scheduler.failures import typed_error
from lad_runtime.engine.store.tensorboard import require_tensorboard
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.types.data import Prepared
from lad_runtime.types.runs import RunPaused, RunRecipe
from lad_runtime.types.training import TrainingControl, TrainingSpec, TrainTask
from lad_runtime.types.training_events import (
    CheckpointEvent,
    StepEvent,
    TrainingOutcome,
    TrainingStarted,
    ValidationEvent,
)
from lad_runtime.types.work import Event, Work


class TrainingRuns:
    def __init__(
        self,
        engine: Engine,
        backend: AnyBackend,
        registry: Registry,
        store: DatasetStore,
        prepared: PreparedData,
        runs: Runs,
        memory: Memory,
        names: CheckpointNames,
    ) -> None:
        self._engine = engine
        self._backend = backend
        self._registry = registry
        self._store = store
        self._prepared = prepared
        self._runs = runs
        self._memory = memory
        self._names = names
        self._draining = threading.Event()
        self._reserved: dict[str, tuple[AdapterEntry, TrainingSpec]] = {}  # by id of the runs under way

    def start(self, adapter_id: str, spec: TrainingSpec, run_id: str = "") -> Run:
        """Starts a run, which owns its adapter and checkpoint name until it ends; blocks for the engine's thread.

        Raises LadError: NOT_FOUND, INVALID_STATE, ALREADY_EXISTS if the checkpoint name is taken, UNAVAILABLE while the worker
        stops, OUT_OF_MEMORY if the run does not fit the budget, STORAGE if it cannot be kept.
        """
        entry = self._checked(adapter_id, spec)
        self._runs.check_new(run_id)
        recipe = _recipe(entry, spec)
        run = Run("training", entry.base.id, adapter_id, lambda: None, run_id, recipe=recipe)
        self._begin(run, entry, spec, add=lambda: self._runs.add(run))
        return run

    def go_on(
        self, run: Run, adapter_id: str, spec: TrainingSpec, *, from_checkpoint: bool
    ) -> "Future[None]":
        """Starts an interrupted run again, with an adapter made as it was; the future is done when the run goes on, or fails.

        Raises LadError as `start`.
        """
        entry = self._checked(adapter_id, spec)
        going: Future[None] = Future()

        def on_end(_: "Future[None]") -> None:
            if not going.done():
                going.set_exception(_not_resumed(run))

        run.end.add_done_callback(on_end)
        self._begin(run, entry, spec, going=going, from_checkpoint=from_checkpoint)
        return going

    def _checked(self, adapter_id: str, spec: TrainingSpec) -> AdapterEntry:
        self.check_serving()
        if spec.tensorboard:
            require_tensorboard()
        entry = self._registry.trainable(adapter_id)
        self._backend.check(entry.base.resident, TrainTask(spec=spec))
        self._store.examples(spec.dataset_id)
        if spec.validation is not None:
            self._store.examples(spec.validation.dataset_id)
        return entry

    def _begin(
        self,
        run: Run,
        entry: AdapterEntry,
        spec: TrainingSpec,
        *,
        add: Callable[[], None] = lambda: None,
        going: "Future[None] | None" = None,
        from_checkpoint: bool = False,
    ) -> None:
        """`going`: the run was interrupted, and goes on."""
        run.uses(lambda: self._ended(run, entry, spec))
        self._registry.claim(entry, run.id)
        try:
            self._claim_names(run, entry, spec, goes_on=going is not None, from_checkpoint=from_checkpoint)
            self._reserve(run.id, entry, spec)
            self._reserved[run.id] = (entry, spec)
            add()
        except LadError:
            self._ended(run, entry, spec)
            raise
        arguments = (run, entry, spec, going, from_checkpoint)
        threading.Thread(target=self._prepare_and_submit, args=arguments, name=run.id, daemon=True).start()

    def resume(self, run: Run) -> None:
        """Resumes a paused run. Raises LadError(OUT_OF_MEMORY) if it no longer fits, and leaves it paused.

        Blocks for the engine's thread: runs park and release their reservation there, so neither can happen meanwhile.
        """
        self._engine.call(lambda: self._resume(run)).result()

    def _resume(self, run: Run) -> None:
        reserved = self._reserved.get(run.id)
        if reserved is not None and run.pausing:
            self._reserve(run.id, *reserved)
            if run.id not in self._reserved:  # the run has ended meanwhile
                self._memory.end(run.id)
        run.resume()

    def check_serving(self) -> None:
        """Raises LadError(UNAVAILABLE) while the worker stops."""
        if self._draining.is_set():
            raise stopping_error()

    def drain(self, timeout_seconds: float) -> None:
        """Lets every training run finish its step and write its checkpoint, then ends it. Rejects new runs."""
        self._draining.set()
        for run in self._runs.all():
            if run.info.kind != "training" or self._has_not_begun(run):
                continue
            run.wake()
            if not run.wait(timeout_seconds):
                run.cancel()

    def _prepare_and_submit(
        self,
        run: Run,
        entry: AdapterEntry,
        spec: TrainingSpec,
        going: "Future[None] | None",
        from_checkpoint: bool,
    ) -> None:
        steps = _StepCount()
        # a job may outlive its run, and must not keep the adapter in memory
        adapter_id, base_id = entry.id, entry.base.id

        def on_event(event: Event) -> None:
            steps.see(event)
            if isinstance(event, TrainingStarted) and going is not None:
                self._go_on(run, base_id, event.from_step, going)
            if isinstance(event, RunPaused) and run.pausing:
                self._memory.end(run.id)
            if isinstance(event, CheckpointEvent):
                self._names.wrote(event.name, adapter_id)
            run.record(event, at_once=_is_of_a_checkpoint(event, spec))

        def on_done(done: "Future[TrainingOutcome]") -> None:
            error = done.exception()
            if error is None:
                run.finish(done.result())
            else:
                run.fail(typed_error(error), steps.taken)

        try:
            given_up = self._given_up(run)
            task = TrainTask(
                spec=spec,
                data=self._prepared.get(entry.base, spec.dataset_id, spec.window, given_up),
                validation=self._validation(entry, spec, given_up),
                goes_on=from_checkpoint,
                control=TrainingControl(stopping=self._draining.is_set, pausing=lambda: run.pausing),
            )
            work = self._work(entry, task)
            job = self._engine.submit(work, tenant=run.id, share_weight=spec.share_weight, on_event=on_event)
        except BaseException as error:
            run.fail(typed_error(error, self._backend.describe))
            return
        run.attach(job)
        job.future.add_done_callback(on_done)

    def _work(self, entry: AdapterEntry, task: TrainTask) -> Work[TrainingOutcome]:
        return (yield from self._backend.work(entry.base.resident, entry.resident, task))

    def _go_on(self, run: Run, base_id: str, step: int, going: "Future[None]") -> None:
        """On the engine's thread, before the first event of a run that goes on."""
        try:
            self._runs.go_on(run, base_id, step)
        except LadError as error:
            run.cancel()
            run.fail(error)
        else:
            going.set_result(None)

    def _claim_names(
        self, run: Run, entry: AdapterEntry, spec: TrainingSpec, *, goes_on: bool, from_checkpoint: bool
    ) -> None:
        """An interrupted run that goes on, from its own checkpoint or its start, may find a best of its own."""
        writer, validation = _writer(run, entry), spec.validation
        if spec.checkpoint:
            self._names.claim_for_run(
                spec.checkpoint,
                writer,
                option="checkpoint",
                resume=spec.resume or from_checkpoint,
                overwrite=spec.overwrite and not from_checkpoint,
            )
        if validation is not None and validation.keep_best:
            self._names.claim_for_run(
                validation.keep_best,
                writer,
                option="validation.keepBest",
                resume=spec.resume or goes_on,
                overwrite=validation.overwrite_best and not from_checkpoint,
            )

    def _reserve(self, run_id: str, entry: AdapterEntry, spec: TrainingSpec) -> None:
        needs = self._backend.needs(entry.base.resident, entry.resident, [TrainTask(spec=spec)])
        requester = Requester(
            what=f"The training of {entry.id}",
            option="microBatchTokens",
            value=spec.micro_batch_tokens,
            remedy="train with a lower rank, smaller microBatchTokens or gradientCheckpointing",
        )
        self._memory.begin(run_id, Reservation.of(needs, entry.resident), requester)

    def _ended(self, run: Run, entry: AdapterEntry, spec: TrainingSpec) -> None:
        self._reserved.pop(run.id, None)
        self._memory.end(run.id)
        for name in (spec.checkpoint, spec.validation.keep_best if spec.validation else ""):
            self._names.release(name, _writer(run, entry))
        self._registry.unclaim(entry)

    def _has_not_begun(self, run: Run) -> bool:
        """Whether it is an interrupted run that still waits to be resumed."""
        return run.info.state == "queued" and run.id not in self._reserved

    def _given_up(self, run: Run) -> Callable[[], bool]:
        return lambda: run.cancelling or self._draining.is_set()

    def _validation(
        self, entry: AdapterEntry, spec: TrainingSpec, given_up: Callable[[], bool]
    ) -> Prepared | None:
        if spec.validation is None:
            return None
        examples, report = self._prepared.get(entry.base, spec.validation.dataset_id, spec.window, given_up)
        limit = spec.validation.max_examples
        return (examples[:limit] if limit else examples), report


def _recipe(entry: AdapterEntry, spec: TrainingSpec) -> RunRecipe:
    return RunRecipe(
        base=replace(entry.base.spec, hub_token=""),
        base_revision=entry.base.info.revision,
        adapter=entry.resident.spec,
        is_fresh=entry.is_fresh,
        training=spec,
        sampling=None,
    )


def _is_of_a_checkpoint(event: Event, spec: TrainingSpec) -> bool:
    """Whether the event is a checkpoint, or of a step that one follows: the log must not lack what the checkpoint goes on from."""
    if isinstance(event, CheckpointEvent):
        return True
    if not (spec.checkpoint and isinstance(event, StepEvent | ValidationEvent)):
        return False
    if isinstance(event, ValidationEvent) and spec.validation is not None and spec.validation.patience:
        return True  # it may be the run's last
    every = spec.checkpoint_every_steps
    return event.step == spec.steps or (every > 0 and event.step % every == 0)


def _not_resumed(run: Run) -> LadError:
    return run.info.error or LadError(ErrorCode.CANCELLED, f"Run {run.id} was cancelled before it went on.")


def _writer(run: Run, entry: AdapterEntry) -> Writer:
    return Writer(adapter_id=entry.id, run_id=run.id)


class _StepCount:
    """Counts the optimizer steps that a run has reported."""

    def __init__(self) -> None:
        self.taken = 0

    def see(self, event: Event) -> None:
        if isinstance(event, StepEvent):
            self.taken = event.step
