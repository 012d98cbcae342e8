"""A method that computes: its request is read in a thread, a work is submitted, and the reply is what comes of it."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from lad_runtime.engine.resident.numbered_calls import Call
from lad_runtime.engine.scheduler.job import Job
from lad_runtime.server.calls.waiting import reply_of
from lad_runtime.wire.codec import reader, writer

Asked = TypeVar("Asked")
Reply = TypeVar("Reply")


class Computing(Generic[Asked, Reply]):
    def __init__(self, request: type[Any], asked: type[Asked], outcome: Any, reply: type[Reply]) -> None:
        """How its request is read, and what comes of its work written. Raises TypeError where they do not match."""
        self._read = reader(request, asked)
        self._write = writer(outcome, reply)

    async def __call__(self, request: Any, submit: Callable[[Asked], Job | Call]) -> Reply:
        return self._write(await reply_of(lambda: submit(self._read(request))))
