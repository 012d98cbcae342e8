"""Calls that create something: if one is cancelled before its reply, what it creates is removed."""

import asyncio
import hashlib
from collections.abc import Hashable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from google.protobuf.message import Message

from lad_runtime.engine.resident.creations import Making

T = TypeVar("T")

_STARTING_THREADS = 16


async def made(making: Making[T]) -> T:
    """Awaits the object that a call creates, or that another call of the same id is creating."""
    try:
        return await asyncio.wrap_future(making.future)
    except asyncio.CancelledError:
        making.leave()
        raise


def same_request(request: Message) -> Hashable:
    """A key that is equal for equal requests of one message type."""
    content = request.SerializeToString(deterministic=True)
    return request.DESCRIPTOR.full_name, hashlib.sha256(content).digest()


def starting_threads() -> ThreadPoolExecutor:
    """Threads for the blocking part of starting a run. A start that still waits for a thread can be cancelled."""
    return ThreadPoolExecutor(_STARTING_THREADS, thread_name_prefix="lad-starting")
