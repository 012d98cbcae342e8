"""`cover`: half of the examples as `lad`, half masked with t ~ U(0, 1), between the shares of MASK that `lad` knows."""

from dataclasses import dataclass, field
from math import nan
from typing import Literal

from lad_runtime.method.noises.drawing import COVER, TIME, Drawing
from lad_runtime.method.noises.lad import StructuralNoise
from lad_runtime.method.noises.mask_only import masked_below
from lad_runtime.method.structural_noise import Cells


@dataclass(frozen=True, kw_only=True)
class CoverNoise(StructuralNoise):
    kind: Literal["cover"] = field(default="cover", init=False)

    def corrupt(self, cells: Cells, drawing: Drawing) -> tuple[Cells, float]:
        if drawing.scalar(COVER) < 0.5:
            return self.structured(cells, drawing), nan
        time = drawing.scalar(TIME)
        return masked_below(cells, drawing, time), time
