"""The worker's files on the disk: typed errors for failed writes, and temporary folders for uploads and downloads."""

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lad_runtime.errors import ErrorCode, LadError

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def storing(what: str) -> Iterator[None]:
    """Turns an OSError of the block into LadError(STORAGE): `with storing("data set"): …`."""
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else type(error).__name__
        full = error.errno in _FULL
        raise LadError(
            ErrorCode.STORAGE,
            f"The worker's disk failed with the {what}: {reason}. What was stored before is as it was.",
            option="state",
            remedy="Make room on it." if full else "Check the worker's state folder and its permissions.",
        ) from error


class Transfers:
    """Temporary folders for uploads and downloads. Removes the folders that a killed worker has left."""

    def __init__(self, root: Path) -> None:
        self._root = root
        shutil.rmtree(root, ignore_errors=True)

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """A folder that is removed at the end of the block. Raises LadError(STORAGE)."""
        folder = self._root / secrets.token_hex(8)
        with storing("transfer"):
            folder.mkdir(parents=True, mode=0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
