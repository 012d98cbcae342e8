"""A method that computes: its request is read in a thread, a task is submitted, and the reply is what comes of it."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from lad_runtime.engine.scheduler.job import Job
from lad_runtime.server.calls.waiting import reply_of
from lad_runtime.wire.codec import reader, writer

Task = TypeVar("Task")
Reply = TypeVar("Reply")


class Computing(Generic[Task, Reply]):
    def __init__(self, request: type[Any], task: type[Task], outcome: Any, reply: type[Reply]) -> None:
        """How its request is read, and what comes of its task written. Raises TypeError where they do not match."""
        self._read = reader(request, task)
        self._write = writer(outcome, reply)

    async def __call__(self, request: Any, submit: Callable[[str, str, Task], Job]) -> Reply:
        """`submit` takes the ids of the base and of the adapter, empty for none, and the task."""
        return self._write(
            await reply_of(lambda: submit(request.base_id, request.adapter_id, self._read(request)))
        )
