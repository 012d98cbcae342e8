"""`lad`, the method's structural noise (docs/method.md §3): masks, then swaps, duplications and one span shift."""

from dataclasses import dataclass, field
from math import floor, nan
from typing import Literal

from lad_runtime.checks import MAX_TOKENS, check_number, check_whole
from lad_runtime.method.noises.drawing import (
    CHOSEN,
    FRACTION,
    FULL_MASK,
    KEYS,
    MASK,
    SHIFT,
    SIDES,
    STRENGTH,
    SWAPS,
    Drawing,
    Noise,
    lowest,
    masked,
)
from lad_runtime.method.structural_noise import Cells, duplicate, shift, swap


@dataclass(frozen=True, kw_only=True)
class StructuralNoise(Noise):
    """The options of structural noise, and what it does. Scales are probabilities for a strength p of 1."""

    tail_noise: bool  # False: the EOS tail stays clean and visible
    full_mask_probability: float
    mask_probability: float
    max_mask_fraction: float
    swap_scale: float
    duplicate_scale: float
    shift_scale: float
    max_span: int  # tokens
    max_shift: int  # tokens

    def __post_init__(self) -> None:
        check_number("noise.fullMaskProbability", self.full_mask_probability, low=0, high=1)
        check_number("noise.maskProbability", self.mask_probability, low=0, high=1)
        check_number("noise.maxMaskFraction", self.max_mask_fraction, low=0, high=1)
        check_number("noise.swapScale", self.swap_scale, low=0, high=1)
        check_number("noise.duplicateScale", self.duplicate_scale, low=0, high=1)
        check_number("noise.shiftScale", self.shift_scale, low=0, high=1)
        check_whole("noise.maxSpan", self.max_span, low=1, high=MAX_TOKENS)
        check_whole("noise.maxShift", self.max_shift, low=1, high=MAX_TOKENS)

    @property
    def noises_tail(self) -> bool:
        return self.tail_noise

    def structured(self, cells: Cells, drawing: Drawing) -> Cells:
        if drawing.scalar(FULL_MASK) < self.full_mask_probability:
            return masked(cells, slice(None), drawing.mask_id)
        if drawing.scalar(MASK) < self.mask_probability:
            count = floor(self.max_mask_fraction * drawing.scalar(FRACTION) * len(cells))
            cells = masked(cells, lowest(drawing.lane(KEYS), count), drawing.mask_id)
        return self._rearranged(cells, drawing) if len(cells) > 2 else cells

    def _rearranged(self, cells: Cells, drawing: Drawing) -> Cells:
        strength, stretches = drawing.scalar(STRENGTH), drawing.stretches
        cells = swap(cells, stretches, drawing.lane(SWAPS), self.swap_scale * strength)
        cells = duplicate(
            cells, stretches, drawing.lane(CHOSEN), drawing.lane(SIDES), self.duplicate_scale * strength
        )
        if drawing.scalar(SHIFT) < self.shift_scale * strength:
            cells = shift(cells, stretches, drawing.span, max_span=self.max_span, max_shift=self.max_shift)
        return cells


@dataclass(frozen=True, kw_only=True)
class LadNoise(StructuralNoise):
    kind: Literal["lad"] = field(default="lad", init=False)

    def corrupt(self, cells: Cells, drawing: Drawing) -> tuple[Cells, float]:
        return self.structured(cells, drawing), nan
