"""Ends blocking work that nobody wants any more."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from lad_runtime.errors import ErrorCode, LadError

T = TypeVar("T")


def until(items: Iterable[T], cancelled: Callable[[], bool]) -> Iterator[T]:
    """Raises LadError(CANCELLED) at the first item that comes after it was cancelled."""
    for item in items:
        if cancelled():
            raise cancelled_error()
        yield item


def cancelled_error() -> LadError:
    return LadError(ErrorCode.CANCELLED, "The work was cancelled.")
