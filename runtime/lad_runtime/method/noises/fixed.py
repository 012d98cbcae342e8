"""`fixed`: corruptions at levels that are given, not drawn, to measure what a model repairs."""

from dataclasses import dataclass, field
from math import floor, nan
from typing import Literal

from lad_runtime.checks import MAX_TOKENS, check_number, check_whole
from lad_runtime.method.noises.drawing import (
    CHOSEN,
    KEYS,
    SHIFT,
    SIDES,
    SWAPS,
    Drawing,
    Noise,
    lowest,
    masked,
)
from lad_runtime.method.structural_noise import Cells, duplicate, shift, swap


@dataclass(frozen=True, kw_only=True)
class FixedNoise(Noise):
    """Exactly ⌊masked · L⌋ tokens are masked, at least one for a share above 0; the other levels are probabilities."""

    kind: Literal["fixed"] = field(default="fixed", init=False)
    tail_noise: bool  # False: the EOS tail stays clean and visible
    masked: float
    swapped: float
    duplicated: float
    shifted: float
    max_span: int  # tokens
    max_shift: int  # tokens

    def __post_init__(self) -> None:
        check_number("noise.masked", self.masked, low=0, high=1)
        check_number("noise.swapped", self.swapped, low=0, high=1)
        check_number("noise.duplicated", self.duplicated, low=0, high=1)
        check_number("noise.shifted", self.shifted, low=0, high=1)
        check_whole("noise.maxSpan", self.max_span, low=1, high=MAX_TOKENS)
        check_whole("noise.maxShift", self.max_shift, low=1, high=MAX_TOKENS)

    @property
    def noises_tail(self) -> bool:
        return self.tail_noise

    def corrupt(self, cells: Cells, drawing: Drawing) -> tuple[Cells, float]:
        count = max(1, floor(self.masked * len(cells))) if self.masked > 0 else 0
        cells = masked(cells, lowest(drawing.lane(KEYS), count), drawing.mask_id)
        stretches = drawing.stretches
        cells = swap(cells, stretches, drawing.lane(SWAPS), self.swapped)
        cells = duplicate(cells, stretches, drawing.lane(CHOSEN), drawing.lane(SIDES), self.duplicated)
        if drawing.scalar(SHIFT) < self.shifted:
            cells = shift(cells, stretches, drawing.span, max_span=self.max_span, max_shift=self.max_shift)
        return cells, nan
