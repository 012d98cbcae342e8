"""Training and sampling runs: their states, and the logs of their events."""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import Future, wait
from typing import Any

from lad_runtime.engine.resident.creations import Creations, taken
from lad_runtime.engine.runs.event_log import EventLog
from lad_runtime.engine.scheduler.job import Job
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.types.runs import RunCancelled, RunInfo, RunKind, RunPaused, RunResumed, RunState

_KEPT_ENDED = 256
_KEPT_WEIGHT = 1_000_000
"""How many ended runs can still be followed, and the total weight of their logs; the oldest is forgotten first."""


class Run:
    """One training or sampling run. It ends once: finished, failed or cancelled.

    When it ends, `on_end` frees the run's resources before the last event is logged and `end` is done, so a client that sees
    the end finds them free. The run then drops its jobs and cancels those still under way.
    """

    def __init__(
        self, kind: RunKind, base_id: str, adapter_id: str, on_end: Callable[[], None], run_id: str = ""
    ) -> None:
        self.id = run_id or f"run-{secrets.token_hex(6)}"
        self.log = EventLog()
        self.end: Future[None] = Future()
        self.end.set_running_or_notify_cancel()  # from here on its waiters cannot cancel it
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
        return self.end.done()

    @property
    def cancelling(self) -> bool:
        return self._cancelling

    @property
    def pausing(self) -> bool:
        """Whether the run was asked to pause, and has not been resumed since."""
        return self._pausing

    @property
    def computed(self) -> int:
        """The number of forwards computed for the run's jobs."""
        return sum(job.computed for job in self._jobs)

    def attach(self, job: Job) -> None:
        """Adds a job to the run, which is cancelled with it."""
        with self._lock:
            self._state = "running" if self._state == "queued" else self._state
            if not self._ending:
                self._jobs.append(job)
        if self._cancelling:
            job.cancel()

    def cancel(self) -> None:
        """Asks the run to end, which takes at most one micro-step. Does nothing if it has ended."""
        with self._lock:
            self._cancelling = True
            jobs = list(self._jobs)
        for job in jobs:
            job.cancel()

    def pause(self) -> None:
        """Asks a training run to park after its current step. Raises LadError(INVALID_STATE) for other and for ended runs."""
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
        """Resumes the run; does nothing if it is not paused."""
        with self._lock:
            self._pausing = False
        self.wake()

    def wake(self) -> None:
        """Makes a parked run check again whether it should continue."""
        with self._lock:
            jobs = list(self._jobs)
        for job in jobs:
            job.resume()

    def wait(self, timeout_seconds: float) -> bool:
        """Blocks until the run has ended; returns False after the timeout."""
        return bool(wait([self.end], timeout_seconds).done)

    def finish(self, outcome: Any) -> None:
        self._end("finished", outcome, None)

    def fail(self, error: LadError, steps: int = 0) -> None:
        """Ends the run with an error. The error CANCELLED ends it as cancelled after `steps`."""
        if error.code is ErrorCode.CANCELLED:
            self._end("cancelled", RunCancelled(steps=steps), None)
        else:
            self._end("failed", error, error)

    def record(self, event: Any) -> None:
        """Logs an event, unless the run is ending."""
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
        self.end.set_result(None)

    def _free(self) -> None:
        with self._lock:
            on_end, self._on_end = self._on_end, _nothing
            jobs, self._jobs = self._jobs, []
        on_end()
        for job in jobs:
            if not (job.cancelling or job.future.done()):
                job.cancel()


def _nothing() -> None:
    """The `on_end` of a run that has ended: its resources are free already."""


class Runs:
    """The worker's runs under way, and the last ones that have ended.

    `starts` has the calls that start runs. It holds ids instead of runs, so that a forgotten run's log is freed.
    """

    def __init__(self, kept_ended: int = _KEPT_ENDED) -> None:
        self.starts: Creations[str] = Creations(self._take_back)
        self._runs: OrderedDict[str, Run] = OrderedDict()
        self._kept_ended = kept_ended
        self._lock = threading.RLock()

    def add(self, run: Run) -> None:
        """Adds a run and forgets the oldest ended ones. Raises LadError(ALREADY_EXISTS) if its id is taken."""
        with self._lock:
            self.check_new(run.id)
            self._runs[run.id] = run
            ended = [old for old in self._runs.values() if old.ended]
            weight = sum(old.log.weight for old in ended)
            for excess, old in enumerate(ended, start=self._kept_ended - len(ended)):
                if excess >= 0 and weight <= _KEPT_WEIGHT:
                    break
                weight -= old.log.weight
                del self._runs[old.id]

    def check_new(self, run_id: str) -> None:
        """Raises LadError(ALREADY_EXISTS) if there is a run of that id."""
        if self.find(run_id) is not None:
            raise taken("runId", run_id)

    def get(self, run_id: str) -> Run:
        """Raises LadError(NOT_FOUND)."""
        run = self.find(run_id)
        if run is None:
            raise LadError(
                ErrorCode.NOT_FOUND,
                f"There is no run {run_id or '(empty)'} on this worker.",
                option="runId",
                value=run_id,
                remedy=f"List the runs; the last {self._kept_ended} ended ones are kept.",
            )
        return run

    def find(self, run_id: str) -> Run | None:
        with self._lock:
            return self._runs.get(run_id)

    def all(self) -> list[Run]:
        with self._lock:
            return list(self._runs.values())

    def cancel(self, run_id: str) -> "Future[None]":
        """Asks a run to end; the future is done when it has. A run that is starting, or is started later under this id, never
        begins. Raises LadError(NOT_FOUND) if no call has asked for this id yet.
        """
        run = self.find(run_id)
        starting = self.starts.call_off(run_id) if run is None else None
        if starting is not None:
            return starting
        run = self.get(run_id)  # it may have been added meanwhile
        run.cancel()
        return run.end

    def ending(self, ids: Iterable[str]) -> "list[Future[None]]":
        """For each of the runs that is ending: a future that is done when its resources are free."""
        ends = [self._ending(run_id) for run_id in ids]
        return [end for end in ends if end is not None]

    def _ending(self, run_id: str) -> "Future[None] | None":
        run = self.find(run_id)
        if run is None:
            return self.starts.leaving(run_id)
        return run.end if run.cancelling else self.starts.leaving(run_id)

    def _take_back(self, run_id: str) -> "Future[None] | None":
        run = self.find(run_id)
        if run is None:
            return None
        run.cancel()
        run.end.add_done_callback(lambda _: self._forget(run_id))
        return run.end

    def _forget(self, run_id: str) -> None:
        with self._lock:
            self._runs.pop(run_id, None)
