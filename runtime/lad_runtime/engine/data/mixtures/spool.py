"""Lines on the disk that are read again by their numbers."""

import secrets
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lad_runtime.engine.data.storage import storing


class Spool:
    """Lines in a file; 8 bytes of memory each."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w+b")
        self._starts = array("Q", [0])

    def __len__(self) -> int:
        return len(self._starts) - 1

    def append(self, line: bytes) -> None:
        """Raises LadError(STORAGE)."""
        with storing("data set"):
            self._file.write(line)
        self._starts.append(self._starts[-1] + len(line))

    def __getitem__(self, number: int) -> bytes:
        start, end = self._starts[number], self._starts[number + 1]
        with storing("data set"):
            self._file.seek(start)
            return self._file.read(end - start)

    def close(self) -> None:
        self._file.close()


@contextmanager
def spools(folder: Path, count: int) -> Iterator[list[Spool]]:
    """So many spools in a folder. Their files have no names: they go with whoever opened them."""
    opened: list[Spool] = []
    try:
        for _ in range(count):
            path = folder / f"{secrets.token_hex(8)}.part"
            with storing("data set"):
                opened.append(Spool(path))
                path.unlink()
        yield opened
    finally:
        for spool in opened:
            spool.close()
