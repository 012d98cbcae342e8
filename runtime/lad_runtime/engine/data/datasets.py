"""The store of data sets: JSON lines, addressed by the SHA-256 of their bytes."""

import hashlib
import itertools
import os
import re
import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from lad_runtime.engine.cancelling import until
from lad_runtime.engine.data.examples import count_examples, read_examples
from lad_runtime.engine.data.hub_data import hub_lines
from lad_runtime.engine.data.local_file import pieces_of
from lad_runtime.engine.data.read_columns import renamed_lines
from lad_runtime.engine.data.storage import storing
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.types.data import Example, HubDataset, ReadColumn

_ID = re.compile(r"[0-9a-f]{64}")
_PIECE = 1 << 20
_LONGEST_LINE = 8 << 20  # the longest window, a million tokens, is about 4 MiB


class DatasetStore:
    """Keeps data sets as files in the worker's state folder; stores equal content once. Thread-safe."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._counts: dict[str, int] = {}  # examples by id, for the data sets that this process has checked
        self._lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for leftover in folder.glob("*.part"):
            leftover.unlink()

    @property
    def folder(self) -> Path:
        """Where the data sets are. Files of the suffix `.part` are temporary: the next worker removes what is left of them."""
        return self._folder

    def upload(self) -> "Upload":
        """Begins an upload in pieces. Raises LadError(STORAGE)."""
        with storing("data set"):
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            return Upload(self, self._folder / f"{secrets.token_hex(8)}.part")

    def read_file(
        self,
        path: str,
        cancelled: Callable[[], bool] = lambda: False,
        columns: Sequence[ReadColumn] = (),
    ) -> tuple[str, int]:
        """Stores a JSONL file of this machine as it is, or those columns of it; returns its id and number of examples.

        Raises LadError: NOT_FOUND, ACCESS_DENIED, INVALID_DATA, CANCELLED.
        """
        with pieces_of(path) as pieces, self.upload() as upload:
            read = until(pieces, cancelled)
            for piece in renamed_lines(read, columns) if columns else read:
                upload.write(piece)
            return upload.finish()

    def read_hub(
        self,
        source: HubDataset,
        cancelled: Callable[[], bool] = lambda: False,
        columns: Sequence[ReadColumn] = (),
    ) -> tuple[str, int]:
        """Stores a split of a hub data set; returns its id and number of examples."""
        with self.upload() as upload:
            for line in until(hub_lines(source, columns), cancelled):
                upload.write(line)
            return upload.finish()

    def count(self, dataset_id: str) -> int | None:
        """The number of examples of a stored data set, or None. Data of an earlier worker is checked at first use."""
        if not _ID.fullmatch(dataset_id):
            return None
        path = self._path(dataset_id)
        with storing("data set"):
            if not path.is_file():
                self._forget(dataset_id)
                return None
            with self._lock:
                known = self._counts.get(dataset_id)
            if known is not None:
                return known
            if _digest(path) != dataset_id:
                path.unlink()
                return None
        return self.keep(dataset_id, path)

    def examples(self, dataset_id: str) -> Iterator[Example]:
        """Iterates over a data set. Raises LadError(NOT_FOUND) at once if it does not exist."""
        if self.count(dataset_id) is None:
            raise LadError(
                ErrorCode.NOT_FOUND,
                f"There is no data set {dataset_id or '(empty)'} on this worker.",
                option="datasetId",
                value=dataset_id,
                remedy="Upload it first.",
            )
        return self._read(self._path(dataset_id))

    def pieces(self, dataset_id: str) -> Iterator[bytes]:
        """A data set's bytes in pieces. Raises LadError(NOT_FOUND) at once if it does not exist."""
        self.examples(dataset_id)
        return self._pieces(self._path(dataset_id))

    def keep(self, dataset_id: str, file: Path) -> int:
        """Checks every line of a file, whose digest is the id, and stores it; returns the number of examples."""
        with storing("data set"), file.open("rb") as lines:
            count = count_examples(_lines(lines))
        if count == 0:
            raise LadError(
                ErrorCode.INVALID_DATA,
                "The data set has no examples.",
                option="data",
                remedy="Give at least one.",
            )
        with storing("data set"):
            os.replace(file, self._path(dataset_id))
        with self._lock:
            self._counts[dataset_id] = count
        return count

    def _forget(self, dataset_id: str) -> None:
        """Forgets a data set whose file has been removed."""
        with self._lock:
            self._counts.pop(dataset_id, None)

    def _path(self, dataset_id: str) -> Path:
        return self._folder / f"{dataset_id}.jsonl"

    @staticmethod
    def _pieces(path: Path) -> Iterator[bytes]:
        with storing("data set"), path.open("rb") as file:
            while piece := file.read(_PIECE):
                yield piece

    @staticmethod
    def _read(path: Path) -> Iterator[Example]:
        with storing("data set"), path.open("rb") as file:
            yield from read_examples(_lines(file))


class Upload:
    """An upload in progress. Use it as a context manager, which removes the file of an unfinished upload."""

    def __init__(self, store: DatasetStore, part: Path) -> None:
        self._store = store
        self._part = part
        self._file = part.open("wb")
        self._digest = hashlib.sha256()

    def __enter__(self) -> "Upload":
        return self

    def __exit__(self, *_: object) -> None:
        """Ignores errors, for instance of a full disk: the file is not needed any more."""
        with suppress(OSError):
            self._file.close()
        with suppress(OSError):
            self._part.unlink(missing_ok=True)

    def write(self, piece: bytes) -> None:
        """Raises LadError(STORAGE)."""
        with storing("data set"):
            self._file.write(piece)
        self._digest.update(piece)

    def finish(self) -> tuple[str, int]:
        """Stores the data; returns its id and number of examples. Raises LadError: INVALID_DATA for an invalid line, STORAGE."""
        with storing("data set"):
            self._file.close()
        dataset_id = self._digest.hexdigest()
        return dataset_id, self._store.count(dataset_id) or self._store.keep(dataset_id, self._part)


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file. Raises LadError(INVALID_DATA) for a line longer than any window could hold."""
    for number in itertools.count(1):
        line = file.readline(_LONGEST_LINE + 1)
        if not line:
            return
        if len(line) > _LONGEST_LINE:
            raise LadError(
                ErrorCode.INVALID_DATA,
                f"Line {number} of the data: it is longer than {_LONGEST_LINE >> 20} MiB.",
                option="data",
                remedy="Write one example a line.",
            )
        yield line
