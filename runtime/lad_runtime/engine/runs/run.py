"""A training or sampling run: its state, and the log of its events."""

import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any

from lad_runtime.engine.runs.event_log import EventLog, Keep, Past
from lad_runtime.engine.scheduler.job import Job
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.types.runs import (
    RunCancelled,
    RunInfo,
    RunInterrupted,
    RunKind,
    RunPaused,
    RunRecipe,
    RunResumed,
    RunState,
)
from lad_runtime.types.training_events import StepEvent

_LEFT = (ErrorCode.CANCELLED, ErrorCode.UNAVAILABLE)
"""With what a run ends when its worker does."""


class Run:
    """One training or sampling run. It ends once: finished, failed or cancelled.

    When it ends, `on_end` frees the run's resources before the last event is logged and `end` is done, so a client that sees
    the end finds them free. The run then drops its jobs and cancels those still under way.
    """

    def __init__(
        self,
        kind: RunKind,
        base_id: str,
        adapter_id: str,
        on_end: Callable[[], None],
        run_id: str = "",
        *,
        recipe: RunRecipe | None = None,
    ) -> None:
        """`recipe`: with what it begins again on a later worker. None: it is not kept."""
        self.id = run_id or f"run-{secrets.token_hex(6)}"
        self.recipe = recipe
        self.log = EventLog()
        self.end: Future[None] = Future()
        self.end.set_running_or_notify_cancel()  # from here on its waiters cannot cancel it
        self._kind: RunKind = kind
        self._state: RunState = "queued"
        self._base_id = base_id
        self._adapter_id = adapter_id
        training = recipe.training if recipe else None
        self._base_name = recipe.base.name if recipe else ""
        self._checkpoint = training.checkpoint if training else ""
        self._total_steps = training.steps if training else 0
        self._error: LadError | None = None
        self._on_end = on_end
        self._jobs: list[Job] = []
        self._cancelling = False
        self._pausing = False
        self._ending = False
        self._leaving = False
        self._before: RunInfo | None = None  # of an interrupted run that is about to go on
        self._created = time.time()
        self._steps = 0
        self._metrics_path = ""
        self._lock = threading.Lock()

    @classmethod
    def of_earlier_worker(cls, info: RunInfo, past: Past) -> "Run":
        """A run of an earlier worker, as it was left: `past` has its events. That of an interrupted one is its last."""
        run = cls(info.kind, info.base_id, info.adapter_id, _nothing, info.id)
        run._take_over(info, past, first_seq=info.next_seq)
        if info.state == "interrupted":
            run.log.append(RunInterrupted(steps=info.steps))
        run._ending = True
        run.log.close()
        run.end.set_result(None)
        return run

    @classmethod
    def going_on(cls, info: RunInfo, past: Past, recipe: RunRecipe) -> "Run":
        """An interrupted run that is about to go on. Until `go_on` its record stays as it is, and if it ends it is interrupted."""
        run = cls(info.kind, info.base_id, info.adapter_id, _nothing, info.id, recipe=recipe)
        run._take_over(info, past, first_seq=info.next_seq + 1)  # followers may have seen the number between
        run._before = info
        run._state = "queued"
        return run

    def _take_over(self, info: RunInfo, past: Past, *, first_seq: int) -> None:
        self.log = EventLog(first_seq=first_seq, past=past)
        self._state, self._error, self._created = info.state, info.error, info.created
        self._steps, self._metrics_path = info.steps, info.metrics_path
        self._base_name, self._checkpoint, self._total_steps = (
            info.base_name,
            info.checkpoint,
            info.total_steps,
        )

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
                base_name=self._base_name,
                checkpoint=self._checkpoint,
                created=self._created,
                steps=self._steps,
                total_steps=self._total_steps,
                metrics_path=self._metrics_path,
            )

    def keep_with(self, keep: Keep, past: Past, metrics_path: str) -> None:
        """Keeps its events from the first on, its losses also in a file."""
        with self._lock:
            self._metrics_path = metrics_path
        self.log.keep_with(keep, past)

    def go_on(self, base_id: str, step: int, keep: Keep, past: Past) -> None:
        """From here on, after so many steps, an interrupted run is kept again."""
        with self._lock:
            self._before, self._base_id, self._steps, self._state = None, base_id, step, "running"
        self.log.keep_with(keep, past)
        self.log.append(RunResumed(steps=step))

    def uses(self, on_end: Callable[[], None]) -> None:
        """Has `on_end` free what an interrupted run that goes on has come to use."""
        with self._lock:
            self._on_end = on_end

    def leave(self) -> None:
        """The worker ends: unless the run was cancelled before, its end is not kept, and it is found interrupted.

        Whoever follows it is told so."""
        with self._lock:
            self._leaving = not self._cancelling

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

    def record(self, event: Any, *, at_once: bool = False) -> None:
        """Logs an event, unless the run is ending; `at_once` blocks until it is kept."""
        if self._ending:
            return
        with self._lock:
            if isinstance(event, RunPaused | RunResumed):
                self._state = "paused" if isinstance(event, RunPaused) else "running"
            elif isinstance(event, StepEvent):
                self._steps = event.step
        self.log.append(event, at_once=at_once)

    def _end(self, state: RunState, last_event: Any, error: LadError | None) -> None:
        with self._lock:
            if self._ending:
                return
            self._ending = True
            was_left = self._leaving and state != "finished" and (error is None or error.code in _LEFT)
            self._cancelling = self._cancelling or state != "finished"
        self._free()
        with self._lock:
            if self._before is not None:
                state, error = "interrupted", error or self._before.error
                last_event = RunInterrupted(steps=self._before.steps)
            elif was_left and self._kind == "training":
                state, error, last_event = "interrupted", None, RunInterrupted(steps=self._steps)
            self._state, self._error = state, error
        at_once = self._kind == "training"
        self.log.append(last_event, last=True, at_once=at_once, kept=not was_left)
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
