"""Cancels blocking work between two items."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from lad_runtime.errors import ErrorCode, LadError

T = TypeVar("T")


def until(items: Iterable[T], cancelled: Callable[[], bool]) -> Iterator[T]:
    """Passes the items on; raises LadError(CANCELLED) at the first item after `cancelled` returns true."""
    for item in items:
        if cancelled():
            raise cancelled_error()
        yield item


def cancelled_error() -> LadError:
    return LadError(ErrorCode.CANCELLED, "The work was cancelled.")
