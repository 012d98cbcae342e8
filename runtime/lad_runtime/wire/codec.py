"""Translates messages to values and back, by the names of their fields.

The conversion between a message and a type of `lad_runtime.types` is planned once, when a module that needs it is imported. That
import fails if a name or a type on one side has no counterpart on the other.

    message                          value
    fields                           fields of a dataclass, by equal names (but for `differences.py`)
    enumeration                      Literal of its words (`enums.py`)
    repeated                         tuple
    a message of one list alone      tuple
    oneof                            union of dataclasses, each of its message's name
    a message of one oneof alone     that union itself
    bytes                            bytes, or a tuple of floats, of rows of floats (float32), or of bools (a byte each)
    optional                         None, or the default of the value's field, if it is absent

Any other absent message is read as an empty one; the checks of its value then name what is missing.
"""

from collections.abc import Callable
from dataclasses import is_dataclass
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar, overload

from google.protobuf.descriptor import Descriptor
from google.protobuf.message_factory import GetMessageClass

from lad_runtime.errors import LadError
from lad_runtime.wire.conversion import Conversion, after
from lad_runtime.wire.errors import error_detail
from lad_runtime.wire.fields import of_field
from lad_runtime.wire.message import Record
from lad_runtime.wire.oneofs import Cases
from lad_runtime.wire.type_hints import is_union, item_of

M = TypeVar("M")
V = TypeVar("V")


@overload
def reader(message: type[Any], value: type[V]) -> Callable[[Any], V]: ...
@overload
def reader(message: type[Any], value: Any) -> Callable[[Any], Any]: ...
def reader(message: type[Any], value: Any) -> Callable[[Any], Any]:
    """Reads messages of this kind into values of this type. Raises TypeError if the two do not match."""
    read = _between(message.DESCRIPTOR, value).read
    if read is None:
        raise TypeError(f"{value} cannot be read: it has what its constructor does not take")
    return read


def writer(value: Any, message: type[M]) -> Callable[[Any], M]:
    """Writes values of this type as messages of this kind. Raises TypeError if the two do not match."""
    kind: Any = message
    return _between(kind.DESCRIPTOR, value).write


@cache
def _between(kind: Descriptor, hint: Any) -> Conversion:
    if hint is LadError and kind.name == "ErrorDetail":
        return Conversion(read=None, write=error_detail)
    if is_dataclass(hint):
        return Record(kind, hint, _between).conversion()
    if is_union(hint) and len(kind.oneofs) == 1 and len(kind.oneofs[0].fields) == len(kind.fields):
        return _choice_alone(kind, hint)
    if item_of(hint) is not None and len(kind.fields) == 1 and kind.fields[0].is_repeated:
        return _list_alone(kind, hint)
    raise TypeError(f"{kind.full_name} is no {hint}")


def _choice_alone(kind: Descriptor, hint: Any) -> Conversion:
    cases, make = Cases(kind.oneofs[0], hint, _between), GetMessageClass(kind)
    return Conversion(read=cases.read, write=lambda value: make(**cases.write(value)))


def _list_alone(kind: Descriptor, hint: Any) -> Conversion:
    field, make = kind.fields[0], GetMessageClass(kind)
    inner = of_field(field, hint, _between)
    return Conversion(
        read=after(inner.read, attrgetter(field.name)),
        write=lambda value: make(**{field.name: inner.write(value)}),
    )
