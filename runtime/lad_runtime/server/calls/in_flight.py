"""Limits the calls in flight, and the bytes of their requests."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from typing import Any

from lad_runtime.errors import ErrorCode, LadError, invalid_option
from lad_runtime.server.calls.methods import SMALL, Method

LENGTH_KEY = "lad-request-bytes"
"""The metadata key of a request's length in bytes. Without it, the longest request of the method is assumed."""

_PLACES = {
    "uploads": 32,  # a few pieces of 1 MiB each
    "streams": 1024,  # followers of runs, leases, downloads: each stays as long as its reader
    "work": 4096,  # calls that may wait for the device
    "calls": 1024,  # calls that are answered at once, even when the other kinds are at their limit
}
_HELD_BYTES = 32 << 20  # of requests longer than SMALL; parsed, they take up to 20 times as much
_RECEIVE_SECONDS = 60.0  # the time for a whole request to arrive
_RETRY_AFTER_MS = 500

Receive = Callable[[], Awaitable[bytes | None]]
"""Receives the next message of a call; None after the last."""

_work: ContextVar["list[Future[Any]] | None"] = ContextVar(
    "what the request's call has submitted", default=None
)


def held_until(future: "Future[Any]") -> None:
    """Counts the current call's request until the future is done, even if its caller leaves before."""
    submitted = _work.get()
    if submitted is not None:
        submitted.append(future)


class InFlight:
    """Counts calls and bytes of requests. Use it on the event loop alone."""

    def __init__(self) -> None:
        self._calls = Counter[str]()
        self._free = _HELD_BYTES
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @contextmanager
    def place(self, method: Method) -> Iterator[None]:
        """Counts a call from its beginning to its end. Raises LadError(BUSY) if there are too many of its kind."""
        most = _PLACES[method.shares]
        if self._calls[method.shares] >= most:
            raise LadError(
                ErrorCode.BUSY,
                f"{most} calls such as {method.name} are under way, which is as many as the worker answers at once.",
                remedy="Try again when some of them have ended.",
                retry_after_ms=_RETRY_AFTER_MS,
            )
        self._calls[method.shares] += 1
        try:
            yield
        finally:
            self._calls[method.shares] -= 1

    @asynccontextmanager
    async def request(
        self, receive: Receive, method: Method, declared: int | None = None
    ) -> AsyncIterator[bytes]:
        """Receives a call's single request. Its bytes count until the call and the work that it submitted have ended.

        A long request is received once there is room for the bytes that it declares; a short one never waits. Raises LadError:
        INVALID_OPTION if it is longer than declared or allowed, CANCELLED if it does not arrive in time.
        """
        most = method.max_bytes if declared is None else min(declared, method.max_bytes)
        kept = most if most > SMALL else 0
        await self._take(kept)
        submitted: list[Future[Any]] = []
        _work.set(submitted)
        try:
            data = await _received(receive)
            check_length(data, method)
            if declared is not None and len(data) != declared:
                raise _not_as_declared(data, declared)
            if kept:
                self._give_back(kept - len(data))
                kept = len(data)
            yield data
        finally:
            _work.set(None)
            self._give_back_after(submitted, kept)

    def _give_back_after(self, submitted: "list[Future[Any]]", nbytes: int) -> None:
        unfinished = [future for future in submitted if not future.done()]
        if not nbytes or not unfinished:
            self._give_back(nbytes)
            return
        loop = asyncio.get_running_loop()
        unfinished[-1].add_done_callback(lambda _: _soon(loop, lambda: self._give_back(nbytes)))

    async def _take(self, nbytes: int) -> None:
        """Reserves bytes, first come first served; 0 bytes never wait."""
        if not nbytes or (nbytes <= self._free and not self._waiting):
            self._free -= nbytes
            return
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((nbytes, granted))
        try:
            await granted
        except asyncio.CancelledError:
            if not granted.cancelled():
                self._give_back(nbytes)
            raise

    def _give_back(self, nbytes: int) -> None:
        self._free += nbytes
        while self._waiting:
            wanted, granted = self._waiting[0]
            if not granted.cancelled():
                if wanted > self._free:
                    return
                self._free -= wanted
                granted.set_result(None)
            self._waiting.popleft()


def check_length(data: bytes, method: Method) -> None:
    """Raises LadError(INVALID_OPTION) for a request that is longer than its method allows."""
    if len(data) > method.max_bytes:
        raise invalid_option(
            "request",
            f"{len(data)} bytes",
            f"one of {method.name} may have {method.max_bytes}",
            "Send less at once.",
        )


async def _received(receive: Receive) -> bytes:
    try:
        return await asyncio.wait_for(receive(), _RECEIVE_SECONDS) or b""
    except asyncio.TimeoutError:
        raise LadError(
            ErrorCode.CANCELLED,
            f"The request did not arrive within {_RECEIVE_SECONDS:g} s.",
            remedy="Send it again, or less at once.",
        ) from None


def _not_as_declared(data: bytes, declared: int) -> LadError:
    return invalid_option(
        LENGTH_KEY, declared, f"the request has {len(data)} bytes", "Declare its length, or leave that out."
    )


def _soon(loop: asyncio.AbstractEventLoop, act: Callable[[], None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(act)
