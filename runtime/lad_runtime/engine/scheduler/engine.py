"""The thread that owns the device: batches compatible requests, computes them, and returns each job its result."""

import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from typing import Any, Protocol, TypeVar

from lad_runtime.engine.scheduler.admission import Admission
from lad_runtime.engine.scheduler.failures import typed_error
from lad_runtime.engine.scheduler.fair_queue import FairQueue
from lad_runtime.engine.scheduler.job import AnyJob, Beginning, Job
from lad_runtime.errors import ErrorCode, LadError, assert_never
from lad_runtime.types.work import Event, OutcomeT, Park, Request, Step, Work

T = TypeVar("T")
Call = tuple[Callable[[], Any], Future[Any]]
"""A function, and the future of what it returns."""

_BEGINNINGS = 64
"""The most jobs that begin in a turn. Preparing a job's first request takes a tenth of a millisecond or two."""
_CALLS_SECONDS = 0.02
"""The time for calls between two batches. A call that has begun runs to its end."""
_MAX_WOKEN = 256
"""The most cancelled or resumed jobs that are handled between two batches."""


class Computer(Protocol):
    """The part of a backend that the engine's loop needs."""

    @property
    def token_budget(self) -> int: ...

    def compute(self, requests: Sequence[Request[object]]) -> Sequence[object]: ...

    def describe(self, error: BaseException) -> LadError | None: ...


class Engine:
    """Runs any number of jobs on one device, a micro-step at a time.

    Between two computations it starts new jobs, ends cancelled ones and runs `call`s. If a job's work or computation raises,
    that job ends with a typed error; the others continue.
    """

    def __init__(self, computer: Computer) -> None:
        self._computer = computer
        self._turns = FairQueue()
        self._parked: set[AnyJob] = set()
        self._admission = Admission(computer.token_budget)
        self._inbox: deque[AnyJob | Call] = deque()
        self._calls: deque[Call] = deque()  # taken from the inbox, and not yet run
        self._woken: deque[AnyJob] = deque()  # cancelled or resumed jobs, not yet handled
        self._changed = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._loop, name="lad-engine", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def submit(
        self,
        work: Work[OutcomeT],
        *,
        tenant: Hashable,
        share_weight: float = 1.0,
        on_event: Callable[[Event], None] = lambda _: None,
        tokens: int = 0,
    ) -> Job[OutcomeT]:
        """Submits work as a job. `on_event` receives its events on the engine's thread and must not block.

        The jobs of one `tenant` share its part of the device, which is proportional to `share_weight`. `tokens` estimates how
        many tokens the work computes at a time. Raises LadError: BUSY when the queue is full, UNAVAILABLE when the engine is
        stopping.
        """
        (job,) = self.submit_all(
            [work], tenant=tenant, share_weight=share_weight, on_event=on_event, tokens=[tokens]
        )
        return job

    def submit_all(
        self,
        works: Sequence[Work[OutcomeT]],
        *,
        tenant: Hashable,
        share_weight: float = 1.0,
        on_event: Callable[[Event], None] = lambda _: None,
        tokens: Sequence[int] = (),
    ) -> list[Job[OutcomeT]]:
        """Submits all of the works or none; `tokens` has an estimate for each.

        The first ones, up to one batch of tokens, begin at once; the others when it is their tenant's turn.
        """
        jobs = [
            Job(work, tenant, share_weight, on_event, self._wake, wanted)
            for work, wanted in zip(works, tokens or [0] * len(works), strict=True)
        ]
        for job in jobs[self._first_batch(jobs) :]:
            job.request = Beginning(tokens=self._least_tokens)
        with self._changed:
            if self._stopping:
                raise stopping_error()
            self._admission.take_in([job.tokens for job in jobs])
            self._inbox.extend(jobs)
            self._changed.notify()
        return jobs

    def call(self, function: Callable[[], T]) -> Future[T]:
        """Runs a function on the engine's thread between two computations; at once if called on that thread."""
        future: Future[T] = Future()
        if threading.current_thread() is self._thread:
            self._run_call(function, future)
            return future
        with self._changed:
            if self._stopping:
                raise stopping_error()
            self._inbox.append((function, future))
            self._changed.notify()
        return future

    def stop(self, timeout_seconds: float) -> None:
        """Cancels all work and ends the thread after the current computation."""
        with self._changed:
            self._stopping = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join(timeout_seconds)

    @property
    def _least_tokens(self) -> int:
        """The tokens that a job counts for in the turn in which it begins."""
        return max(1, self._computer.token_budget // _BEGINNINGS)

    def _first_batch(self, jobs: Sequence[AnyJob]) -> int:
        """How many of the jobs fill a batch with their first requests; at least one."""
        tokens = 0
        for index, job in enumerate(jobs):
            if tokens >= self._computer.token_budget:
                return index
            tokens += max(job.tokens, self._least_tokens)
        return len(jobs)

    def _wake(self, job: AnyJob) -> None:
        with self._changed:
            self._woken.append(job)
            self._changed.notify()

    def _loop(self) -> None:
        while self._turn():
            pass  # the turn's locals are freed when it returns, so an idle engine holds no tensors

    def _turn(self) -> bool:
        """Handles new and woken jobs, then computes a batch; returns False once everything has been cancelled."""
        if not self._turns:
            self._turns.reset()
        with self._changed:
            while not (self._inbox or self._woken or self._turns or self._stopping):
                self._changed.wait()
            woken = [self._woken.popleft() for _ in range(min(len(self._woken), _MAX_WOKEN))]
            stopping = self._stopping
        self._drain_inbox(all_of_it=stopping)
        for job in woken:
            self._handle_woken(job)
        if stopping:
            for job in [*self._turns, *self._parked]:
                job.cancel()
                self._handle_woken(job)
            return False
        batch = self._turns.next(self._computer.token_budget)
        self._admission.waiting_tokens = self._turns.tokens
        with self._admission.throughput.measured(sum(map(_computed_tokens, batch))):
            self._compute(batch)
        return True

    def _drain_inbox(self, *, all_of_it: bool) -> None:
        """Begins new jobs, then runs calls. While jobs wait, calls beyond `_CALLS_SECONDS` are left for the next turn."""
        for _ in range(len(self._inbox)):
            item = self._inbox.popleft()
            if not isinstance(item, Job):
                self._calls.append(item)
            elif item.request is None:
                self._advance(item, None)
            else:
                self._turns.add(item)
        until = time.monotonic() + _CALLS_SECONDS
        while self._calls:
            self._run_call(*self._calls.popleft())
            if time.monotonic() > until and self._turns and not all_of_it:
                return

    def _handle_woken(self, job: AnyJob) -> None:
        """Ends a cancelled job, and advances a parked one that was resumed."""
        if job in self._parked and (job.cancelling or job.take_resumption()):
            self._parked.remove(job)
            self._advance(job, None)
        elif job.cancelling and job.request is not None:
            self._turns.remove(job)
            self._advance(job, None)

    def _run_call(self, function: Callable[[], Any], future: "Future[Any]") -> None:
        if not future.set_running_or_notify_cancel():
            return
        try:
            future.set_result(function())
        except BaseException as error:
            future.set_exception(typed_error(error, self._computer.describe))

    def _compute(self, batch: list[AnyJob]) -> None:
        """Computes one batch. If a batch of several requests fails, each is computed alone, so that only the culprit fails."""
        if not batch:
            return
        if isinstance(batch[0].request, Beginning):
            for job in batch:
                self._advance(job, None)
            return
        try:
            # The requests get no name here: the traceback of a job's error would keep their tensors alive.
            results = self._computer.compute(_requests(batch))
        except BaseException as error:
            failure = typed_error(error, self._computer.describe)
        else:
            for job, result in zip(batch, results, strict=True):
                job.computed += 1
                self._advance(job, result)
            return
        if len(batch) == 1:
            self._advance(batch[0], None, failure)
        else:
            for job in batch:
                self._compute([job])

    def _advance(self, job: AnyJob, result: object, failure: LadError | None = None) -> None:
        """Runs a job's work until it requests a computation, parks or ends. `failure` is raised inside the work."""
        try:
            step = _next_step(job, lambda: job.work.throw(failure) if failure else job.work.send(result))
            while isinstance(step, Event):
                job.on_event(step)
                step = _next_step(job, lambda: next(job.work))
            match step:
                case Request():
                    job.request = step
                    self._turns.add(job)
                case Park():
                    self._park(job)
                case _:
                    assert_never(step)
        except StopIteration as end:
            self._end(job, outcome=end.value)
        except BaseException as error:
            self._end(job, error=typed_error(error, self._computer.describe))

    def _park(self, job: AnyJob) -> None:
        job.request = None
        self._parked.add(job)
        if job.woken:
            self._wake(job)

    def _end(self, job: AnyJob, *, outcome: object = None, error: LadError | None = None) -> None:
        job.request = None
        with self._changed:
            self._admission.let_go(job.tokens)
        if error is None:
            job.future.set_result(outcome)
        else:
            job.future.set_exception(error)


def _requests(batch: Sequence[AnyJob]) -> list[Request[object]]:
    requests = [job.request for job in batch if isinstance(job.request, Request)]
    assert len(requests) == len(batch), "those that have not begun are a group of their own"
    return requests


def _computed_tokens(job: AnyJob) -> int:
    return job.request.tokens if isinstance(job.request, Request) else 0


def _next_step(job: AnyJob, advance: Callable[[], Step]) -> Step:
    """The next step that the work yields. If the job is cancelled, its work is closed instead."""
    if job.cancelling:
        job.work.close()
        raise LadError(ErrorCode.CANCELLED, "The work was cancelled.")
    return advance()


def stopping_error() -> LadError:
    return LadError(
        ErrorCode.UNAVAILABLE,
        "The worker is stopping.",
        remedy="Start another one and send the request there.",
    )
