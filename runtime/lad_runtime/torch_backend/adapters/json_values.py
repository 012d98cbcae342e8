"""Values of dataclasses from JSON that anyone may have written: every type is checked, every field named in the error."""

import math
from collections.abc import Mapping
from dataclasses import Field, fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")

MOST_CHARACTERS = 4096  # of a text
MOST_ITEMS = 64  # of a list


def read_json_value(kind: type[T], given: Any, path: str = "") -> T:
    """The value of a dataclass whose fields `given` has, all of them and no others.

    Raises ValueError that names the field; what the class itself raises where a number is out of its range.
    """
    if not isinstance(given, Mapping):
        raise ValueError(f"{path or 'it'} is not an object")
    known, hints = {field.name: field for field in fields(kind)}, get_type_hints(kind)  # type: ignore[arg-type]
    for name in given:
        if name not in known:
            raise ValueError(f"{_inside(path, _ascii(name))} is not known")
    for name in known:
        if name not in given:
            raise ValueError(f"{_inside(path, name)} is missing")
    values = {name: _read(hints[name], given[name], _inside(path, name)) for name in known}
    return kind(**{name: value for name, value in values.items() if known[name].init})


def _read(hint: Any, given: Any, path: str) -> Any:
    if get_origin(hint) in (Union, UnionType):
        return _read(_member(get_args(hint), given, path), given, path)
    if is_dataclass(hint):
        return read_json_value(hint, given, path)  # type: ignore[arg-type]
    if get_origin(hint) is tuple:
        return _read_list(get_args(hint)[0], given, path)
    if get_origin(hint) is Literal:
        return _read_word(get_args(hint), given, path)
    if hint is float:
        return _read_number(given, path)
    if type(given) is not hint:
        raise ValueError(f"{path} is not {_NAMES[hint]}")
    if isinstance(given, str):
        _check_text(given, path)
    return given


_NAMES: Mapping[Any, str] = {bool: "true or false", int: "a whole number", str: "a text", NoneType: "null"}


def _member(members: tuple[Any, ...], given: Any, path: str) -> Any:
    """The member of a union that `given` is meant to be: null, or the dataclass of its `kind`."""
    if given is None and NoneType in members:
        return NoneType
    kinds = [member for member in members if member is not NoneType]
    if len(kinds) == 1:
        return kinds[0]
    if not isinstance(given, Mapping):
        raise ValueError(f"{path} is not an object")
    for kind in kinds:
        if _kind_field(kind).default == given.get("kind"):
            return kind
    raise ValueError(f"{path}.kind is {str(given.get('kind'))[:80]!r}, which is not known")


def _kind_field(kind: Any) -> Field[Any]:
    return next(field for field in fields(kind) if field.name == "kind")


def _read_list(item: Any, given: Any, path: str) -> tuple[Any, ...]:
    if not isinstance(given, list) or len(given) > MOST_ITEMS:
        raise ValueError(f"{path} is not a list of at most {MOST_ITEMS}")
    return tuple(_read(item, each, f"{path}[{index}]") for index, each in enumerate(given))


def _read_word(words: tuple[Any, ...], given: Any, path: str) -> Any:
    if not isinstance(given, str) or given not in words:
        raise ValueError(f"{path} is {str(given)[:80]!r}, and none of {', '.join(map(str, words))}")
    return given


def _read_number(given: Any, path: str) -> float:
    try:
        if isinstance(given, int | float) and not isinstance(given, bool) and math.isfinite(given):
            return float(given)
    except OverflowError:
        pass
    raise ValueError(f"{path} is not a finite number")


def _check_text(given: str, path: str) -> None:
    """A JSON text may hold half a surrogate pair, which no message can."""
    if len(given) > MOST_CHARACTERS:
        raise ValueError(f"{path} is longer than {MOST_CHARACTERS} characters")
    try:
        given.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"{path} is not valid text") from error


def _ascii(name: str) -> str:
    return name[:80].encode("ascii", "backslashreplace").decode()


def _inside(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
