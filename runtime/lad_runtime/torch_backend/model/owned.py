"""Tensors belong to one thread. What others may know of them are plain numbers that it publishes."""

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class Owned(Generic[T]):
    """Something that the thread which made it alone may touch.

    Torch frees a tensor twice where one thread reads an attribute such as `.grad` while another sets it: the process dies, at
    some later moment.
    """

    def __init__(self, value: T) -> None:
        self._value = value
        self._owner = threading.get_ident()

    @property
    def value(self) -> T:
        """Fails on any other thread."""
        assert threading.get_ident() == self._owner, (
            f"{threading.current_thread().name} touched what belongs to another thread: it may read published numbers alone"
        )
        return self._value
