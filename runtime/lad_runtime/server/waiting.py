"""Awaits what other threads compute, without ever blocking the event loop."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from typing import Any, TypeVar

from lad_runtime.engine.event_log import EventLog, LoggedEvent
from lad_runtime.engine.job import Job

T = TypeVar("T")


async def outcome(job: Job) -> Any:
    """A job's outcome; when the call is cancelled, so is the job."""
    try:
        return await asyncio.wrap_future(job.future)
    except asyncio.CancelledError:
        job.cancel()
        raise


@asynccontextmanager
async def entered(make: Callable[[], AbstractContextManager[T]]) -> AsyncIterator[T]:
    """What blocks while it is made or left, in threads; left also where the call was cancelled while it was being made."""
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


def _both(manager: AbstractContextManager[T]) -> tuple[T, Callable[[], object]]:
    return manager.__enter__(), lambda: manager.__exit__(None, None, None)


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
