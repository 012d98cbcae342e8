"""Opens a file that a client names: a regular file, and nothing that could block or never end."""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager

from lad_runtime.errors import ErrorCode, LadError

_PIECE = 1 << 20
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


@contextmanager
def pieces_of(path: str) -> Iterator[Iterator[bytes]]:
    """The bytes of a regular file, up to its present length: files in /proc, some of them endless, have length 0.

    Raises LadError: NOT_FOUND if it is not a regular file, ACCESS_DENIED, INVALID_DATA if reading fails.
    """
    descriptor = _opened(path)
    try:
        yield _pieces(descriptor, path)
    finally:
        os.close(descriptor)


def _opened(path: str) -> int:
    if not os.path.isabs(path):
        raise _no_file(path, "is no absolute path")
    try:
        _check_regular(path, os.stat(path))  # before it is opened: opening a device may have effects
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except (OSError, ValueError) as error:
        raise _unopened(path, error) from error
    try:
        _check_regular(path, os.fstat(descriptor))
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _check_regular(path: str, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise _no_file(path, f"is {_KINDS.get(stat.S_IFMT(status.st_mode), 'no file')}")


def _pieces(descriptor: int, path: str) -> Iterator[bytes]:
    left = os.fstat(descriptor).st_size
    while left > 0:
        try:
            piece = os.read(descriptor, min(left, _PIECE))
        except OSError as error:
            raise LadError(
                ErrorCode.INVALID_DATA,
                f"{path} cannot be read: {error.strerror}.",
                option="data",
                value=path,
                remedy="Check the file on the worker's machine, or upload the data instead.",
            ) from error
        if not piece:
            return
        left -= len(piece)
        yield piece


def _unopened(path: str, error: OSError | ValueError) -> LadError:
    if isinstance(error, OSError) and error.errno in (errno.EACCES, errno.EPERM):
        return LadError(
            ErrorCode.ACCESS_DENIED,
            f"The worker may not read {path}.",
            option="data",
            value=path,
            remedy="Let its user read the file, or upload the data instead.",
        )
    reason = error.strerror if isinstance(error, OSError) else "it is no path"
    return _no_file(path, f"cannot be opened ({reason})")


def _no_file(path: str, problem: str) -> LadError:
    return LadError(
        ErrorCode.NOT_FOUND,
        f"There is no file {path} on the worker's machine: it {problem}.",
        option="data",
        value=path,
        remedy="Give the absolute path of a JSONL file that the worker can read.",
    )
