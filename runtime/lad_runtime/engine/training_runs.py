"""Training runs: data prepared on a thread, steps computed by the engine, one run an adapter."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any

from lad_runtime.engine.backend import AnyBackend
from lad_runtime.engine.datasets import DatasetStore
from lad_runtime.engine.engine import Engine, stopping_error
from lad_runtime.engine.failures import typed_error
from lad_runtime.engine.prepared import Prepared, PreparedData
from lad_runtime.engine.registry import Registry
from lad_runtime.engine.residents import AdapterEntry
from lad_runtime.engine.runs import Run, Runs
from lad_runtime.types import StepEvent, TrainingSpec


class TrainingRuns:
    def __init__(
        self,
        engine: Engine,
        backend: AnyBackend,
        registry: Registry,
        store: DatasetStore,
        prepared: PreparedData,
        runs: Runs,
    ) -> None:
        self._engine = engine
        self._backend = backend
        self._registry = registry
        self._store = store
        self._prepared = prepared
        self._runs = runs
        self._draining = threading.Event()

    def start(self, adapter_id: str, spec: TrainingSpec) -> Run:
        """Starts a run, whose the adapter is until it ends. Raises LadError: NOT_FOUND, INVALID_STATE, UNAVAILABLE."""
        if self._draining.is_set():
            raise stopping_error()
        entry = self._registry.trainable(adapter_id)
        self._backend.check_training(entry.base.resident, spec)
        self._store.examples(spec.dataset_id)
        if spec.validation is not None:
            self._store.examples(spec.validation.dataset_id)
        run = Run("training", entry.base.id, adapter_id, lambda: self._registry.unclaim(entry))
        self._registry.claim(entry, run.id)
        self._runs.add(run)
        arguments = (run, entry, spec)
        threading.Thread(target=self._prepare_and_submit, args=arguments, name=run.id, daemon=True).start()
        return run

    def drain(self, timeout_seconds: float) -> None:
        """Lets every run finish the step in hand and write its checkpoint, then ends it. No new one is started."""
        self._draining.set()
        for run in self._runs.all():
            if run.info.kind == "training" and not run.wait(timeout_seconds):
                run.cancel()

    def _prepare_and_submit(self, run: Run, entry: AdapterEntry, spec: TrainingSpec) -> None:
        steps = _StepCount()

        def on_event(event: Any) -> None:
            steps.see(event)
            run.record(event)

        def on_done(done: "Future[Any]") -> None:
            error = done.exception()
            if error is None:
                run.finish(done.result())
            else:
                run.fail(typed_error(error), steps.taken)

        try:
            given_up = self._given_up(run)
            examples, report = self._prepared.get(entry.base, spec.dataset_id, spec.window, given_up)
            work = self._backend.train(
                entry.base.resident,
                entry.resident,
                examples,
                report,
                spec,
                self._validation(entry, spec, given_up),
                self._draining.is_set,
            )
            job = self._engine.submit(work, sharer=run.id, on_event=on_event)
        except BaseException as error:
            run.fail(typed_error(error, self._backend.describe))
            return
        run.attach(job)
        job.future.add_done_callback(on_done)

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


class _StepCount:
    """Optimizer steps that a run has reported."""

    def __init__(self) -> None:
        self.taken = 0

    def see(self, event: Any) -> None:
        if isinstance(event, StepEvent):
            self.taken = event.step
