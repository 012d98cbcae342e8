"""What a work needs next, made on a thread of its own beside the device's work."""

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Generic, TypeVar

from lad_runtime.torch_backend.forward.requests import HostRequest
from lad_runtime.types.work import Work, ask

T = TypeVar("T")

Unwanted = Callable[[], bool]
"""Whether nobody waits for the thing any more."""

_WAIT_SECONDS = 0.005
"""Nobody else has a turn for so long at a time while a work waits."""


class Beside(Generic[T]):
    """One thing in the making, from numbers alone: adapters' tensors belong to the engine's thread. The thread ends with it.

    `make` is to ask every millisecond or so whether the thing is unwanted; what it returns then is read by nobody.
    """

    def __init__(self, make: Callable[[Unwanted], T]) -> None:
        self._made: Future[T] = Future()
        self._unwanted = threading.Event()
        self._thread = threading.Thread(target=self._make, args=(make,), name="lad-beside", daemon=True)
        self._thread.start()

    def result(self) -> Work[T]:
        """Work that waits for the thing between others' turns, and returns it or raises what its making did."""
        while not wait([self._made], _WAIT_SECONDS).done:
            yield from ask(HostRequest(next_tokens=1))
        return self._made.result()

    def stop(self) -> None:
        """Ends the making, if it is not at its end; the thread is gone then."""
        self._unwanted.set()
        self._thread.join()

    def _make(self, make: Callable[[Unwanted], T]) -> None:
        try:
            self._made.set_result(make(self._unwanted.is_set))
        except BaseException as error:
            self._made.set_exception(error)
