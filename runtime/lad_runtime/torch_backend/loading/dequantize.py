"""GGML's block formats to float32: the plain kinds, and the three simple quantised ones of 32 values a block."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class BlockFormat:
    """One GGML kind. `dequantize` takes the bytes of whole blocks [blocks · nbytes] uint8 to [blocks · elements] float32."""

    name: str
    elements: int  # values in a block
    nbytes: int  # bytes of a block
    dequantize: Callable[[Tensor], Tensor]


def _plain(dtype: torch.dtype) -> Callable[[Tensor], Tensor]:
    return lambda raw: raw.view(dtype).to(torch.float32)


def _half(columns: Tensor) -> Tensor:
    """[blocks, 2] bytes → [blocks, 1]: a float16 scale or offset."""
    return columns.contiguous().view(torch.float16).to(torch.float32)


def _nibbles(columns: Tensor) -> Tensor:
    """[blocks, 16] bytes → [blocks, 32] whole numbers 0…15: all low halves, then all high ones."""
    return torch.cat([columns & 15, columns >> 4], dim=1).to(torch.float32)


def _q4_0(raw: Tensor) -> Tensor:
    """scale · (q − 8)"""
    blocks = raw.view(-1, 18)
    return (_nibbles(blocks[:, 2:]) - 8).mul_(_half(blocks[:, :2])).flatten()


def _q4_1(raw: Tensor) -> Tensor:
    """scale · q + offset"""
    blocks = raw.view(-1, 20)
    return _nibbles(blocks[:, 4:]).mul_(_half(blocks[:, :2])).add_(_half(blocks[:, 2:4])).flatten()


def _q8_0(raw: Tensor) -> Tensor:
    """scale · q, q signed"""
    blocks = raw.view(-1, 34)
    return blocks[:, 2:].view(torch.int8).to(torch.float32).mul_(_half(blocks[:, :2])).flatten()


BLOCKS = {  # by GGML's number
    0: BlockFormat(name="F32", elements=1, nbytes=4, dequantize=_plain(torch.float32)),
    1: BlockFormat(name="F16", elements=1, nbytes=2, dequantize=_plain(torch.float16)),
    2: BlockFormat(name="Q4_0", elements=32, nbytes=18, dequantize=_q4_0),
    3: BlockFormat(name="Q4_1", elements=32, nbytes=20, dequantize=_q4_1),
    8: BlockFormat(name="Q8_0", elements=32, nbytes=34, dequantize=_q8_0),
    30: BlockFormat(name="BF16", elements=1, nbytes=2, dequantize=_plain(torch.bfloat16)),
}
