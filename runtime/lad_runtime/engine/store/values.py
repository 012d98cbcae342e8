"""Dataclasses as JSON texts and back, for the record of runs, which this worker alone writes."""

import json
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from lad_runtime.errors import ErrorCode, LadError

T = TypeVar("T")


def written(value: Any) -> str:
    """A value as JSON, with NaN and infinities as Python's `json` has them."""
    return json.dumps(_plain(value), separators=(",", ":"))


def read(kind: type[T], text: str) -> T:
    """The value that was written. A field that it lacks has the class's default.

    Raises LadError(VERSION_MISMATCH) if another version of the worker has written other fields.
    """
    try:
        return _value(kind, json.loads(text))
    except (KeyError, TypeError, ValueError, StopIteration) as error:
        raise LadError(
            ErrorCode.VERSION_MISMATCH,
            f"A {kind.__name__} in the record of runs was written by another version of lad ({type(error).__name__}: {error}).",
            remedy="Read it with that version, or delete the run.",
        ) from error


def _plain(value: Any) -> Any:
    if isinstance(value, LadError):
        return {
            "code": value.code.value,
            "message": value.message,
            "option": value.option,
            "value": value.value,
            "remedy": value.remedy,
        }
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    return value


def _value(hint: Any, given: Any) -> Any:
    if get_origin(hint) in (Union, UnionType):
        return _value(_member(get_args(hint), given), given)
    if hint is LadError:
        return LadError(ErrorCode(given.pop("code")), given.pop("message"), **given)
    if is_dataclass(hint):
        return _dataclass_value(hint, given)
    if get_origin(hint) is tuple:
        items = get_args(hint)
        kinds = items if items[-1] is not Ellipsis else (items[0],) * len(given)
        return tuple(_value(kind, item) for kind, item in zip(kinds, given, strict=True))
    if get_origin(hint) is Literal and given not in get_args(hint):
        raise ValueError(f"{given!r} is not known")
    return given


def _dataclass_value(kind: Any, given: dict[str, Any]) -> Any:
    hints = _hints(kind)
    taken = {field.name: field for field in fields(kind) if field.init}
    lacking = [name for name, field in taken.items() if name not in given and not _has_default(field)]
    if lacking:
        raise KeyError(lacking[0])
    return kind(**{name: _value(hints[name], given[name]) for name in taken if name in given})


def _has_default(field: Any) -> bool:
    return field.default is not MISSING or field.default_factory is not MISSING


def _member(members: tuple[Any, ...], given: Any) -> Any:
    """The member of a union that was written: None, or the dataclass of its `kind`."""
    kinds = [member for member in members if member is not NoneType]
    if given is None:
        return NoneType
    if len(kinds) == 1:
        return kinds[0]
    return next(kind for kind in kinds if kind.__dataclass_fields__["kind"].default == given["kind"])


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)
