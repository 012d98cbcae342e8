"""`mask-only` (LLaDA, arXiv 2502.09992; MDLM, arXiv 2406.07524): each token becomes MASK with probability t, at least one."""

from dataclasses import dataclass, field
from typing import ClassVar, Literal

from lad_runtime.checks import check_number
from lad_runtime.method.noises.drawing import KEYS, TIME, Drawing, Noise, lowest, masked
from lad_runtime.method.structural_noise import Cells


@dataclass(frozen=True, kw_only=True)
class TimedNoise(Noise):
    """The options of a noise whose tokens are corrupted with probability t."""

    has_time: ClassVar[bool] = True
    tail_noise: bool  # False: the EOS tail stays clean and visible
    min_time: float  # t ~ U(min_time, 1)

    def __post_init__(self) -> None:
        check_number("noise.minTime", self.min_time, above=0, high=1)

    @property
    def noises_tail(self) -> bool:
        return self.tail_noise

    def time(self, drawing: Drawing) -> float:
        return self.min_time + (1 - self.min_time) * drawing.scalar(TIME)


@dataclass(frozen=True, kw_only=True)
class MaskOnlyNoise(TimedNoise):
    kind: Literal["mask-only"] = field(default="mask-only", init=False)

    def corrupt(self, cells: Cells, drawing: Drawing) -> tuple[Cells, float]:
        time = self.time(drawing)
        return masked_below(cells, drawing, time), time


def masked_below(cells: Cells, drawing: Drawing, time: float) -> Cells:
    """MASK where a cell's key is below `time`; where there is none, at the lowest key."""
    keys = drawing.lane(KEYS)
    chosen = keys < time
    return masked(cells, chosen if chosen.any() else lowest(keys, 1), drawing.mask_id)
