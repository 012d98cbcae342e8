"""Appends to a file: all of it, or nothing."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


@contextmanager
def whole_or_nothing(path: Path) -> Iterator[BinaryIO]:
    """The file to append to. If the block or a write fails, the file is as long as before."""
    before = path.stat().st_size if path.exists() else 0
    try:
        with path.open("ab") as file:
            yield file
    except BaseException:
        with suppress(OSError):
            os.truncate(path, before)
        raise
