"""The worker's state folder, which one worker uses at a time.

The lock is an flock on the file `lock` in the folder: the system releases it when the process ends, however it ends. On a network
file system it holds as far as that system's locks do. NFS 4 and most cluster file systems lock across machines; a mount with
local locks locks on each machine alone. If the file system has no locks, the worker logs a warning and continues.
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
"""The exit status if another worker uses the state folder: EX_TEMPFAIL of sysexits.h."""

_DYING_SECONDS = 1.0
_LOCK = "lock"
_MOST = 1000  # folders that are tried
_LOCKLESS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}
_log = logging.getLogger("lad.server")
_held: list[int] = []  # file descriptors, open and locked until the process ends


class StateInUseError(LadError):
    """Another worker uses the state folder."""


def take_folder(folder: Path, *, or_next: bool) -> Path:
    """Locks a state folder until this process ends: `folder`, or with `or_next` the first free one of `folder`, `folder-2`, ….

    Waits a moment for the lock, since a worker whose client was just killed may still be ending. Raises StateInUseError, which
    names the worker that uses the folder, and LadError(STORAGE) if the folder cannot be written.
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
