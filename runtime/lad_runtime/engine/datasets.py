"""The store of data sets: JSON lines addressed by the SHA-256 of their bytes."""

import hashlib
import os
import re
import secrets
import threading
from collections.abc import Iterator
from pathlib import Path

from lad_runtime.engine.examples import read_examples
from lad_runtime.engine.hub_data import hub_lines
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.types import Example, HubDataset

_ID = re.compile(r"[0-9a-f]{64}")
_PIECE = 1 << 20


class DatasetStore:
    """Data sets as files in a folder of the worker's state; the same content is stored once. Safe to use from any thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._counts: dict[str, int] = {}  # of those whose content this process has checked
        self._lock = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for leftover in folder.glob("*.part"):
            leftover.unlink()

    def upload(self) -> "Upload":
        """Begins a data set that arrives in pieces."""
        return Upload(self, self._folder / f"{secrets.token_hex(8)}.part")

    def read_file(self, path: str) -> tuple[str, int]:
        """Takes in a JSONL file of this machine: its id and number of examples. Raises NOT_FOUND, INVALID_DATA."""
        source = Path(path)
        if not source.is_absolute() or not source.is_file():
            raise LadError(
                ErrorCode.NOT_FOUND,
                f"There is no file {path} on the worker's machine.",
                option="data",
                value=path,
                remedy="Give the absolute path of a JSONL file that the worker can read.",
            )
        try:
            with source.open("rb") as file, self.upload() as upload:
                while piece := file.read(_PIECE):
                    upload.write(piece)
                return upload.finish()
        except PermissionError as error:
            raise LadError(
                ErrorCode.ACCESS_DENIED,
                f"The worker may not read {path}.",
                option="data",
                value=path,
                remedy="Let its user read the file, or upload the data instead.",
            ) from error

    def read_hub(self, source: HubDataset) -> tuple[str, int]:
        """Takes in a split of a hub data set: its id and number of examples."""
        with self.upload() as upload:
            for line in hub_lines(source):
                upload.write(line)
            return upload.finish()

    def count(self, dataset_id: str) -> int | None:
        """The number of examples of a stored data set, or None. What an earlier worker stored is checked at first use."""
        if not _ID.fullmatch(dataset_id):
            return None
        with self._lock:
            known = self._counts.get(dataset_id)
        path = self._path(dataset_id)
        if known is not None or not path.is_file():
            return known
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                digest.update(piece)
        if digest.hexdigest() != dataset_id:
            path.unlink()
            return None
        return self.keep(dataset_id, path)

    def examples(self, dataset_id: str) -> Iterator[Example]:
        """Raises LadError(NOT_FOUND) at once when there is no such data set."""
        if self.count(dataset_id) is None:
            raise LadError(
                ErrorCode.NOT_FOUND,
                f"There is no data set {dataset_id or '(empty)'} on this worker.",
                option="datasetId",
                value=dataset_id,
                remedy="Upload it first.",
            )
        return self._read(self._path(dataset_id))

    def keep(self, dataset_id: str, file: Path) -> int:
        """Checks every line of a file with that digest and stores it; returns the number of examples."""
        count = sum(1 for _ in self._read(file))
        if count == 0:
            raise LadError(
                ErrorCode.INVALID_DATA,
                "The data set has no examples.",
                option="data",
                remedy="Give at least one.",
            )
        os.replace(file, self._path(dataset_id))
        with self._lock:
            self._counts[dataset_id] = count
        return count

    def _path(self, dataset_id: str) -> Path:
        return self._folder / f"{dataset_id}.jsonl"

    @staticmethod
    def _read(path: Path) -> Iterator[Example]:
        with path.open("rb") as file:
            yield from read_examples(file)


class Upload:
    """A data set on its way in. Used as a context manager, which leaves nothing behind when it is not finished."""

    def __init__(self, store: DatasetStore, part: Path) -> None:
        self._store = store
        self._part = part
        self._file = part.open("wb")
        self._digest = hashlib.sha256()

    def __enter__(self) -> "Upload":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._part.unlink(missing_ok=True)

    def write(self, piece: bytes) -> None:
        self._file.write(piece)
        self._digest.update(piece)

    def finish(self) -> tuple[str, int]:
        """Its id and number of examples. Raises LadError(INVALID_DATA) for a line that is no example."""
        self._file.close()
        dataset_id = self._digest.hexdigest()
        return dataset_id, self._store.count(dataset_id) or self._store.keep(dataset_id, self._part)
