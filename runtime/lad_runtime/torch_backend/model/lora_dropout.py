"""Dropout masks of LoRA inputs. They depend on the adapter's seed and the segment's alone, never on other rows of the batch."""

import hashlib

import torch
from torch import Tensor

from lad_runtime.torch_backend.model.layout import AdapterRows


class Dropout:
    """Draws the masks of one adapter's rows in one forward, in the order of the forward's projections."""

    def __init__(self, rows: AdapterRows, device: torch.device, dtype: torch.dtype) -> None:
        key = f"{rows.adapter.spec.seed}/{rows.dropout_seed}".encode()
        seed = int.from_bytes(hashlib.blake2b(key, digest_size=8).digest(), "little") >> 1
        self._generator = torch.Generator(device).manual_seed(seed)
        self._keep = 1.0 - rows.adapter.spec.dropout
        self._rows = rows.stop - rows.start
        self._like = torch.empty(0, device=device, dtype=dtype)

    @classmethod
    def of(cls, rows: AdapterRows, device: torch.device, dtype: torch.dtype) -> "Dropout | None":
        """None if the adapter has no dropout or its segments ask for none."""
        wanted = rows.dropout_seed is not None and rows.adapter.spec.dropout > 0.0
        return cls(rows, device, dtype) if wanted else None

    def next_mask(self, inputs: int) -> Tensor:
        """[rows, inputs]: 0 with the adapter's dropout probability p, else 1 / (1 − p)."""
        mask = self._like.new_empty(self._rows, inputs)
        return mask.bernoulli_(self._keep, generator=self._generator).div_(self._keep)
