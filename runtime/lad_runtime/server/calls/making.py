"""Calls that make something: a call that is cancelled before its reply takes back what it was for."""

import asyncio
import hashlib
from collections.abc import Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from google.protobuf.message import Message

from lad_runtime.engine.resident.makings import Making

T = TypeVar("T")

_STARTING_THREADS = 16


async def made(making: Making[T]) -> T:
    """What a call makes, or waits for with another one of the same id."""
    try:
        return await asyncio.wrap_future(making.future)
    except asyncio.CancelledError:
        making.leave()
        raise


def same_request(request: Message) -> Hashable:
    """Equal for equal requests of one kind alone."""
    content = request.SerializeToString(deterministic=True)
    return request.DESCRIPTOR.full_name, hashlib.sha256(content).digest()


def starting_threads() -> ThreadPoolExecutor:
    """Threads for what blocks while a run is started; one that waits for a thread can still be cancelled."""
    return ThreadPoolExecutor(_STARTING_THREADS, thread_name_prefix="lad-starting")
