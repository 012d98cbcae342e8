"""Rows of other columns as examples: those that are asked for, under the names of an example's fields."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.types.data import ReadColumn

_NEEDED = ("instruction", "output", "messages")


def renamed_lines(pieces: Iterable[bytes], columns: Sequence[ReadColumn]) -> Iterator[bytes]:
    """JSON lines with those columns alone; a line that is no object stays, to be refused by its number."""
    for number, line in enumerate(_lines(pieces), start=1):
        try:
            row = json.loads(line.removeprefix(b"\xef\xbb\xbf").decode())
        except (ValueError, RecursionError):
            row = None
        if isinstance(row, dict):
            line = json.dumps(renamed(row, columns, number), ensure_ascii=True).encode() + b"\n"
        yield line


def renamed(row: Mapping[str, Any], columns: Sequence[ReadColumn], number: int) -> dict[str, Any]:
    """A row's columns that are read. Raises LadError(INVALID_DATA) where one is missing that an example needs."""
    for asked in columns:
        if asked.column not in row and asked.field in _NEEDED:
            names = ", ".join(sorted(row)[:8]) or "none"
            raise LadError(
                ErrorCode.INVALID_DATA,
                f"Line {number} of the data: there is no column {asked.column}, which fields reads as "
                f"{asked.field} (its columns: {names}).",
                option="data",
                remedy=f"Name the column that is to be the {asked.field}.",
            )
    return {asked.field: row[asked.column] for asked in columns if row.get(asked.column) is not None}


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        *whole, rest = (rest + piece).split(b"\n")
        yield from (line + b"\n" for line in whole)
    if rest:
        yield rest
