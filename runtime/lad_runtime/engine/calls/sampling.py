"""Sampling: runs over canvases, and the primitive that a sampler of the caller's own is made of."""

import threading
import time
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from functools import cache
from typing import Any

from lad_runtime.engine.backend import AnyBackend, ResidentAdapter
from lad_runtime.engine.calls.readers import Readers
from lad_runtime.engine.memory.budget import Memory, Requester
from lad_runtime.engine.memory.reservations import Reservation
from lad_runtime.engine.resident.entries import AdapterEntry, BaseEntry
from lad_runtime.engine.resident.registry import Registry
from lad_runtime.engine.runs.run import Run, Runs
from lad_runtime.engine.scheduler.engine import Engine
from lad_runtime.engine.scheduler.failures import typed_error
from lad_runtime.engine.scheduler.job import Job
from lad_runtime.errors import LadError, invalid_option
from lad_runtime.types.sampling import Canvas, Chat, PredictCanvas, PredictSpec, SamplingOutcome, SamplingSpec
from lad_runtime.types.work import Work

Weights = Callable[[], ResidentAdapter | None]
"""Weights that do not change: those of the moment of the first call, which is the engine thread's. None: the base's alone."""

MAX_CANVASES = 4096
_MAX_REPLY_BYTES = 48 << 20  # of 64 MiB that a message may have


class Sampling:
    def __init__(
        self,
        engine: Engine,
        backend: AnyBackend,
        registry: Registry,
        runs: Runs,
        memory: Memory,
        readers: Readers,
    ) -> None:
        self._engine = engine
        self._backend = backend
        self._registry = registry
        self._runs = runs
        self._memory = memory
        self._readers = readers

    def start(
        self,
        base_id: str,
        adapter_id: str,
        requested: Sequence[Canvas | Chat],
        spec: SamplingSpec,
        run_id: str = "",
    ) -> Run:
        """Starts a run with one work a canvas, all on the adapter's weights as they are now; blocks while chats are rendered."""
        _check_count(len(requested))
        base, adapter = self._registry.weights(base_id, adapter_id)
        canvases = [self._rendered(base, canvas) for canvas in requested]
        for canvas in canvases:
            self._backend.check_sampling(base.resident, canvas, spec)
        self._runs.check_new(run_id)
        run = Run("sampling", base_id, adapter_id, lambda: self._ended(run.id, base), run_id)
        weights = self._frozen(adapter, run.id)
        works = [self._work(base, weights, canvas, index, spec) for index, canvas in enumerate(canvases)]
        self._registry.hold(base, run.id)
        merged = _Canvases(run, len(works))
        try:
            caches = self._backend.sampling_bytes(base.resident, canvases, spec)
            self._memory.begin(run.id, Reservation(caches=caches), _requester(len(canvases)))
            if adapter is not None and not adapter.is_snapshot:
                self._memory.begin_snapshot(_snapshot_of(run.id), adapter)
            jobs = self._engine.submit_all(
                works,
                tenant=run.id,
                share_weight=spec.share_weight,
                on_event=run.record,
                tokens=[len(canvas.prompt) + spec.answer_tokens for canvas in canvases],
            )
        except LadError as error:
            run.fail(error)
            raise
        self._runs.add(run)
        for job in jobs:
            run.attach(job)
            job.future.add_done_callback(merged.ended)
        return run

    def predict(
        self, base_id: str, adapter_id: str, canvases: Sequence[PredictCanvas], spec: PredictSpec
    ) -> Job:
        """One forward over each canvas; the outcome is a Prediction for each."""
        _check_count(len(canvases))
        base, adapter = self._registry.weights(base_id, adapter_id)
        positions = sum(len(canvas.ids) - canvas.answer_start for canvas in canvases)
        reply_bytes = 4 * positions * (base.info.vocab_size if spec.logits else 2 * spec.top)
        if reply_bytes > _MAX_REPLY_BYTES:
            raise invalid_option(
                "logits" if spec.logits else "top",
                spec.logits or spec.top,
                f"{positions} positions make {reply_bytes} bytes, and a reply holds {_MAX_REPLY_BYTES}",
                "Ask for fewer canvases or answer positions at once.",
            )
        self._backend.check_prediction(base.resident, canvases, spec)
        reservation = Reservation(caches=self._backend.prediction_bytes(base.resident, canvases, spec))

        def work(weights: ResidentAdapter | None) -> Work:
            predicted = self._backend.predict(base.resident, weights, canvases, spec)
            return self._memory.within(reservation, _requester(len(canvases)), predicted)

        tokens = sum(len(canvas.ids) for canvas in canvases)
        return self._readers.submit("prediction", base, adapter, work, tokens=tokens)

    def _ended(self, run_id: str, base: BaseEntry) -> None:
        self._memory.end(run_id)
        self._memory.end(_snapshot_of(run_id))
        self._registry.release(base, run_id)

    def _work(
        self, base: BaseEntry, weights: Weights, canvas: Canvas, index: int, spec: SamplingSpec
    ) -> Work:
        return (yield from self._backend.sample(base.resident, weights(), canvas, index, spec))

    def _rendered(self, base: BaseEntry, canvas: Canvas | Chat) -> Canvas:
        if isinstance(canvas, Canvas):
            return canvas
        _, ids = self._backend.render(base.resident, canvas.messages, True, canvas.allow_special)
        return Canvas(prompt=ids, seed=canvas.seed)

    def _frozen(self, adapter: AdapterEntry | None, run_id: str) -> Weights:
        """An adapter's weights for works that are about to be submitted, frozen when the first of them begins.

        To have them frozen beforehand would take the engine's thread twice, with somebody else's micro-step between.
        """
        if adapter is None:
            return lambda: None
        resident = adapter.resident
        return (lambda: resident) if adapter.is_snapshot else cache(lambda: self._snapshot(adapter, run_id))

    def _snapshot(self, adapter: AdapterEntry, run_id: str) -> ResidentAdapter:
        snapshot = self._backend.snapshot(adapter.resident)
        self._memory.end(_snapshot_of(run_id))
        return snapshot


class _Canvases:
    """Merges the ends of one run's canvases: the run ends with the last of them, or with the first that fails."""

    def __init__(self, run: Run, count: int) -> None:
        self._run = run
        self._count = count
        self._open = count
        self._failed = False
        self._started = time.monotonic()
        self._lock = threading.Lock()

    def ended(self, done: "Future[Any]") -> None:
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
        """Of those that end because one has failed, none has anything left to do: a run may have thousands."""
        with self._lock:
            first, self._failed = not self._failed, True
        if first:
            computed = self._run.computed
            self._run.cancel()
            self._run.fail(error, computed)


def _snapshot_of(run_id: str) -> Hashable:
    """The key of what is reserved for a run until its first work has taken the snapshot."""
    return run_id, "snapshot"


def _requester(canvases: int) -> Requester:
    return Requester(
        what="What the request's canvases attend to",
        option="canvases",
        value=canvases,
        remedy="ask for fewer canvases or tokens at once",
        waits=True,
    )


def _check_count(canvases: int) -> None:
    if not 1 <= canvases <= MAX_CANVASES:
        raise invalid_option(
            "canvases",
            canvases,
            f"a request holds from 1 to {MAX_CANVASES}",
            "Split it, or give at least one.",
        )
