"""`none`: nothing is corrupted."""

from dataclasses import dataclass, field
from math import nan
from typing import Literal

from lad_runtime.method.noises.drawing import Drawing, Noise
from lad_runtime.method.structural_noise import Cells


@dataclass(frozen=True, kw_only=True)
class NoNoise(Noise):
    kind: Literal["none"] = field(default="none", init=False)

    def corrupt(self, cells: Cells, drawing: Drawing) -> tuple[Cells, float]:
        return cells, nan
