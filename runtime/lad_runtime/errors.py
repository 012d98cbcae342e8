"""The one exception type that leaves the worker, and its stable codes."""

from enum import Enum
from typing import NoReturn


class ErrorCode(str, Enum):
    """The kind of an error. Its values never change between versions: clients receive them."""

    INVALID_OPTION = "invalid-option"  # a value outside its range, or of the wrong kind
    NOT_FOUND = "not-found"  # a base, adapter, data set, run, checkpoint or file that does not exist
    ALREADY_EXISTS = "already-exists"
    INVALID_STATE = "invalid-state"  # the right call at the wrong time, such as a gap in sequence numbers
    INVALID_DATA = "invalid-data"  # an example that cannot be read or does not fit
    INVALID_FILE = "invalid-file"  # a corrupt, unsafe or unsupported model file
    UNSUPPORTED_MODEL = "unsupported-model"  # readable, but not an architecture this worker computes
    ACCESS_DENIED = "access-denied"  # a gated hub model without a token
    UNAUTHENTICATED = "unauthenticated"  # a missing or wrong worker token
    VERSION_MISMATCH = "version-mismatch"
    OUT_OF_MEMORY = "out-of-memory"
    STORAGE = "storage"  # a full disk, a failed write
    CANCELLED = "cancelled"
    DIVERGED = "diverged"  # a loss or gradient that is no longer a number
    BUSY = "busy"  # the worker is at its limit of concurrent work; nothing was done, try again
    UNAVAILABLE = "unavailable"
    INTERNAL = "internal"


class LadError(Exception):
    """An error with a stable code; its text names the option, the value and the remedy.

    `option` is the option's name in TypeScript (camelCase) and `value` the given value, shortened. With BUSY, `retry_after_ms`
    says how long to wait before the next try (0: no hint).
    """

    def __init__(
        self,
        code: ErrorCode,
        message: str,
        *,
        option: str = "",
        value: object = None,
        remedy: str = "",
        retry_after_ms: int = 0,
    ) -> None:
        self.code = code
        self.message = message
        self.option = option
        self.value = "" if value is None else _shortened(value)
        self.remedy = remedy
        self.retry_after_ms = retry_after_ms
        super().__init__(f"{message} {remedy}".strip())


def invalid_option(option: str, value: object, problem: str, remedy: str) -> LadError:
    """`rank is 0: it must be at least 1. Give a rank from 1 to 1024.`"""
    return LadError(
        ErrorCode.INVALID_OPTION,
        f"{option} is {_shortened(value)}: {problem}.",
        option=option,
        value=value,
        remedy=remedy,
    )


def assert_never(value: NoReturn) -> NoReturn:
    """Marks unreachable code, which the type checker proves. (`typing` has this function from Python 3.11 on.)"""
    raise AssertionError(f"there is no such case: {value!r}")


def _shortened(value: object, limit: int = 120) -> str:
    text = value if isinstance(value, str) else repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"
