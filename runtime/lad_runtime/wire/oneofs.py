"""Translates between a oneof of a message and a union of types."""

from typing import Any, get_origin

from google.protobuf.descriptor import FieldDescriptor, OneofDescriptor

from lad_runtime.wire.conversion import Act, Between
from lad_runtime.wire.differences import CASES
from lad_runtime.wire.enums import unknown_choice, word_of
from lad_runtime.wire.fields import of_field
from lad_runtime.wire.protocol import option_name
from lad_runtime.wire.type_hints import item_of, members_of


class Cases:
    """Pairs each case with the type of the union that has its message's name; a tuple pairs with a message of one list."""

    def __init__(self, oneof: OneofDescriptor, hint: Any, between: Between) -> None:
        """Raises TypeError if a case or a type has no counterpart."""
        self._name = oneof.name
        self._option = option_name(oneof)
        self._reads: dict[str, Act | None] = {}
        self._writes: dict[Any, tuple[str, Act]] = {}
        members = list(members_of(hint))
        for field in oneof.fields:
            member = next((each for each in members if _is_case(field, each)), None)
            if member is None:
                raise TypeError(f"{field.full_name} is none of {hint}")
            members.remove(member)
            inner = of_field(field, member, between)
            self._reads[field.name] = inner.read
            self._writes[get_origin(member) or member] = field.name, inner.write
        if members:
            raise TypeError(f"{oneof.full_name} has no {members}")

    @property
    def are_read(self) -> bool:
        """Whether every case can be read."""
        return None not in self._reads.values()

    def read(self, message: Any) -> Any:
        """Raises LadError(INVALID_OPTION) if the case is missing or of a newer protocol."""
        case = message.WhichOneof(self._name)
        if case is None:
            raise unknown_choice(self._option, "missing", tuple(map(word_of, self._reads)))
        read = self._reads[case]
        assert read is not None
        return read(getattr(message, case))

    def write(self, value: Any) -> dict[str, Any]:
        """The field of the value's case, as the message's argument."""
        name, write = self._writes[type(value)]
        return {name: write(value)}


def _is_case(field: FieldDescriptor, member: Any) -> bool:
    kind, item = field.message_type, item_of(member)
    if kind is not None and item is not None and len(kind.fields) == 1:
        kind, member = kind.fields[0].message_type, item
        if kind is None:
            return True
    return kind is not None and bool(CASES.get(member, member.__name__) == kind.name)
