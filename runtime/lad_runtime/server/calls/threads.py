"""Threads for work that blocks for long, so many for each kind of it: one kind cannot hold up another."""

import asyncio
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Generic, TypeVar, cast

from lad_runtime.errors import ErrorCode, LadError

T = TypeVar("T")

_RETRY_AFTER_MS = 1000


class Shared(Generic[T]):
    """Work that one or several calls wait for; it may ask whether any of them is left, and tell them how far it is."""

    def __init__(self) -> None:
        self.callers = 0
        self.begun = False
        self.was_left = False  # for a moment at least
        self.told: Any = None  # the latest of what it said
        self.task: asyncio.Task[T]

    def left(self) -> bool:
        """Whether nobody waits for it any more; asked from any thread."""
        return self.callers == 0

    @property
    def gave_up(self) -> bool:
        """Whether it ended because nobody waited, and not by itself."""
        error = None if self.task.cancelled() else self.task.exception()
        return self.was_left and isinstance(error, LadError) and error.code is ErrorCode.CANCELLED


class Threads:
    """Lives on the event loop. Calls for the same thing share a thread, which may give up when the last of them has gone."""

    def __init__(self, kind: str, count: int, most: int) -> None:
        """At most `most` works are begun or wait; the word for them is `kind`."""
        self._kind = kind
        self._most = most
        self._free = asyncio.Semaphore(count)
        self._pool = ThreadPoolExecutor(count, thread_name_prefix=f"lad-{kind}")
        self._under_way: dict[Hashable, Shared[Any]] = {}

    async def run(self, key: Hashable, work: Callable[[Shared[T]], T]) -> T:
        """What comes of it. Raises LadError(BUSY) where too many others wait."""
        while True:
            with self.shared(key, work) as shared:
                await asyncio.wait([shared.task])
                if not shared.gave_up:
                    return shared.task.result()

    @contextmanager
    def shared(self, key: Hashable, work: Callable[[Shared[T]], T]) -> Iterator[Shared[T]]:
        """The work under a key, for one more call. Raises LadError(BUSY)."""
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
        """What waits is not in the pool's queue, where it would stay until a thread finds that nobody wants it."""
        async with self._free:
            shared.begun = True
            return await asyncio.wrap_future(self._pool.submit(work, shared))

    def _ended(self, key: Hashable, shared: Shared[T]) -> None:
        self._forget(key, shared)
        if not shared.task.cancelled():
            shared.task.exception()  # nobody may be left to see it

    def _forget(self, key: Hashable, shared: Shared[T]) -> None:
        if self._under_way.get(key) is shared:
            del self._under_way[key]
