"""Prints, as JSON, which fields of the values that the worker reads requests into have a default, by the values' classes.

Plans are made when a service is imported, once in a process: whoever wants to see that has to begin a new one.
"""

import importlib
import json
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, get_args, get_type_hints

from lad_runtime.wire import codec

_read = codec.reader
_asked: list[Any] = []


def main() -> None:
    codec.reader = _noted  # type: ignore[assignment]
    importlib.import_module("lad_runtime.server.serve")
    found = {kind for hint in _asked for kind in _classes(hint)}
    print(
        json.dumps(
            {kind.__name__: [field.name for field in _given(kind) if _has_default(field)] for kind in found}
        )
    )


def _noted(message: type[Any], value: Any) -> Any:
    _asked.append(value)
    return _read(message, value)


def _classes(hint: Any) -> Iterator[type]:
    """The dataclasses that a value of this type is made of."""
    parts = get_args(hint)
    if is_dataclass(hint) and isinstance(hint, type):
        yield hint
        parts = tuple(get_type_hints(hint)[field.name] for field in _given(hint))
    for part in parts:
        yield from _classes(part)


def _given(kind: type) -> list[Field[Any]]:
    """The fields that its constructor takes."""
    return [field for field in fields(kind) if field.init]


def _has_default(field: Field[Any]) -> bool:
    return field.default is not MISSING or field.default_factory is not MISSING


if __name__ == "__main__":
    main()
