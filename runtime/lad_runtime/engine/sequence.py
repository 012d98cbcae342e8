"""Numbered calls: computed once and in order, however often they are sent."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any

from lad_runtime.engine.job import Job
from lad_runtime.errors import ErrorCode, LadError

_KEPT_REPLIES = 32
_MAX_PENDING = 64
_RETRY_AFTER_MS = 500
Start = Callable[[], Job]


class Sequence:
    """The calls that change one adapter. Each starts when the one before it has ended.

    Number n is one more than the last; the same number with the same request again gets the same reply, also while it is
    being computed. A call that fails did not happen: its number is free again, and calls that were already waiting behind
    it fail too. Number 0 is unnumbered: in order with the others, never remembered.
    """

    def __init__(self) -> None:
        self._last = 0  # the highest number given out
        self._replies: OrderedDict[int, tuple[Hashable, Future[Any]]] = OrderedDict()
        self._pending: list[tuple[int, Start, Future[Any]]] = []
        self._current: Job | None = None
        self._lock = threading.RLock()

    @property
    def last(self) -> int:
        """The highest number given out that has not failed."""
        return self._last

    @property
    def busy(self) -> bool:
        return self._current is not None

    def submit(self, number: int, request: Hashable, start: Start) -> "Future[Any]":
        """The future of the reply; `start` submits the work to the engine, and is called once at most.

        Raises LadError(INVALID_STATE) on a gap, on a number too old to be remembered, or one that came with another request.
        """
        with self._lock:
            if number and number <= self._last:
                return self._remembered(number, request)
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
            future: Future[Any] = Future()
            future.set_running_or_notify_cancel()
            if number:
                self._last = number
                self._replies[number] = (request, future)
                self._forget_old()
            self._pending.append((number, start, future))
        self._start_next()
        return future

    def _remembered(self, number: int, request: Hashable) -> "Future[Any]":
        if number not in self._replies:
            raise LadError(
                ErrorCode.INVALID_STATE,
                f"sequence is {number}, and the reply to it is no longer kept; the adapter's next number is "
                f"{self._last + 1}.",
                option="sequence",
                value=number,
                remedy=f"Only the last {_KEPT_REPLIES} replies can be asked for again.",
            )
        known_request, future = self._replies[number]
        if known_request != request:
            raise LadError(
                ErrorCode.INVALID_STATE,
                f"sequence is {number}, which another request came with; the adapter's next number is {self._last + 1}.",
                option="sequence",
                value=number,
                remedy="Give every new request a number of its own.",
            )
        return future

    def _start_next(self) -> None:
        with self._lock:
            if self._current is not None or not self._pending:
                return
            number, start, future = self._pending.pop(0)
            try:
                job = self._current = start()
            except LadError as error:
                refused: Future[Any] = Future()
                refused.set_exception(error)
                done = refused
            else:
                done = job.future
        done.add_done_callback(lambda ended: self._ended(number, future, ended))

    def _ended(self, number: int, future: "Future[Any]", ended: "Future[Any]") -> None:
        error = ended.exception()
        overtaken: list[tuple[int, Start, Future[Any]]] = []
        with self._lock:
            self._current = None
            if error is not None and number:
                overtaken = [call for call in self._pending if call[0]]
                self._pending = [call for call in self._pending if not call[0]]
                for late in range(number, self._last + 1):
                    self._replies.pop(late, None)
                self._last = number - 1
        if error is None:
            future.set_result(ended.result())
        else:
            future.set_exception(error)
        for late, _, waiting in overtaken:
            waiting.set_exception(
                LadError(
                    ErrorCode.INVALID_STATE,
                    f"sequence is {late}, but number {number} before it failed.",
                    option="sequence",
                    value=late,
                    remedy=f"Go on from number {number}.",
                )
            )
        self._start_next()

    def _forget_old(self) -> None:
        while len(self._replies) > _KEPT_REPLIES + _MAX_PENDING:
            self._replies.popitem(last=False)
