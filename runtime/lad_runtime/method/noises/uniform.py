"""`uniform`: each token becomes a uniformly drawn token of the vocabulary with probability t."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from lad_runtime.method.noises.drawing import KEYS, TOKENS, Drawing
from lad_runtime.method.noises.mask_only import TimedNoise
from lad_runtime.method.structural_noise import Cells


@dataclass(frozen=True, kw_only=True)
class UniformNoise(TimedNoise):
    kind: Literal["uniform"] = field(default="uniform", init=False)

    def corrupt(self, cells: Cells, drawing: Drawing) -> tuple[Cells, float]:
        time = self.time(drawing)
        tokens = np.floor(drawing.lane(TOKENS) * drawing.vocab_size).astype(np.int64)
        replaced = cells.copy()
        replaced[:, 0] = np.where(drawing.lane(KEYS) < time, tokens, cells[:, 0])
        return replaced, time
