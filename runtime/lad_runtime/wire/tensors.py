"""Numbers as bytes: little-endian float32, which a decoder can use without copying."""

import sys
from array import array
from collections.abc import Iterable

from lad_runtime.errors import invalid_option


def write_floats(values: Iterable[float]) -> bytes:
    packed = array("f", values)
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.tobytes()


def write_rows(rows: Iterable[Iterable[float]]) -> bytes:
    """Concatenates the rows."""
    return b"".join(map(write_floats, rows))


def read_floats(option: str, data: bytes) -> tuple[float, ...]:
    """Raises LadError(INVALID_OPTION) if the bytes are not whole float32 numbers."""
    if len(data) % 4:
        raise invalid_option(
            option, f"{len(data)} bytes", "it is not a row of float32 numbers", "Give 4 bytes each."
        )
    packed = array("f", data)
    if sys.byteorder == "big":
        packed.byteswap()
    return tuple(packed)


def read_flags(data: bytes) -> tuple[bool, ...]:
    """Reads one bool from each byte; `bytes` writes them."""
    return tuple(map(bool, data))
