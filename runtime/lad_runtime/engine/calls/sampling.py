"""Sampling runs over canvases."""

import threading
import time
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from functools import cache

from lad_runtime.checks import check_count
from lad_runtime.engine.backend import AnyBackend, ResidentAdapter
from lad_runtime.engine.calls.tasks import reader
from lad_runtime.engine.memory.budget import Memory
from lad_runtime.engine.memory.reservations import Reservation
from lad_runtime.engine.resident.entries import AdapterEntry, BaseEntry
from lad_runtime.engine.resident.registry import Registry
from lad_runtime.engine.runs.run import Run
from lad_runtime.engine.runs.runs import Runs
from lad_runtime.engine.scheduler.engine import Engine
from lad_runtime.engine.scheduler.failures import typed_error
from lad_runtime.errors import LadError, invalid_option
from lad_runtime.types.limits import MAX_PARTS
from lad_runtime.types.runs import RunRecipe
from lad_runtime.types.sampling import (
    AnswerEvent,
    Canvas,
    Chat,
    SampleTask,
    SamplingOutcome,
    SamplingSpec,
)
from lad_runtime.types.work import Work

Weights = Callable[[], ResidentAdapter | None]
"""Returns weights frozen at its first call, which the engine's thread makes. None: the base alone."""


class Sampling:
    def __init__(
        self,
        engine: Engine,
        backend: AnyBackend,
        registry: Registry,
        runs: Runs,
        memory: Memory,
    ) -> None:
        self._engine = engine
        self._backend = backend
        self._registry = registry
        self._runs = runs
        self._memory = memory

    def start(
        self,
        base_id: str,
        adapter_id: str,
        requested: Sequence[Canvas | Chat],
        spec: SamplingSpec,
        run_id: str = "",
    ) -> Run:
        """Starts a run with one job per canvas, all on one state of the adapter's weights; blocks while chats are rendered."""
        check_count("canvases", len(requested), MAX_PARTS)
        base, adapter = self._registry.weights(base_id, adapter_id)
        if adapter is None and spec.policy.needs_adapter:
            raise invalid_option(
                "policy",
                spec.policy.kind,
                "the base alone has no adapter to draft with",
                "Sample an adapter, or the base with the policy ar.",
            )
        canvases = [self._rendered(base, canvas) for canvas in requested]
        tasks = [SampleTask(canvas=canvas, index=index, spec=spec) for index, canvas in enumerate(canvases)]
        for task in tasks:
            self._backend.check(base.resident, task)
        self._runs.check_new(run_id)
        recipe = _recipe(base, adapter, spec, canvases)
        run = Run("sampling", base_id, adapter_id, lambda: self._ended(run.id, base), run_id, recipe=recipe)
        weights = self._frozen(adapter, run.id)
        works = [self._work(base, weights, task) for task in tasks]
        self._registry.hold(base, run.id)
        merged = _Canvases(run, len(works))
        try:
            needs = self._backend.needs(base.resident, None, tasks)
            self._memory.begin(run.id, Reservation.of(needs), reader("canvases", len(tasks)))
            if adapter is not None and not adapter.is_snapshot:
                self._memory.begin_snapshot(_snapshot_of(run.id), adapter)
            jobs = self._engine.submit_all(
                works,
                tenant=run.id,
                share_weight=spec.share_weight,
                on_event=run.record,
                tokens=[task.tokens for task in tasks],
            )
        except LadError as error:
            run.fail(error)
            raise
        self._runs.add(run)
        for job in jobs:
            run.attach(job)
            job.future.add_done_callback(merged.ended)
        return run

    def _ended(self, run_id: str, base: BaseEntry) -> None:
        self._memory.end(run_id)
        self._memory.end(_snapshot_of(run_id))
        self._registry.release(base, run_id)

    def _work(self, base: BaseEntry, weights: Weights, task: SampleTask) -> Work[AnswerEvent]:
        return (yield from self._backend.work(base.resident, weights(), task))

    def _rendered(self, base: BaseEntry, canvas: Canvas | Chat) -> Canvas:
        if isinstance(canvas, Canvas):
            return canvas
        _, ids = self._backend.render(base.resident, canvas.messages, True, canvas.allow_special)
        return Canvas(prompt=ids, seed=canvas.seed, begin=canvas.begin, size=canvas.size)

    def _frozen(self, adapter: AdapterEntry | None, run_id: str) -> Weights:
        """An adapter's weights, frozen when the first job that is about to be submitted begins.

        Freezing them before would need the engine's thread twice, with a micro-step of another job between.
        """
        if adapter is None:
            return lambda: None
        resident = adapter.resident
        return (lambda: resident) if adapter.is_snapshot else cache(lambda: self._snapshot(adapter, run_id))

    def _snapshot(self, adapter: AdapterEntry, run_id: str) -> ResidentAdapter:
        snapshot = self._backend.snapshot(adapter.resident)
        self._memory.end(_snapshot_of(run_id))
        return snapshot


def _recipe(
    base: BaseEntry, adapter: AdapterEntry | None, spec: SamplingSpec, canvases: Sequence[Canvas]
) -> RunRecipe:
    return RunRecipe(
        base=replace(base.spec, hub_token=""),
        base_revision=base.info.revision,
        adapter=adapter.resident.spec if adapter else None,
        is_fresh=False,
        training=None,
        sampling=spec,
        canvases=tuple(canvases),
    )


class _Canvases:
    """Ends a run when its last canvas ends, or the first one fails."""

    def __init__(self, run: Run, count: int) -> None:
        self._run = run
        self._count = count
        self._open = count
        self._failed = False
        self._started = time.monotonic()
        self._lock = threading.Lock()

    def ended(self, done: "Future[AnswerEvent]") -> None:
        error = done.exception()
        if error is not None:
            self._fail(typed_error(error))
            return
        self._run.record(done.result())
        with self._lock:
            self._open -= 1
            last = self._open == 0
        if last:
            seconds = time.monotonic() - self._started
            self._run.finish(SamplingOutcome(canvases=self._count, seconds=seconds))

    def _fail(self, error: LadError) -> None:
        """Fails the run at the first error. The canvases cancelled by it, perhaps thousands, do nothing here."""
        with self._lock:
            first, self._failed = not self._failed, True
        if first:
            computed = self._run.computed
            self._run.cancel()
            self._run.fail(error, computed)


def _snapshot_of(run_id: str) -> Hashable:
    """The key of a run's reservation for its snapshot, which lasts until the first job has taken it."""
    return run_id, "snapshot"
