"""`own-draft`: what the model itself writes from another noise, as it meets its own answer when it iterates (arXiv 2605.09603).

Its numbers are drawn here as those of the noise within; the draft follows in `draft.py`.
"""

from dataclasses import dataclass, field
from typing import Literal

from lad_runtime.checks import check_number
from lad_runtime.method.noises.drawing import Drafting, Drawing, Noise
from lad_runtime.method.noises.drawn import DrawnNoise
from lad_runtime.method.structural_noise import Cells


@dataclass(frozen=True, kw_only=True)
class OwnDraftNoise(Noise):
    """It has no time: a draft differs from the clean answer where the model errs, not with probability t."""

    kind: Literal["own-draft"] = field(default="own-draft", init=False)
    share: float  # of the examples; the others keep the noise
    temperature: float  # of the draft's draws; 0: the most probable tokens
    noise: DrawnNoise
    after: float  # of a run's steps are taken before the first draft

    def __post_init__(self) -> None:
        check_number("noise.share", self.share, low=0, high=1)
        check_number("noise.temperature", self.temperature, low=0)
        check_number("noise.after", self.after, low=0, high=1)

    @property
    def noises_tail(self) -> bool:
        return self.noise.noises_tail

    @property
    def drafting(self) -> Drafting:
        return Drafting(share=self.share, temperature=self.temperature, after=self.after)

    def corrupt(self, cells: Cells, drawing: Drawing) -> tuple[Cells, float]:
        return self.noise.corrupt(cells, drawing)
