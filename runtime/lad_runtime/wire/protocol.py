"""The protocol's own description: its files and methods, and the custom options of their parts."""

from importlib import import_module
from pkgutil import iter_modules

from google.protobuf.descriptor import (
    EnumDescriptor,
    EnumValueDescriptor,
    FieldDescriptor,
    FileDescriptor,
    MethodDescriptor,
    OneofDescriptor,
)

from lad_runtime.gen.lad import v1
from lad_runtime.gen.lad.v1 import options_pb2 as options

FILES: tuple[FileDescriptor, ...] = tuple(
    import_module(f"{v1.__name__}.{module.name}").DESCRIPTOR
    for module in iter_modules(v1.__path__)
    if module.name.endswith("_pb2")
)

METHODS: tuple[MethodDescriptor, ...] = tuple(
    method for file in FILES for service in file.services_by_name.values() for method in service.methods
)


def max_items(field: FieldDescriptor) -> int | None:
    """The most items of a list in a request; None if the protocol sets no limit."""
    return field.GetOptions().Extensions[options.max_items] or None


def max_bytes(field: FieldDescriptor) -> int | None:
    """The most bytes of a text or of bytes in a request, of each item of a list; None if the protocol sets no limit."""
    return field.GetOptions().Extensions[options.max_bytes] or None


def max_request_bytes(method: MethodDescriptor) -> int | None:
    """The most bytes of a method's request; None: enough for ids, names, numbers and switches."""
    return method.GetOptions().Extensions[options.max_request_bytes] or None


def is_answered_soon(method: MethodDescriptor) -> bool:
    """Whether the call, or what it asks for, ends within a micro-step."""
    return method.GetOptions().Extensions[options.answered] != options.ANSWERED_UNSPECIFIED


def option_name(kind: EnumDescriptor | OneofDescriptor) -> str:
    """The caller's name of the option that is an enumeration or a oneof."""
    if isinstance(kind, OneofDescriptor):
        return kind.GetOptions().Extensions[options.choice_name] or kind.name
    return kind.GetOptions().Extensions[options.option_name] or kind.name[0].lower() + kind.name[1:]


def own_word(value: EnumValueDescriptor) -> str | None:
    """The word that the protocol gives to an enumeration's value; None: the word follows from its name."""
    return value.GetOptions().Extensions[options.word] or None
