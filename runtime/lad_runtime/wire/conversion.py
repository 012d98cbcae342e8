"""A conversion: a function that reads a part of a message into a value, and one that writes it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import Descriptor

Act = Callable[[Any], Any]


@dataclass(frozen=True, kw_only=True)
class Conversion:
    read: Act | None  # None: the value is only written
    write: Act


Between = Callable[[Descriptor, Any], Conversion]
"""Finds the conversion of a whole message by its kind and the value's type."""


def as_it_is(value: Any) -> Any:
    return value


def after(act: Act | None, get: Act) -> Act | None:
    """The function act(get(whole))."""
    if act is None or act is as_it_is:
        return None if act is None else get
    return lambda whole: act(get(whole))
