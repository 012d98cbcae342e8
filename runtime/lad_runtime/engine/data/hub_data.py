"""Reads a split of a hub data set through the `datasets` library, which is imported at first use."""

import importlib
import json
from collections.abc import Iterator, Sequence
from itertools import islice
from types import ModuleType
from typing import Any

from lad_runtime.engine.data.examples import check_columns
from lad_runtime.engine.data.read_columns import renamed
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.types.data import EXAMPLE_FIELDS, HubDataset, ReadColumn


def hub_lines(source: HubDataset, columns: Sequence[ReadColumn]) -> Iterator[bytes]:
    """The split's rows as JSON lines with the columns of an example alone: those asked for, or else those of their own names.

    Raises as `hub_rows`, and INVALID_DATA for a column that may not be ignored.
    """
    for number, row in enumerate(_rows(source), start=1):
        example = renamed(row, columns, number) if columns else _example_columns(row, number)
        yield json.dumps(example, ensure_ascii=False).encode() + b"\n"


def hub_rows(source: HubDataset) -> Iterator[str]:
    """The split's rows as JSON objects with all of their columns; what JSON cannot hold is written as text.

    Raises LadError: NOT_FOUND, ACCESS_DENIED for a gated set without a token, UNAVAILABLE without the library or the hub.
    """
    for row in _rows(source):
        yield json.dumps(row, ensure_ascii=False, default=str)


def _rows(source: HubDataset) -> Iterator[dict[str, Any]]:
    """Streams a split. Runs no code of the data set."""
    library = _library()
    try:
        rows = library.load_dataset(
            source.name,
            source.config or None,
            split=source.split or "train",
            revision=source.revision or None,
            token=source.hub_token or None,
            streaming=True,
        )
        yield from islice(rows, source.max_examples or None)
    except (LadError, GeneratorExit):
        raise
    except Exception as error:
        raise _hub_error(source, error) from error


def _library() -> ModuleType:
    try:
        return importlib.import_module("datasets")
    except ImportError as error:
        raise LadError(
            ErrorCode.UNAVAILABLE,
            "Hub data sets need the Python library datasets, which the worker does not have.",
            option="data",
            remedy="Run `npx lad setup --with data` (in a checkout: `npm run setup -- --with data`), or upload JSON lines.",
        ) from error


def _example_columns(row: dict[str, Any], number: int) -> dict[str, Any]:
    check_columns(row, number)
    kept = {name: row[name] for name in EXAMPLE_FIELDS if row.get(name) is not None}
    return kept or dict.fromkeys(row)  # the error for this line will list the columns' names


def _hub_error(source: HubDataset, error: Exception) -> LadError:
    text = f"{type(error).__name__} {error}".lower()
    if "gated" in text or "401" in text or "403" in text:
        code, problem = ErrorCode.ACCESS_DENIED, "may not be read"
        remedy = "Ask for access on its page and give hubToken."
    elif "connection" in text or "timeout" in text or "offline" in text or "resolve" in text:
        code, problem = ErrorCode.UNAVAILABLE, "cannot be reached"
        remedy = "Check the worker's network, or upload the data as JSON lines."
    else:
        code, problem = ErrorCode.NOT_FOUND, "cannot be read"
        remedy = "Check its name, configuration, split and revision."
    return LadError(
        code, f"The hub data set {source.name} {problem}.", option="data", value=source.name, remedy=remedy
    )
