"""Numbered calls of an adapter: each is computed once and in order, and cancelled when its client has gone."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any

from lad_runtime.engine.scheduler.job import Job
from lad_runtime.errors import ErrorCode, LadError

GRACE_SECONDS = 10.0
"""How long numbered calls continue after their client has disconnected; it may return and ask for the reply again."""

_KEPT_REPLIES = 32
_MAX_PENDING = 64
_RETRY_AFTER_MS = 500
Start = Callable[[], Job]


class Call:
    """One call for an adapter. `future` is its reply; a caller that stops waiting calls `leave`."""

    def __init__(self, number: int, leave: Callable[["Call"], None]) -> None:
        self.number = number
        self.future: Future[Any] = Future()
        self.future.set_running_or_notify_cancel()  # from here on only the sequence can end it
        self.waiting = 1  # callers that wait for the reply
        self.job: Job | None = None  # while it is computed
        self._leave = leave

    def leave(self) -> None:
        """Each caller that stops waiting calls this once, from any thread."""
        self._leave(self)


class Sequence:
    """The calls that change one adapter. Each starts when the previous one has ended.

    Numbers count up by one. A repeated number with the same request gets the same reply, even while it is being computed. A
    call that fails frees its number, and the numbered calls behind it fail too. Number 0 means unnumbered: such a call keeps
    its place in the order, but its reply is not remembered.

    An unnumbered call is cancelled as soon as its caller leaves. Numbered calls build on each other: all of them are cancelled
    once no caller has waited for any of them for `grace_seconds`.
    """

    def __init__(self, grace_seconds: float = GRACE_SECONDS) -> None:
        self._grace_seconds = grace_seconds
        self._last = 0  # the highest number given out
        self._replies: OrderedDict[int, tuple[Hashable, Call]] = OrderedDict()
        self._pending: dict[Call, Start] = {}  # in order of arrival
        self._current: Call | None = None
        self._grace: threading.Timer | None = (
            None  # runs while there are numbered calls and no caller waits for one
        )
        self._closed = False
        self._lock = threading.RLock()

    @property
    def last(self) -> int:
        """The highest number given out that has not failed."""
        return self._last

    @property
    def busy(self) -> bool:
        return self._current is not None

    def submit(self, number: int, request: Hashable, start: Start) -> Call:
        """Enqueues a call, or finds the one of the same number. `start` submits its work to the engine, at most once.

        Raises LadError: INVALID_STATE for a gap in the numbers, for a number whose reply is forgotten, or for a number that came
        with another request; CANCELLED once the sequence is closed.
        """
        with self._lock:
            if self._closed:
                raise _cancelled()
            if number and number <= self._last:
                call = self._remembered(number, request)
                call.waiting += 1
            else:
                call = self._new(number, request, start)
            self._update_grace()
        self._start_next()
        return call

    def close(self) -> None:
        """Cancels every call and accepts no more."""
        with self._lock:
            self._closed = True
            self._update_grace()
            self._cancel(self._unfinished())

    def _new(self, number: int, request: Hashable, start: Start) -> Call:
        if number > self._last + 1:
            raise LadError(
                ErrorCode.INVALID_STATE,
                f"sequence is {number}, but the adapter's next number is {self._last + 1}.",
                option="sequence",
                value=number,
                remedy=f"Send number {self._last + 1} first.",
            )
        if len(self._pending) >= _MAX_PENDING:
            raise LadError(
                ErrorCode.BUSY,
                f"{len(self._pending)} calls for this adapter wait already.",
                remedy="Await some replies before you send more.",
                retry_after_ms=_RETRY_AFTER_MS,
            )
        call = Call(number, self._caller_left)
        if number:
            self._last = number
            self._replies[number] = (request, call)
            self._forget_old()
        self._pending[call] = start
        return call

    def _remembered(self, number: int, request: Hashable) -> Call:
        if number not in self._replies:
            raise LadError(
                ErrorCode.INVALID_STATE,
                f"sequence is {number}, and the reply to it is no longer kept; the adapter's next number is "
                f"{self._last + 1}.",
                option="sequence",
                value=number,
                remedy=f"Only the last {_KEPT_REPLIES} replies can be asked for again.",
            )
        known_request, call = self._replies[number]
        if known_request != request:
            raise LadError(
                ErrorCode.INVALID_STATE,
                f"sequence is {number}, which another request came with; the adapter's next number is {self._last + 1}.",
                option="sequence",
                value=number,
                remedy="Give every new request a number of its own.",
            )
        return call

    def _start_next(self) -> None:
        with self._lock:
            if self._current is not None or not self._pending:
                return
            call = self._current = next(iter(self._pending))
            start = self._pending.pop(call)
            try:
                call.job = start()
            except LadError as error:
                refused: Future[Any] = Future()
                refused.set_exception(error)
                done = refused
            else:
                done = call.job.future
        done.add_done_callback(lambda ended: self._ended(call, ended))

    def _ended(self, call: Call, ended: "Future[Any]") -> None:
        error = ended.exception()
        overtaken: list[Call] = []
        with self._lock:
            self._current = call.job = None
            if error is not None and call.number:
                overtaken = self._remove_pending([later for later in self._pending if later.number])
                self._free_from(call.number)
            self._update_grace()
        if error is None:
            call.future.set_result(ended.result())
        else:
            call.future.set_exception(error)
        for late in overtaken:
            late.future.set_exception(
                LadError(
                    ErrorCode.INVALID_STATE,
                    f"sequence is {late.number}, but number {call.number} before it failed.",
                    option="sequence",
                    value=late.number,
                    remedy=f"Go on from number {call.number}.",
                )
            )
        self._start_next()

    def _caller_left(self, call: Call) -> None:
        with self._lock:
            call.waiting -= 1
            if not call.number and not call.waiting:
                self._cancel([call])
            self._update_grace()

    def _update_grace(self) -> None:
        """Runs the grace period exactly while there are numbered calls and no caller waits for any of them."""
        numbered = [call for call in self._unfinished() if call.number]
        deserted = bool(numbered) and not self._closed and not any(call.waiting for call in numbered)
        if self._grace is not None and not deserted:
            self._grace.cancel()
            self._grace = None
        elif self._grace is None and deserted:
            self._grace = threading.Timer(self._grace_seconds, self._give_up)
            self._grace.daemon = True
            self._grace.start()

    def _give_up(self) -> None:
        with self._lock:
            if self._grace is not threading.current_thread():
                return  # a caller has returned meanwhile
            self._grace = None
            self._cancel([call for call in self._unfinished() if call.number])

    def _unfinished(self) -> list[Call]:
        return [*([self._current] if self._current else []), *self._pending]

    def _cancel(self, calls: list[Call]) -> None:
        """Cancels calls: pending ones at once, the current one before its next computation."""
        waiting = self._remove_pending([call for call in self._pending if call in calls])
        numbers = [call.number for call in waiting if call.number]
        if numbers:
            self._free_from(min(numbers))
        for call in waiting:
            call.future.set_exception(_cancelled())
        if self._current is not None and self._current in calls and self._current.job is not None:
            self._current.job.cancel()

    def _remove_pending(self, calls: list[Call]) -> list[Call]:
        for call in calls:
            del self._pending[call]
        return calls

    def _free_from(self, number: int) -> None:
        for late in range(number, self._last + 1):
            self._replies.pop(late, None)
        self._last = number - 1

    def _forget_old(self) -> None:
        while len(self._replies) > _KEPT_REPLIES + _MAX_PENDING:
            self._replies.popitem(last=False)


def _cancelled() -> LadError:
    return LadError(
        ErrorCode.CANCELLED, "The call was cancelled: its caller is gone, or its adapter was dropped."
    )
