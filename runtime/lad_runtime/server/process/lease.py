"""The worker's lease: a worker with one stops when no client has held it for a time."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Lease:
    """Calls `on_expired` when no client has held the lease for `seconds`, also after its start. 0: it never expires.

    `end` releases all holders. Use it on the event loop alone.
    """

    def __init__(self, seconds: int, on_expired: Callable[[], None]) -> None:
        self.seconds = seconds
        self._on_expired = on_expired
        self._holders = 0
        self._timer: asyncio.TimerHandle | None = None
        self._ended = asyncio.Event()
        self._count_down()

    def end(self) -> None:
        self._ended.set()

    async def ended(self) -> None:
        await self._ended.wait()

    @contextmanager
    def held(self) -> Iterator[None]:
        self._holders += 1
        self._stop_timer()
        try:
            yield
        finally:
            self._holders -= 1
            self._count_down()

    def _count_down(self) -> None:
        if self.seconds and not self._holders:
            self._timer = asyncio.get_running_loop().call_later(self.seconds, self._on_expired)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
