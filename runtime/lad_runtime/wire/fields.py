"""Translates between a single field of a message and a value of a given type."""

from functools import partial
from typing import Any, Literal, get_args, get_origin

from google.protobuf.descriptor import FieldDescriptor

from lad_runtime.wire.conversion import Between, Conversion, as_it_is
from lad_runtime.wire.enums import enumeration
from lad_runtime.wire.tensors import read_flags, read_floats, write_floats, write_rows
from lad_runtime.wire.type_hints import item_of


def of_field(field: FieldDescriptor, hint: Any, between: Between) -> Conversion:
    """The conversion of a field. Raises TypeError if it does not match the type."""
    if not field.is_repeated:
        return _of_one(field, hint, between)
    item = item_of(hint)
    if item is None:
        raise TypeError(f"{field.full_name} is a list, which {hint} is not")
    one = _of_one(field, item, between)
    if one.read is as_it_is:
        return Conversion(read=tuple, write=as_it_is)
    read, write = one.read, one.write
    return Conversion(
        read=None if read is None else lambda values: tuple(map(read, values)),
        write=lambda values: list(map(write, values)),
    )


def _of_one(field: FieldDescriptor, hint: Any, between: Between) -> Conversion:
    if field.message_type is not None:
        return between(field.message_type, hint)
    if field.enum_type is not None:
        words = enumeration(field.enum_type)
        if get_origin(hint) is Literal and set(get_args(hint)) <= set(words.words):
            return Conversion(read=words.read, write=words.write)
    elif _is_packed(field, hint):
        return _packed(field, item_of(hint))
    elif hint is _SCALARS[field.type] or _is_text(field, hint):
        return Conversion(read=as_it_is, write=as_it_is)
    raise TypeError(f"{field.full_name} is no {hint}")


def _is_packed(field: FieldDescriptor, hint: Any) -> bool:
    item = item_of(hint)
    return field.type == FieldDescriptor.TYPE_BYTES and (item in (float, bool) or item_of(item) is float)


def _packed(field: FieldDescriptor, item: Any) -> Conversion:
    if item is float:
        return Conversion(read=partial(read_floats, field.json_name), write=write_floats)
    if item is bool:
        return Conversion(read=read_flags, write=bytes)
    return Conversion(read=None, write=write_rows)  # cannot be read: bytes do not tell the rows' lengths


def _is_text(field: FieldDescriptor, hint: Any) -> bool:
    """Whether it is one of several words, which the value's own check validates."""
    return field.type == FieldDescriptor.TYPE_STRING and get_origin(hint) is Literal


_SCALARS: dict[int, type] = {
    FieldDescriptor.TYPE_DOUBLE: float,
    FieldDescriptor.TYPE_FLOAT: float,
    FieldDescriptor.TYPE_UINT32: int,
    FieldDescriptor.TYPE_UINT64: int,
    FieldDescriptor.TYPE_SINT32: int,
    FieldDescriptor.TYPE_BOOL: bool,
    FieldDescriptor.TYPE_STRING: str,
    FieldDescriptor.TYPE_BYTES: bytes,
}
