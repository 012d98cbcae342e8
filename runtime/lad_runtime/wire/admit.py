"""Parses a request after checking the lengths of its texts and lists in the encoded bytes."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError

from lad_runtime.errors import LadError, invalid_option
from lad_runtime.wire.protocol import max_bytes, max_items

_MOST_FIELDS = 1 << 16
"""The most fields in a request and its parts, so that the check takes less than a tenth of a second. 4,096 items have half as
many."""

_MOST_UNKNOWN = 256
"""The most fields that the protocol does not know. A newer client may send some, but few."""

_VARINT, _EIGHT_BYTES, _LENGTH, _FOUR_BYTES = 0, 1, 2, 5  # protobuf's wire types
_CONTINUED = bytes(range(128, 256))  # bytes of a varint that are not its last


def read_request(kind: type[Any], data: bytes) -> Any:
    """Parses a request. Raises LadError(INVALID_OPTION) if a field exceeds its limit, naming the field, or if it is malformed."""
    try:
        _Bytes(data).measure(0, len(data), _fields(kind.DESCRIPTOR), {})
        return kind.FromString(data)
    except (DecodeError, _NotAMessageError) as error:
        raise _unreadable(kind.DESCRIPTOR, data) from error


class _NotAMessageError(Exception):
    pass


@dataclass(frozen=True, kw_only=True)
class _Field:
    option: str
    max_items: int | None
    max_bytes: int | None  # of each value
    packed: bool  # a list of numbers, which may be encoded in one piece
    repeated: bool
    parts: Descriptor | None  # the type of a field that is a message


@cache
def _fields(kind: Descriptor) -> dict[int, _Field]:
    return {field.number: _field(field) for field in kind.fields}


def _field(field: FieldDescriptor) -> _Field:
    return _Field(
        option=field.json_name,
        max_items=max_items(field),
        max_bytes=max_bytes(field),
        packed=bool(field.is_packed),
        repeated=bool(field.is_repeated),
        parts=field.message_type,
    )


class _Bytes:
    """The encoded bytes of a request. Unknown fields are skipped, since parsing copies them as they are."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0
        self._seen = 0
        self._unknown = 0

    def measure(self, start: int, end: int, fields: dict[int, _Field], counts: dict[int, Any]) -> None:
        """Checks the message at these bytes. `counts` has the lengths so far of its lists and its parts' lists: protobuf merges
        a part that occurs twice."""
        self._at = start
        while self._at < end:
            self._seen += 1
            if self._seen > _MOST_FIELDS:
                raise invalid_option(
                    "request",
                    f"{self._seen} fields",
                    f"it has more than {_MOST_FIELDS}",
                    "Send less at once.",
                )
            tag = self._varint(end)
            field, layout = fields.get(tag >> 3), tag & 7
            self._unknown += field is None
            if self._unknown > _MOST_UNKNOWN:
                raise _NotAMessageError
            if layout == _LENGTH:
                nbytes = self._varint(end)
                value, self._at = self._at, self._at + nbytes
                if self._at > end:
                    raise _NotAMessageError
                if field is not None:
                    self._check(field, value, nbytes, tag >> 3, counts)
                    self._at = value + nbytes
            else:
                self._skip(layout, end)
                if field is not None and field.packed:
                    _count(field, 1, tag >> 3, counts)

    def _check(self, field: _Field, value: int, nbytes: int, number: int, counts: dict[int, Any]) -> None:
        if field.packed:
            piece = self._data[value : value + nbytes]
            _count(field, len(piece.translate(None, _CONTINUED)), number, counts)
            return
        if field.repeated:
            _count(field, 1, number, counts)
        if field.parts is not None:
            inner = {} if field.repeated else counts.setdefault(number, {})
            self.measure(value, value + nbytes, _fields(field.parts), inner)
        elif field.max_bytes is not None and nbytes > field.max_bytes:
            raise invalid_option(
                field.option,
                f"{nbytes} bytes",
                f"it may have at most {field.max_bytes}",
                "Give a shorter one, or send it in pieces.",
            )

    def _skip(self, layout: int, end: int) -> None:
        if layout == _VARINT:
            self._varint(end)
        elif layout in (_EIGHT_BYTES, _FOUR_BYTES):
            self._at += 8 if layout == _EIGHT_BYTES else 4
        else:
            raise _NotAMessageError  # a group, which this protocol does not use
        if self._at > end:
            raise _NotAMessageError

    def _varint(self, end: int) -> int:
        value = 0
        for shift in range(0, 70, 7):
            if self._at >= end:
                break
            byte = self._data[self._at]
            self._at += 1
            value |= (byte & 127) << shift
            if byte < 128:
                return value
        raise _NotAMessageError


def _count(field: _Field, more: int, number: int, counts: dict[int, Any]) -> None:
    counts[number] = counts.get(number, 0) + more
    most = field.max_items
    if most is not None and counts[number] > most:
        raise invalid_option(
            field.option, counts[number], f"a request holds at most {most}", "Send fewer at once."
        )


def _unreadable(kind: Descriptor, data: bytes) -> LadError:
    return invalid_option(
        "request", f"{len(data)} bytes", f"they are no {kind.name}", "Use a client of the worker's version."
    )
