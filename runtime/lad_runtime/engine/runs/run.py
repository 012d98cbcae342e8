"""Runs: what was started, what state it is in, and the log of its events."""

import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import Future, wait
from typing import Any

from lad_runtime.engine.resident.makings import Makings, taken
from lad_runtime.engine.runs.event_log import EventLog
from lad_runtime.engine.scheduler.job import Job
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.types.runs import RunCancelled, RunInfo, RunKind, RunPaused, RunResumed, RunState

_KEPT_ENDED = 256
_KEPT_WEIGHT = 1_000_000
"""Ended runs that can still be followed, and the weight of their logs together; the oldest is forgotten first."""


class Run:
    """One training or sampling run. It ends once: finished, failed or cancelled.

    `on_end` is called before the last event is logged and `end` is done, so that whoever sees a run's end finds what it used
    free again. From then on the run holds neither that nor its jobs; those still under way are cancelled.
    """

    def __init__(
        self, kind: RunKind, base_id: str, adapter_id: str, on_end: Callable[[], None], run_id: str = ""
    ) -> None:
        self.id = run_id or f"run-{secrets.token_hex(6)}"
        self.log = EventLog()
        self.end: Future[None] = Future()
        self.end.set_running_or_notify_cancel()  # from here on nobody who waits for it can cancel it
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
        return bool(wait([self.end], timeout_seconds).done)

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
    """What an ended run has left to free."""


class Runs:
    """All runs of this worker that are under way, and the last ones that have ended.

    `starts` are the calls that start them: of ids, since a run's own log is to be forgotten with the run.
    """

    def __init__(self, kept_ended: int = _KEPT_ENDED) -> None:
        self.starts: Makings[str] = Makings(self._take_back)
        self._runs: OrderedDict[str, Run] = OrderedDict()
        self._kept_ended = kept_ended
        self._lock = threading.RLock()

    def add(self, run: Run) -> None:
        """Raises LadError(ALREADY_EXISTS) where there is a run of that id."""
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
        """Raises LadError(ALREADY_EXISTS) where there is a run of that id."""
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
        """Asks a run to end; done when it has. One that is being started, or asked for later, under this id never begins.

        Raises LadError(NOT_FOUND) where nobody has asked for such a run so far.
        """
        run = self.find(run_id)
        starting = self.starts.call_off(run_id) if run is None else None
        if starting is not None:
            return starting
        run = self.get(run_id)  # it may have come into being meanwhile
        run.cancel()
        return run.end

    def ending(self, ids: Iterable[str]) -> "list[Future[None]]":
        """Of runs that were asked to end or that nobody wants: done when what they use is free."""
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
