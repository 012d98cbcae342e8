"""A method that computes: reads its request in a thread, submits a task, and replies with the outcome."""

from collections.abc import Callable
from typing import Any, Generic, TypeVar

from lad_runtime.engine.scheduler.job import Job
from lad_runtime.server.calls.waiting import reply_of
from lad_runtime.wire.codec import reader, writer

Task = TypeVar("Task")
Reply = TypeVar("Reply")


class Computing(Generic[Task, Reply]):
    def __init__(self, request: type[Any], task: type[Task], outcome: Any, reply: type[Reply]) -> None:
        """The types between which it translates. Raises TypeError if a message and its value do not match."""
        self._read = reader(request, task)
        self._write = writer(outcome, reply)

    async def __call__(self, request: Any, submit: Callable[[str, str, Task], Job]) -> Reply:
        """Answers a request. `submit` takes the base's id, the adapter's (empty: none) and the task."""
        return self._write(
            await reply_of(lambda: submit(request.base_id, request.adapter_id, self._read(request)))
        )
