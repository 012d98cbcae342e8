"""Awaits the work of other threads without blocking the event loop."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, asynccontextmanager
from typing import Any, TypeVar

from lad_runtime.engine.resident.numbered_calls import Call
from lad_runtime.engine.runs.event_log import EventLog
from lad_runtime.engine.scheduler.job import Job
from lad_runtime.server.calls.in_flight import held_until
from lad_runtime.types.runs import LoggedEvent

T = TypeVar("T")

_CANCELLED_SECONDS = 0.02


async def reply(work: Job | Call) -> Any:
    """Awaits the outcome of submitted work; if the call is cancelled, it leaves the work."""
    held_until(work.future)
    try:
        return await asyncio.wrap_future(work.future)
    except asyncio.CancelledError:
        work.leave()
        raise


async def reply_of(submit: Callable[[], Job | Call]) -> Any:
    """`reply` for work that a blocking function submits. The work is left, too, if the call is cancelled before that."""
    submitting = asyncio.ensure_future(asyncio.to_thread(submit))
    try:
        work = await asyncio.shield(submitting)
    except asyncio.CancelledError:
        submitting.add_done_callback(_leave)
        raise
    return await reply(work)


def _leave(submitting: "asyncio.Future[Job | Call]") -> None:
    if not submitting.cancelled() and submitting.exception() is None:
        submitting.result().leave()


async def whole(requests: AsyncIterator[T]) -> AsyncIterator[T]:
    """The requests of a client's stream. A cancelled stream ends like a complete one, a moment before its call is cancelled. So
    this waits for that moment after the last request: the code behind the loop runs for complete streams alone.
    """
    async for request in requests:
        yield request
    await asyncio.sleep(_CANCELLED_SECONDS)


async def outlasted(work: "Future[T]") -> T:
    """Awaits work that uses the call's resources. A cancelled call still waits here until the work has ended."""
    try:
        return await asyncio.wrap_future(work)
    except asyncio.CancelledError:
        await asyncio.gather(asyncio.wrap_future(work), return_exceptions=True)
        raise


async def ended(ends: "Iterable[Future[None]]") -> None:
    """Waits until all of these are done."""
    for end in ends:
        await asyncio.wrap_future(end)


@asynccontextmanager
async def entered(make: Callable[[], AbstractContextManager[T]]) -> AsyncIterator[T]:
    """Enters and exits a blocking context manager in threads; exits it, too, if the call is cancelled while it is entered."""
    making = asyncio.ensure_future(asyncio.to_thread(lambda: _both(make())))
    try:
        made, leave = await asyncio.shield(making)
    except asyncio.CancelledError:
        making.add_done_callback(lambda done: done.exception() or done.result()[1]())
        raise
    try:
        yield made
    finally:
        await asyncio.shield(asyncio.to_thread(leave))


@asynccontextmanager
async def in_one_thread(items: Iterator[T]) -> AsyncIterator[AsyncIterator[T]]:
    """Takes items from a blocking iterator in a thread of its own, which ends with the block; the item under way is waited for."""
    thread = ThreadPoolExecutor(1, thread_name_prefix="lad-reading")
    loop = asyncio.get_running_loop()

    async def taken() -> AsyncIterator[T]:
        while (item := await loop.run_in_executor(thread, lambda: next(items, None))) is not None:
            yield item

    def end() -> None:
        close = getattr(items, "close", None)
        if close is not None:
            thread.submit(close).result()
        thread.shutdown()

    try:
        yield taken()
    finally:
        await asyncio.shield(asyncio.to_thread(end))


def _both(manager: AbstractContextManager[T]) -> tuple[T, Callable[[], object]]:
    return manager.__enter__(), lambda: manager.__exit__(None, None, None)


async def follow(log: EventLog, from_seq: int) -> AsyncGenerator[LoggedEvent, None]:
    """Yields events from a number on as they are logged, and ends after the last one. Each follower has its own pace."""
    loop = asyncio.get_running_loop()
    changed = asyncio.Event()

    def wake() -> None:
        loop.call_soon_threadsafe(changed.set)

    forget = log.listen(wake)
    try:
        while True:
            changed.clear()
            closed = log.closed
            events = (
                log.read(from_seq)
                if log.has_in_memory(from_seq)
                else await asyncio.to_thread(log.read, from_seq)
            )
            for event in events:
                yield event
                from_seq = event.seq + 1
            if not events:
                if closed:
                    return
                await changed.wait()
    finally:
        forget()
