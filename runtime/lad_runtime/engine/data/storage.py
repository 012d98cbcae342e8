"""The worker's own files: what the disk refuses becomes a typed error, and what arrives or leaves has a folder of its own."""

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
    """Raises LadError(STORAGE) for what the operating system refuses: `storing("data set")`."""
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
    """Folders for files on their way in or out, each there for as long as it is used. What a killed worker left is removed."""

    def __init__(self, root: Path) -> None:
        self._root = root
        shutil.rmtree(root, ignore_errors=True)

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """Raises LadError(STORAGE)."""
        folder = self._root / secrets.token_hex(8)
        with storing("transfer"):
            folder.mkdir(parents=True, mode=0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
