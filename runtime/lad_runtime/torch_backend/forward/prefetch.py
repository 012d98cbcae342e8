"""Prepares a job's next input on a thread of its own, while the device computes."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Generic, TypeVar

from lad_runtime.torch_backend.forward.requests import HostRequest
from lad_runtime.types.work import Work, ask

T = TypeVar("T")

Unwanted = Callable[[], bool]
"""Whether the result is not needed any more."""

_WAIT_SECONDS = 0.005
"""How long a waiting job may hold up the others at a time."""


class Prefetch(Generic[T]):
    """One result that a thread is making. The thread must not use adapters' tensors, which belong to the engine's thread.

    `make` should check every millisecond or so whether its result is unwanted; what it then returns is ignored.
    """

    def __init__(self, make: Callable[[Unwanted], T]) -> None:
        self._made: Future[T] = Future()
        self._unwanted = threading.Event()
        self._thread = threading.Thread(target=self._make, args=(make,), name="lad-prefetch", daemon=True)
        self._thread.start()

    def result(self) -> Work[T]:
        """Work that waits for the result while other jobs have turns; returns it, or raises the exception of `make`."""
        while not wait([self._made], _WAIT_SECONDS).done:
            yield from ask(HostRequest(next_tokens=1))
        return self._made.result()

    def stop(self) -> None:
        """Stops the making, and waits for the thread to end."""
        self._unwanted.set()
        self._thread.join()

    def _make(self, make: Callable[[Unwanted], T]) -> None:
        try:
            self._made.set_result(make(self._unwanted.is_set))
        except BaseException as error:
            self._made.set_exception(error)
