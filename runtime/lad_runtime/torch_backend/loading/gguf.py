"""Opens a GGUF file (llama.cpp's format) with llama.cpp's own library `gguf`: metadata, and tensors as float32.

The library trusts the sizes that a file declares. This module checks every read against the file's length, so that a damaged or
hostile file causes an error and never a hang, a huge allocation or a wrong tensor.

Import this module only where a file is opened: the library is optional, and the worker starts without it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import torch
from torch import Tensor

from lad_runtime.errors import ErrorCode, LadError

_MOST_READS = 1 << 23  # each read makes an array; a vocabulary of 128,000 tokens takes a million reads
_MOST_DIMENSIONS = 4


@dataclass(frozen=True, kw_only=True)
class GgufTensor:
    """A tensor of an open file. `shape` is in torch's order (rows first); `nbytes` is its size in the file."""

    name: str
    shape: tuple[int, ...]
    nbytes: int
    _stored: Any

    def read(self) -> Tensor:
        """Dequantizes the values to float32. Raises UNSUPPORTED_MODEL for a quantisation that the library does not read."""
        try:
            values = gguf.quants.dequantize(self._stored.data, self._stored.tensor_type)
        except NotImplementedError as error:
            kind = self._stored.tensor_type.name
            raise LadError(
                ErrorCode.UNSUPPORTED_MODEL,
                f"The tensor {self.name[:80]} is of kind {kind}, which this worker does not read.",
                value=kind,
                remedy="Use a file with F32, F16, BF16, Q8_0 or Q4_0.",
            ) from error
        return torch.from_numpy(np.array(values, np.float32))  # a copy: the values may be views of the file


@dataclass(frozen=True, kw_only=True)
class GgufFile:
    """An open GGUF file: its metadata by key, its tensors by name."""

    metadata: Mapping[str, Any]
    tensors: Mapping[str, GgufTensor]


def open_gguf(path: Path) -> GgufFile:
    """Maps and checks a file. Raises INVALID_FILE if it is damaged."""
    try:
        with np.errstate(over="raise"):  # offsets are added as 64-bit numbers
            reader = _CheckedReader(path)
        tensors = [_tensor(stored) for stored in reader.tensors]
        return GgufFile(
            metadata={key: field.contents() for key, field in reader.fields.items()},
            tensors={tensor.name: tensor for tensor in tensors},
        )
    except (OSError, ValueError, LookupError, ArithmeticError, RecursionError) as error:
        problem = error.args[0] if isinstance(error, KeyError) else error  # str(KeyError) adds quotes
        raise LadError(
            ErrorCode.INVALID_FILE,
            f"{path.name} cannot be used: {problem}.",
            value=path.name,
            remedy="Get the file again: it is damaged or incomplete.",
        ) from error


class _CheckedReader(gguf.GGUFReader):
    """The library's reader, which raises at the end of the file. The plain reader would repeat empty reads as often as declared.

    All reads go through `_get`, which is private to the library: requirements/smollm2.txt pins versions that have it.
    """

    def __init__(self, path: Path) -> None:
        self._reads = 0
        super().__init__(path)

    def _get(self, offset: int, dtype: Any, count: int = 1, override_order: Any = None) -> Any:
        self._reads += 1
        if self._reads > _MOST_READS:
            raise ValueError("it declares more values than a model has")
        if offset + int(count) * np.dtype(dtype).itemsize > len(self.data):
            raise ValueError("it declares more than it holds; it is cut short")
        return super()._get(offset, dtype, count, override_order)


def _tensor(stored: Any) -> GgufTensor:
    shape = tuple(reversed(stored.shape.tolist()))
    if not 1 <= len(shape) <= _MOST_DIMENSIONS or 0 in shape:
        raise ValueError(f"the tensor {stored.name[:80]!r} has the shape {shape}")
    return GgufTensor(name=stored.name, shape=shape, nbytes=stored.n_bytes, _stored=stored)
