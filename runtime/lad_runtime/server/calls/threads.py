"""Thread pools for work that blocks for long, one for each kind, so that one kind cannot delay another."""

import asyncio
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Generic, TypeVar, cast

from lad_runtime.errors import ErrorCode, LadError

T = TypeVar("T")

_RETRY_AFTER_MS = 1000


class Shared(Generic[T]):
    """Blocking work that one or several calls wait for. It can check whether any of them still waits, and report progress."""

    def __init__(self) -> None:
        self.callers = 0
        self.begun = False
        self.was_left = False  # there was a moment without callers
        self.told: Any = None  # its latest report of progress
        self.task: asyncio.Task[T]

    def left(self) -> bool:
        """Whether no call waits for it any more. Callable from any thread."""
        return self.callers == 0

    @property
    def gave_up(self) -> bool:
        """Whether it was cancelled because no call waited for it."""
        error = None if self.task.cancelled() else self.task.exception()
        return self.was_left and isinstance(error, LadError) and error.code is ErrorCode.CANCELLED


class Threads:
    """Runs work in threads. Calls for the same work share it; it may give up when the last of them has left. Use it on the event
    loop alone."""

    def __init__(self, kind: str, count: int, most: int) -> None:
        """Has `count` threads, and accepts at most `most` unfinished works; errors name them by `kind`."""
        self._kind = kind
        self._most = most
        self._free = asyncio.Semaphore(count)
        self._pool = ThreadPoolExecutor(count, thread_name_prefix=f"lad-{kind}")
        self._under_way: dict[Hashable, Shared[Any]] = {}

    async def run(self, key: Hashable, work: Callable[[Shared[T]], T]) -> T:
        """Awaits the result of the work. Raises LadError(BUSY) if there is too much unfinished work."""
        while True:
            with self.shared(key, work) as shared:
                await asyncio.wait([shared.task])
                if not shared.gave_up:
                    return shared.task.result()

    @contextmanager
    def shared(self, key: Hashable, work: Callable[[Shared[T]], T]) -> Iterator[Shared[T]]:
        """The work under a key, with one more call waiting for it in the block. Raises LadError(BUSY)."""
        shared = cast(Shared[T], self._under_way.get(key) or self._begin(key, work))
        shared.callers += 1
        try:
            yield shared
        finally:
            shared.callers -= 1
            if shared.left():
                shared.was_left = True
                if not shared.begun:
                    shared.task.cancel()
                    self._forget(key, shared)

    def _begin(self, key: Hashable, work: Callable[[Shared[T]], T]) -> Shared[T]:
        if len(self._under_way) >= self._most:
            raise LadError(
                ErrorCode.BUSY,
                f"{self._most} calls wait for {self._kind}, which is as many as may.",
                remedy="Try again when some of them have ended.",
                retry_after_ms=_RETRY_AFTER_MS,
            )
        shared = Shared[T]()
        shared.task = asyncio.create_task(self._in_thread(shared, work))
        shared.task.add_done_callback(lambda _: self._ended(key, shared))
        self._under_way[key] = shared
        return shared

    async def _in_thread(self, shared: Shared[T], work: Callable[[Shared[T]], T]) -> T:
        """Waits for a free thread here, and not in the pool's queue, so that cancelled work leaves the queue at once."""
        async with self._free:
            shared.begun = True
            return await asyncio.wrap_future(self._pool.submit(work, shared))

    def _ended(self, key: Hashable, shared: Shared[T]) -> None:
        self._forget(key, shared)
        if not shared.task.cancelled():
            shared.task.exception()  # marks it as retrieved: there may be no caller left to do so

    def _forget(self, key: Hashable, shared: Shared[T]) -> None:
        if self._under_way.get(key) is shared:
            del self._under_way[key]
