"""Turns any exception into a LadError that may be sent to a client."""

import errno
import logging
import secrets
import traceback
from collections.abc import Callable

from lad_runtime.errors import ErrorCode, LadError

_log = logging.getLogger("lad.engine")
_STORAGE_ERRNOS = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS}

Describe = Callable[[BaseException], LadError | None]
"""Translates an error of the backend's device; None for any other error."""


def typed_error(error: BaseException, describe: Describe = lambda _: None) -> LadError:
    """The LadError for any exception.

    An unexpected exception is logged with its traceback under a reference, and the client receives the reference alone. The
    traceback's frames are cleared: they would keep the tensors of a computation that ran out of memory.
    """
    known = error if isinstance(error, LadError) else describe(error) or _well_known(error)
    if known is None:
        reference = secrets.token_hex(4)
        _log.error("internal error %s", reference, exc_info=error)
        known = LadError(
            ErrorCode.INTERNAL,
            f"The worker failed unexpectedly (reference {reference}).",
            remedy="Its log has the details under that reference; the worker goes on serving.",
        )
    traceback.clear_frames(error.__traceback__)
    return known


def _well_known(error: BaseException) -> LadError | None:
    if isinstance(error, MemoryError):
        return LadError(
            ErrorCode.OUT_OF_MEMORY,
            "The worker's machine is out of memory.",
            remedy="Use smaller micro-batches, ranks or bases, or drop what is resident.",
        )
    if isinstance(error, OSError) and error.errno in _STORAGE_ERRNOS:
        return LadError(
            ErrorCode.STORAGE,
            f"Writing to the worker's disk failed: {errno.errorcode[error.errno]}.",
            remedy="Free some space or give the worker another state folder; what was stored before is whole.",
        )
    return None
