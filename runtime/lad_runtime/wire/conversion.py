"""What makes a value of a part of a message, and the reverse."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import Descriptor

Act = Callable[[Any], Any]


@dataclass(frozen=True, kw_only=True)
class Conversion:
    read: Act | None  # None: of what is written alone
    write: Act


Between = Callable[[Descriptor, Any], Conversion]
"""The conversion of a whole message, by its kind and the value's type."""


def as_it_is(value: Any) -> Any:
    return value


def after(act: Act | None, get: Act) -> Act | None:
    """`act` of what `get` gives."""
    if act is None or act is as_it_is:
        return None if act is None else get
    return lambda whole: act(get(whole))
