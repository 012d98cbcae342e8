"""Awaits what other threads compute, without ever blocking the event loop."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from concurrent.futures import Future
from typing import Any

from lad_runtime.engine.event_log import EventLog, LoggedEvent
from lad_runtime.engine.job import Job


async def outcome(job: Job) -> Any:
    """A job's outcome; when the call is cancelled, so is the job."""
    try:
        return await asyncio.wrap_future(job.future)
    except asyncio.CancelledError:
        job.cancel()
        raise


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
