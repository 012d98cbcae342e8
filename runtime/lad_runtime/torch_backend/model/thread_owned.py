"""Values that belong to one thread, such as tensors. Other threads read plain numbers that the owner publishes."""

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class Owned(Generic[T]):
    """A value that only the thread that made it may use.

    If one thread reads a tensor's attribute such as `.grad` while another sets it, torch may free a tensor twice, and the process
    crashes at some later moment.
    """

    def __init__(self, value: T) -> None:
        self._value = value
        self._owner = threading.get_ident()

    @property
    def value(self) -> T:
        """The value; asserts that the caller is the owner's thread."""
        assert threading.get_ident() == self._owner, (
            f"{threading.current_thread().name} touched what belongs to another thread: it may read published numbers alone"
        )
        return self._value
