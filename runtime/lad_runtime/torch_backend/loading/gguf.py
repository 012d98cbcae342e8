"""Reads a GGUF file (llama.cpp's format, versions 2 and 3, little-endian): metadata, and tensors as float32.

Every size that the file declares is checked against what is left of the file before anything is read or reserved, so that a
damaged or hostile file ends in an error and never in a hang, a huge allocation or a wrong tensor.
"""

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.torch_backend.loading.dequantize import BLOCKS

_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_MOST_DIMENSIONS = 4


@dataclass(frozen=True, kw_only=True)
class GgufTensor:
    """Where a tensor lies. `shape` is in torch's order (rows first)."""

    name: str
    shape: tuple[int, ...]
    kind: int
    offset: int
    nbytes: int


class GgufFile:
    """An open GGUF file: `metadata` by key, `tensors` by name, and their values."""

    def __init__(self, view: memoryview, metadata: dict[str, Any], tensors: dict[str, GgufTensor]) -> None:
        self._view = view
        self.metadata = metadata
        self.tensors = tensors

    def read(self, name: str) -> Tensor:
        """The tensor `name`, dequantized to float32."""
        tensor = self.tensors[name]
        raw = torch.frombuffer(
            bytearray(self._view[tensor.offset : tensor.offset + tensor.nbytes]), dtype=torch.uint8
        )
        return BLOCKS[tensor.kind].dequantize(raw).reshape(tensor.shape)


def open_gguf(path: Path) -> GgufFile:
    """Maps and checks `path`. Raises INVALID_FILE for a damaged file, UNSUPPORTED_MODEL for a kind of tensor not known here."""
    try:
        with path.open("rb") as file:
            view = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        return GgufFile(view, *_read_header(view))
    except _Damaged as error:
        raise _bad_file(path, str(error)) from None
    except (OSError, ValueError) as error:
        raise _bad_file(path, str(error)) from error


def _bad_file(path: Path, problem: str) -> LadError:
    return LadError(
        ErrorCode.INVALID_FILE,
        f"{path.name} cannot be used: {problem}.",
        value=path.name,
        remedy="Get the file again: it is damaged or incomplete.",
    )


class _Damaged(Exception):
    pass


def _read_header(view: memoryview) -> tuple[dict[str, Any], dict[str, GgufTensor]]:
    reader = _Reader(view)
    if bytes(reader.take(4)) != b"GGUF":
        raise _Damaged("it is not a GGUF file")
    version = reader.scalar("I")
    if version not in (2, 3):
        raise _Damaged(f"its version is {version}, and this worker reads versions 2 and 3")
    tensor_count, value_count = reader.scalar("Q"), reader.scalar("Q")
    reader.expect(tensor_count, 24)
    reader.expect(value_count, 12)
    metadata: dict[str, Any] = {}
    for _ in range(value_count):
        key = reader.string()
        if key in metadata:
            raise _Damaged(f"it holds {key[:80]!r} twice")
        metadata[key] = reader.value(reader.scalar("I"))
    return metadata, _read_places(reader, tensor_count, metadata)


def _read_places(reader: "_Reader", count: int, metadata: dict[str, Any]) -> dict[str, GgufTensor]:
    rows = []
    for _ in range(count):
        name = reader.string()
        dimensions = reader.scalar("I")
        if not 1 <= dimensions <= _MOST_DIMENSIONS:
            raise _Damaged(f"the tensor {name[:80]!r} has {dimensions} dimensions")
        shape = tuple(reversed([reader.scalar("Q") for _ in range(dimensions)]))
        rows.append((name, shape, reader.scalar("I"), reader.scalar("Q")))
    alignment = metadata.get("general.alignment", 32)
    if not isinstance(alignment, int) or alignment < 1 or alignment & (alignment - 1):
        raise _Damaged(f"its alignment is {alignment}")
    start = -(-reader.position // alignment) * alignment
    tensors: dict[str, GgufTensor] = {}
    for name, shape, kind, offset in rows:
        nbytes = _declared_bytes(name, shape, kind)
        if name in tensors:
            raise _Damaged(f"it holds the tensor {name[:80]!r} twice")
        if offset % alignment or start + offset + nbytes > reader.size:
            raise _Damaged(f"the tensor {name[:80]!r} lies beyond the end of the file")
        tensors[name] = GgufTensor(name=name, shape=shape, kind=kind, offset=start + offset, nbytes=nbytes)
    return tensors


def _declared_bytes(name: str, shape: tuple[int, ...], kind: int) -> int:
    if kind not in BLOCKS:
        known = ", ".join(entry.name for entry in BLOCKS.values())
        raise LadError(
            ErrorCode.UNSUPPORTED_MODEL,
            f"The tensor {name[:80]} is quantised in a way (GGML kind {kind}) that this worker does not read.",
            value=kind,
            remedy=f"Use a file with {known}.",
        )
    entry, elements = BLOCKS[kind], 1
    for size in shape:
        elements *= size
    if elements == 0 or shape[-1] % entry.elements:
        raise _Damaged(f"the tensor {name[:80]!r} has the shape {shape}")
    return elements // entry.elements * entry.nbytes


class _Reader:
    """A cursor that never passes the end of the file."""

    def __init__(self, view: memoryview) -> None:
        self._view = view
        self.size = len(view)
        self.position = 0

    def expect(self, count: int, least_bytes: int) -> None:
        if count * least_bytes > self.size - self.position:
            raise _Damaged("it declares more than it holds; it is cut short")

    def take(self, count: int) -> memoryview:
        self.expect(count, 1)
        self.position += count
        return self._view[self.position - count : self.position]

    def scalar(self, code: str) -> Any:
        return struct.unpack("<" + code, self.take(struct.calcsize("<" + code)))[0]

    def string(self) -> str:
        return str(self.take(self.scalar("Q")), "utf-8")

    def value(self, kind: int) -> Any:
        if kind in _SCALARS:
            return self.scalar(_SCALARS[kind])
        if kind == _STRING:
            return self.string()
        if kind != _ARRAY:
            raise _Damaged(f"it holds a value of kind {kind}")
        item, count = self.scalar("I"), self.scalar("Q")
        if item in _SCALARS:
            code = f"<{count}{_SCALARS[item]}"
            self.expect(count, 1)
            return list(struct.unpack(code, self.take(struct.calcsize(code))))
        if item != _STRING:
            raise _Damaged(f"it holds an array of kind {item}")
        self.expect(count, 8)
        return [self.string() for _ in range(count)]
