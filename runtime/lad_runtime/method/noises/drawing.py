"""What the noises share: the cells that they corrupt, the numbers that they draw, and what each has to say of itself."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from lad_runtime.method.random import Purpose, uniform_lanes
from lad_runtime.method.structural_noise import Cells, Stretch, stretches_of

KEYS, SWAPS, CHOSEN, SIDES, TOKENS = range(1, 6)
"""Lanes with one number for each cell. Lane 0 holds the single ones:"""

FULL_MASK, STRENGTH, MASK, FRACTION, SHIFT = range(5)
SPAN = slice(5, 10)
COVER, TIME = 10, 11
_SCALAR_COUNT = 12


@dataclass(frozen=True, kw_only=True)
class Drafting:
    """What the model itself is to write of the answers that a noise has corrupted, in one forward (`draft.py`)."""

    share: float  # of the examples
    temperature: float  # of its draws; 0: the most probable tokens
    after: float  # of a run's steps are taken before the first draft


@dataclass(frozen=True, kw_only=True)
class Noise(ABC):
    """One kind of noise; its fields are its options. Registered in `method/noise.py`."""

    kind: str = field(init=False)
    has_time: ClassVar[bool] = False
    """Whether each example has a t, so that a loss may weight by it."""

    @property
    def noises_tail(self) -> bool:
        """Whether the EOS tail is noised as the answer is; else it stays clean and visible."""
        return True

    @property
    def drafting(self) -> Drafting | None:
        """What the model itself writes of the answers that training shows; None: nothing."""
        return None

    @abstractmethod
    def corrupt(self, cells: Cells, drawing: "Drawing") -> tuple[Cells, float]:
        """What becomes of an answer's cells, at least one, and the t that it was drawn with; NaN where there is none."""


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """What one example's noise may draw from: a pure function of (seed, purpose, example id, epoch)."""

    seed: int
    purpose: Purpose
    example_id: int
    epoch: int
    positions: NDArray[np.int64]  # [L], where the cells stand in the window
    mask_id: int
    vocab_size: int

    def scalar(self, index: int) -> float:
        return float(self._lanes[0, index])

    @property
    def span(self) -> Sequence[float]:
        """The five numbers of a span's shift."""
        numbers: list[float] = self._lanes[0, SPAN].tolist()
        return numbers

    def lane(self, number: int) -> NDArray[np.float64]:
        """One number for each cell, [L]."""
        return self._lanes[number, : len(self.positions)]

    @property
    def stretches(self) -> list[Stretch]:
        return stretches_of(self.positions)

    @cached_property
    def _lanes(self) -> NDArray[np.float64]:
        count = max(len(self.positions), _SCALAR_COUNT)
        return uniform_lanes(self.seed, self.purpose, self.example_id, self.epoch, count, range(6))


def masked(cells: Cells, chosen: NDArray[np.integer] | NDArray[np.bool_] | slice, mask_id: int) -> Cells:
    """The same with MASK at some cells."""
    result = cells.copy()
    result[chosen] = (mask_id, 1)
    return result


def lowest(keys: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """Indices of the `count` lowest keys, equal keys by lower index: as many cells drawn without replacement."""
    return np.argsort(keys, kind="stable")[:count]
