"""Awaits what other threads compute, without ever blocking the event loop."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from concurrent.futures import Future
from typing import Any, TypeVar

from lad_runtime.engine.event_log import EventLog, LoggedEvent
from lad_runtime.engine.job import Job

T = TypeVar("T")

_CANCELLED_SECONDS = 0.02


async def outcome(job: Job) -> Any:
    """A job's outcome; when the call is cancelled, so is the job."""
    try:
        return await asyncio.wrap_future(job.future)
    except asyncio.CancelledError:
        job.cancel()
        raise


async def whole(requests: AsyncIterator[T]) -> AsyncIterator[T]:
    """The requests of a client's stream. One that was cancelled ends like any other, a moment before its call is cancelled, so
    that moment is waited for: what comes after the last request is done for whole streams alone.
    """
    async for request in requests:
        yield request
    await asyncio.sleep(_CANCELLED_SECONDS)


async def ended(ends: "Iterable[Future[None]]") -> None:
    """Comes back when all of these have come."""
    for end in ends:
        await asyncio.wrap_future(end)


async def follow(log: EventLog, from_seq: int) -> AsyncGenerator[LoggedEvent, None]:
    """Events from a number on as they come; ends after the last one. Each follower reads the log at its own pace."""
    loop = asyncio.get_running_loop()
    changed = asyncio.Event()

    def wake() -> None:
        loop.call_soon_threadsafe(changed.set)

    forget = log.listen(wake)
    try:
        while True:
            changed.clear()
            closed = log.closed
            events = log.read(from_seq)
            for event in events:
                yield event
                from_seq = event.seq + 1
            if not events:
                if closed:
                    return
                await changed.wait()
    finally:
        forget()
