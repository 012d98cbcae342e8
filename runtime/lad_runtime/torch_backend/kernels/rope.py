"""Rotary position embeddings (arXiv 2104.09864), with the frequency scaling of Llama 3.1 (arXiv 2407.21783)."""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Llama3Scaling:
    """Stretches wavelengths beyond `original_positions / low_frequency_factor` by `factor`; leaves short ones as they are."""

    factor: float
    low_frequency_factor: float
    high_frequency_factor: float
    original_positions: int

    def to_hf(self) -> dict[str, Any]:
        return {
            "rope_type": "llama3",
            "factor": self.factor,
            "low_freq_factor": self.low_frequency_factor,
            "high_freq_factor": self.high_frequency_factor,
            "original_max_position_embeddings": self.original_positions,
        }

    def apply(self, frequencies: Tensor) -> Tensor:
        """Scales frequencies (radians per position), with a linear blend between the two ends of the band."""
        # Turns over the length that the model was first trained on.
        turns = self.original_positions * frequencies / (2 * math.pi)
        low, high = self.low_frequency_factor, self.high_frequency_factor
        keep = ((turns - low) / (high - low)).clamp(0.0, 1.0)
        return frequencies * (keep + (1.0 - keep) / self.factor)


class RotaryTable:
    """Cosines and sines [positions, head_dim / 2], computed in float32. The table grows to the longest position used."""

    def __init__(
        self,
        head_dim: int,
        theta: float,
        scaling: Llama3Scaling | None,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        exponents = torch.arange(0, head_dim, 2, dtype=torch.float32) / head_dim
        frequencies = 1.0 / (theta**exponents)
        self._frequencies = scaling.apply(frequencies) if scaling else frequencies
        self._device = device
        self._dtype = dtype
        self._cos = self._sin = torch.empty(0, head_dim // 2, device=device, dtype=dtype)

    def at(self, positions_N: Tensor, end: int) -> tuple[Tensor, Tensor]:
        """Cosines and sines [N, 1, head_dim / 2] at the given positions, all of them below `end`."""
        if end > self._cos.shape[0]:
            length = max(256, 1 << (end - 1).bit_length())
            angles = torch.outer(torch.arange(length, dtype=torch.float32), self._frequencies)
            self._cos = angles.cos().to(self._device, self._dtype)
            self._sin = angles.sin().to(self._device, self._dtype)
        return self._cos[positions_N].unsqueeze(1), self._sin[positions_N].unsqueeze(1)


def rotate_(heads_NHD: Tensor, cos: Tensor, sin: Tensor) -> None:
    """Rotates every head in place: its halves (x1, x2) become (x1 cos − x2 sin, x2 cos + x1 sin)."""
    first, second = heads_NHD.chunk(2, dim=-1)
    crossed = first * sin
    first.mul_(cos).addcmul_(second, sin, value=-1.0)
    second.mul_(cos).add_(crossed)
