"""Translates between a message and a dataclass, field by field."""

from dataclasses import MISSING, fields
from typing import Any, get_type_hints

from google.protobuf.descriptor import Descriptor, FieldDescriptor, OneofDescriptor
from google.protobuf.message_factory import GetMessageClass

from lad_runtime.wire.compiled import Formula
from lad_runtime.wire.conversion import Act, Between, Conversion
from lad_runtime.wire.differences import ADDRESS, DIFFERENCES, EVERYWHERE, Difference
from lad_runtime.wire.fields import of_field
from lad_runtime.wire.oneofs import Cases
from lad_runtime.wire.type_hints import without_none


class Record:
    """Pairs the fields of a message with those of a dataclass. A property of the dataclass is written, but not read."""

    def __init__(self, kind: Descriptor, record: Any, between: Between) -> None:
        """Raises TypeError if a field has no counterpart."""
        self._kind = kind
        self._record = record
        self._between = between
        self._difference = DIFFERENCES.get((kind.full_name, record), Difference())
        self._hints = get_type_hints(record)
        self._given = {field.name: field for field in fields(record) if field.init}
        self._reading = Formula("message")  # the value's fields from a message
        self._writing = Formula("value")  # the message's fields from a value
        self._with_default: dict[str, tuple[str, Act]] = {}  # value's field: message's field, how to read it
        self._written_alone: set[str] = set()  # fields of the value that are not read
        self._pair()

    def conversion(self) -> Conversion:
        read = None if self._written_alone else self._read()
        return Conversion(
            read=read, write=self._writing.filling(GetMessageClass(self._kind), self._writing.names)
        )

    def _pair(self) -> None:
        for field in self._kind.fields:
            if field.containing_oneof is None or _is_optional(field):
                self._add_field(field)
        for oneof in self._kind.oneofs:
            if not _is_optional(oneof.fields[0]):
                self._add_choice(oneof)
        paired = {*self._reading.names, *self._with_default, *self._written_alone, *self._difference.apart}
        if not set(self._given) <= paired:
            left = ", ".join(sorted(set(self._given) - paired))
            raise TypeError(f"{self._kind.full_name} has no {left} for {self._record.__name__}")

    def _add_field(self, field: FieldDescriptor) -> None:
        if field.name in self._difference.apart or (field.name in ADDRESS and field.name not in self._given):
            return
        name = self._difference.names.get(field.name) or EVERYWHERE.get(field.name, field.name)
        hint, is_nullable = without_none(self._hint(name))
        inner = of_field(field, hint, self._between)
        self._writing.add(field.name, name, inner.write, unless="{0}.{1} is None" if is_nullable else None)
        if inner.read is None or name not in self._given:
            self._written_alone.add(name)
        elif is_nullable:
            self._check_presence(field)
            self._reading.add(name, field.name, inner.read, unless="not {0}.HasField('{1}')")
        elif _is_optional(field):
            self._check_default(name)
            self._with_default[name] = field.name, inner.read
        else:
            self._reading.add(name, field.name, inner.read)

    def _add_choice(self, oneof: OneofDescriptor) -> None:
        if oneof.name in self._difference.apart:
            return
        cases = Cases(oneof, self._hint(oneof.name), self._between)
        self._writing.add_several(oneof.name, cases.write)
        if cases.are_read:
            self._reading.add_of_whole(oneof.name, cases.read)
        else:
            self._written_alone.add(oneof.name)

    def _hint(self, name: str) -> Any:
        found = getattr(self._record, name, None)
        hints = (
            get_type_hints(found.fget) if isinstance(found, property) else {"return": self._hints.get(name)}
        )
        if hints["return"] is None:
            raise TypeError(f"{self._record.__name__} has no {name} for {self._kind.full_name}")
        return hints["return"]

    def _check_presence(self, field: FieldDescriptor) -> None:
        if not field.has_presence:
            raise TypeError(f"{field.full_name} is never absent")

    def _check_default(self, name: str) -> None:
        given = self._given[name]
        if given.default is MISSING and given.default_factory is MISSING:
            raise TypeError(
                f"{self._kind.full_name}: {name} is optional, which {self._record.__name__} does not allow"
            )

    def _read(self) -> Act:
        """Reads fields in the value's order, which is the order in which errors are found."""
        names = [name for name in self._given if name in self._reading.names]
        if not self._with_default:
            return self._reading.filling(self._record, names)
        make, optional = self._record, [(name, *rest) for name, rest in self._with_default.items()]
        read_others = self._reading.filling(dict, names)

        def read_record(message: Any) -> Any:
            given = read_others(message)
            for name, wire_name, read in optional:
                if message.HasField(wire_name):
                    given[name] = read(getattr(message, wire_name))
            return make(**given)

        return read_record


def _is_optional(field: FieldDescriptor) -> bool:
    """Whether it is declared `optional`, for which protobuf generates a oneof with this field alone."""
    oneof = field.containing_oneof
    return oneof is not None and oneof.name == f"_{field.name}"
