"""How many calls are under way, and how many bytes of requests they hold."""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

from lad_runtime.errors import ErrorCode, LadError, invalid_option
from lad_runtime.server.methods import SMALL, Method

_PLACES = {
    "uploads": 32,  # a few pieces of 1 MiB each
    "streams": 1024,  # runs that are followed, leases, downloads: they stay for as long as their readers do
    "work": 4096,  # what may wait for the device
    "calls": 1024,  # what is answered at once, also when all other places are taken
}
_HELD_BYTES = 64 << 20  # of requests longer than SMALL; once read they make up to 20 times of it
_RETRY_AFTER_MS = 500

Receive = Callable[[], Awaitable[bytes | None]]
"""The next message of a call; None after the last."""


class InFlight:
    """Lives on the event loop."""

    def __init__(self) -> None:
        self._calls = Counter[str]()
        self._free = _HELD_BYTES
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @contextmanager
    def place(self, method: Method) -> Iterator[None]:
        """A call's place from its beginning to its end. Raises LadError(BUSY) where there is none."""
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
    async def request(self, receive: Receive, method: Method) -> AsyncIterator[bytes]:
        """The one message of a request, which counts until the end. A long one is received when there is room for it."""
        kept = method.max_bytes if method.max_bytes > SMALL else 0
        await self._take(kept)
        try:
            data = await receive() or b""
            check_length(data, method)
            if kept:
                self._give_back(kept - len(data))
                kept = len(data)
            yield data
        finally:
            self._give_back(kept)

    async def _take(self, nbytes: int) -> None:
        """In the order of asking; who wants nothing does not wait."""
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
    """Raises LadError(INVALID_OPTION)."""
    if len(data) > method.max_bytes:
        raise invalid_option(
            "request",
            f"{len(data)} bytes",
            f"one of {method.name} may have {method.max_bytes}",
            "Send less at once.",
        )
