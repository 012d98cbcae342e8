"""Runs: what was started, what state it is in, and the log of its events."""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from lad_runtime.engine.event_log import EventLog
from lad_runtime.engine.job import Job
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.types import RunCancelled, RunInfo, RunKind, RunPaused, RunResumed, RunState

_KEPT_ENDED = 256
_KEPT_WEIGHT = 1_000_000
"""Ended runs that can still be followed, and the weight of their logs together; the oldest is forgotten first."""


class Run:
    """One training or sampling run. It ends once: finished, failed or cancelled.

    `on_end` is called before the last event is logged, so that whoever sees a run's end finds what it used free again. From
    then on the run holds neither that nor its jobs; those still under way are cancelled.
    """

    def __init__(self, kind: RunKind, base_id: str, adapter_id: str, on_end: Callable[[], None]) -> None:
        self.id = f"run-{secrets.token_hex(6)}"
        self.log = EventLog()
        self._kind: RunKind = kind
        self._state: RunState = "queued"
        self._base_id = base_id
        self._adapter_id = adapter_id
        self._error: LadError | None = None
        self._on_end = on_end
        self._jobs: list[Job] = []
        self._cancelling = False
        self._pausing = False
        self._ending = False
        self._ended = threading.Event()
        self._lock = threading.Lock()

    @property
    def info(self) -> RunInfo:
        with self._lock:
            return RunInfo(
                id=self.id,
                kind=self._kind,
                state=self._state,
                base_id=self._base_id,
                adapter_id=self._adapter_id,
                next_seq=self.log.next_seq,
                error=self._error,
            )

    @property
    def ended(self) -> bool:
        return self._ended.is_set()

    @property
    def cancelling(self) -> bool:
        return self._cancelling

    @property
    def pausing(self) -> bool:
        """Whether the run was asked to pause and not to go on since."""
        return self._pausing

    @property
    def computed(self) -> int:
        """Forwards computed for the run so far."""
        return sum(job.computed for job in self._jobs)

    def attach(self, job: Job) -> None:
        """Makes a job part of the run: cancelled with it."""
        with self._lock:
            self._state = "running" if self._state == "queued" else self._state
            if not self._ending:
                self._jobs.append(job)
        if self._cancelling:
            job.cancel()

    def cancel(self) -> None:
        """Asks the run to end; it does within one micro-step. Changes nothing when it has ended."""
        with self._lock:
            self._cancelling = True
            jobs = list(self._jobs)
        for job in jobs:
            job.cancel()

    def pause(self) -> None:
        """Asks a training run to park after the step in hand. Raises LadError(INVALID_STATE) for any other, or an ended one."""
        with self._lock:
            if self._kind != "training" or self._ending:
                raise LadError(
                    ErrorCode.INVALID_STATE,
                    f"Run {self.id} is {'a sampling run' if self._kind != 'training' else 'over'}: it cannot be paused.",
                    option="runId",
                    value=self.id,
                    remedy="Pause a training run that is under way; cancel any other.",
                )
            self._pausing = True

    def resume(self) -> None:
        """Lets a paused run go on; changes nothing for one that is not."""
        with self._lock:
            self._pausing = False
        self.wake()

    def wake(self) -> None:
        """Has a parked run ask again whether to go on."""
        with self._lock:
            jobs = list(self._jobs)
        for job in jobs:
            job.resume()

    def wait(self, timeout_seconds: float) -> bool:
        """Blocks until the run has ended; False when it has not in that time."""
        return self._ended.wait(timeout_seconds)

    def finish(self, outcome: Any) -> None:
        self._end("finished", outcome, None)

    def fail(self, error: LadError, steps: int = 0) -> None:
        """Ends the run with an error; one that was asked to cancel and raised CANCELLED ends as cancelled after `steps`."""
        if error.code is ErrorCode.CANCELLED:
            self._end("cancelled", RunCancelled(steps=steps), None)
        else:
            self._end("failed", error, error)

    def record(self, event: Any) -> None:
        """Logs an event of the run under way."""
        if self._ending:
            return
        if isinstance(event, RunPaused | RunResumed):
            with self._lock:
                self._state = "paused" if isinstance(event, RunPaused) else "running"
        self.log.append(event)

    def _end(self, state: RunState, last_event: Any, error: LadError | None) -> None:
        with self._lock:
            if self._ending:
                return
            self._ending = True
            self._cancelling = self._cancelling or state != "finished"
        self._free()
        with self._lock:
            self._state, self._error = state, error
        self.log.append(last_event, last=True)
        self._ended.set()

    def _free(self) -> None:
        with self._lock:
            on_end, self._on_end = self._on_end, _nothing
            jobs, self._jobs = self._jobs, []
        on_end()
        for job in jobs:
            if not (job.cancelling or job.future.done()):
                job.cancel()


def _nothing() -> None:
    """What an ended run has left to free."""


class Runs:
    """All runs of this worker that are under way, and the last ones that have ended."""

    def __init__(self, kept_ended: int = _KEPT_ENDED) -> None:
        self._runs: OrderedDict[str, Run] = OrderedDict()
        self._kept_ended = kept_ended
        self._lock = threading.Lock()

    def add(self, run: Run) -> None:
        with self._lock:
            self._runs[run.id] = run
            ended = [old for old in self._runs.values() if old.ended]
            weight = sum(old.log.weight for old in ended)
            for excess, old in enumerate(ended, start=self._kept_ended - len(ended)):
                if excess >= 0 and weight <= _KEPT_WEIGHT:
                    break
                weight -= old.log.weight
                del self._runs[old.id]

    def get(self, run_id: str) -> Run:
        """Raises LadError(NOT_FOUND)."""
        with self._lock:
            run = self._runs.get(run_id)
        if run is None:
            raise LadError(
                ErrorCode.NOT_FOUND,
                f"There is no run {run_id or '(empty)'} on this worker.",
                option="runId",
                value=run_id,
                remedy=f"List the runs; the last {self._kept_ended} ended ones are kept.",
            )
        return run

    def all(self) -> list[Run]:
        with self._lock:
            return list(self._runs.values())
