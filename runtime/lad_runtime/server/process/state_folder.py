"""The worker's state folder, which is one worker's at a time.

The lock is the system's own (flock) on the file `lock` in the folder: it ends with the process, however that ends. Over a network
it is as good as the file system's: NFS 4 and most cluster file systems lock for all machines, a mount with local locks for each
by itself, and where there are no locks at all the worker says so and goes on.
"""

import errno
import fcntl
import itertools
import logging
import os
import socket
import tempfile
import time
from pathlib import Path

from lad_runtime.errors import ErrorCode, LadError

IN_USE_STATUS = 75
"""The exit status of a worker whose state folder is another's: EX_TEMPFAIL of sysexits.h."""

_DYING_SECONDS = 1.0
_LOCK = "lock"
_MOST = 1000  # folders beside one another
_LOCKLESS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}
_log = logging.getLogger("lad.server")
_held: list[int] = []  # file descriptors, open and locked until the process ends


class StateInUseError(LadError):
    """Another worker has the folder."""


def take_folder(folder: Path, *, or_next: bool) -> Path:
    """Makes a state folder this process's own until it ends: this one, or the first of `folder`, `folder-2`, … that is free.

    A worker whose client was killed a moment ago may not quite have ended yet, and is waited for. Raises StateInUseError, naming
    the worker that has the folder, and LadError(STORAGE) where it cannot be written.
    """
    for number in itertools.count(1):
        candidate = folder if number == 1 else folder.with_name(f"{folder.name}-{number}")
        try:
            _take(candidate, patience_seconds=_DYING_SECONDS if number == 1 else 0.0)
        except StateInUseError:
            if not or_next or number == _MOST:
                raise
        else:
            return candidate
    raise AssertionError("count never ends")


def _take(folder: Path, *, patience_seconds: float) -> None:
    try:
        (folder / "datasets").mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.TemporaryFile(dir=folder):
            pass
        descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise LadError(
            ErrorCode.STORAGE,
            f"--state {folder} cannot be written: {error.strerror}.",
            remedy="Give a folder that the worker may write.",
        ) from error
    deadline = time.monotonic() + patience_seconds
    while True:
        try:
            _lock(descriptor, folder)
            break
        except StateInUseError:
            if time.monotonic() >= deadline:
                os.close(descriptor)
                raise
        time.sleep(0.05)
    _held.append(descriptor)


def _lock(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in _LOCKLESS:
            raise _in_use(folder, os.pread(descriptor, 256, 0).decode("utf-8", "replace")) from error
        _log.warning(
            "the file system of %s has no locks: see to it that no other worker uses the folder", folder
        )
        return
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"process {os.getpid()} on {socket.gethostname()}".encode(), 0)


def _in_use(folder: Path, holder: str) -> StateInUseError:
    return StateInUseError(
        ErrorCode.INVALID_STATE,
        f"The state folder {folder} is in use by another worker ({holder or 'it has not said which'}).",
        option="stateFolder",
        value=folder,
        remedy="Give another stateFolder, or reach that worker with Runtime.start({ address, token }).",
    )
