"""Where a process keeps its optimizers while they wait on the disk, and what becomes of that when it is killed."""

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_LOCK = "lock"
_locks: list[int] = []  # file descriptors, open and locked until the process ends


def own_folder(root: Path) -> Path:
    """A folder in `root` of this process's own; those of processes that have ended are removed.

    Several workers may share a state folder: a folder is another's for as long as its lock is held, which ends with the process
    however that ends. Where the disk fails, the folder is not there yet: writing to it tells why.
    """
    folder = root / secrets.token_hex(8)
    with suppress(OSError):
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _only_one_at_a_time(root):
            _remove_abandoned(root)
            folder.mkdir(mode=0o700)
            _locks.append(_locked(folder / _LOCK))
    return folder


@contextmanager
def _only_one_at_a_time(root: Path) -> Iterator[None]:
    descriptor = _locked(root / _LOCK, wait=True)
    try:
        yield
    finally:
        os.close(descriptor)


def _remove_abandoned(root: Path) -> None:
    for folder in [path for path in root.iterdir() if path.is_dir()]:
        with suppress(OSError):  # somebody has it locked, or it was made without a lock
            os.close(_locked(folder / _LOCK, create=False))
            shutil.rmtree(folder)


def _locked(path: Path, *, create: bool = True, wait: bool = False) -> int:
    """A descriptor of the file, locked. Raises OSError where somebody else has it locked, unless it is to wait."""
    descriptor = os.open(path, os.O_RDWR | (os.O_CREAT if create else 0), 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
