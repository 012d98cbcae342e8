"""`refine`, self-refining without re-masking (docs/method.md §6): the sampled answer is the next input as it is."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from lad_runtime.method.answer_state import AnswerState, Sampled
from lad_runtime.method.choose import Bools
from lad_runtime.method.policies.policy import AnswerCanvas, Denoising, SettlingPolicy


@dataclass(frozen=True, kw_only=True)
class RefinePolicy(SettlingPolicy):
    kind: Literal["refine"] = field(default="refine", init=False)

    def denoising(self, canvas: AnswerCanvas) -> "Refine":
        return Refine(policy=self)


@dataclass(frozen=True, kw_only=True)
class Refine(Denoising):
    """Every position is sampled in every iteration; nothing is ever masked again, kept or locked."""

    policy: RefinePolicy

    @property
    def iterations(self) -> int:
        return self.policy.iterations

    def predicted(self, state: AnswerState, iteration: int) -> Bools:
        return np.ones(len(state), dtype=np.bool_)

    def schedule(self, state: AnswerState, sampled: Sampled, iteration: int, last: bool) -> int:
        return 0

    def choose(self, state: AnswerState, sampled: Sampled, count: int, iteration: int) -> Bools:
        return np.zeros(len(state), dtype=np.bool_)

    def commit(self, state: AnswerState, sampled: Sampled, chosen_N: Bools) -> AnswerState:
        none_N = np.zeros(len(state), dtype=np.bool_)
        return AnswerState(
            ids_N=sampled.ids_N,
            masked_N=none_N,
            kept_N=none_N,
            confidences_N=sampled.confidences_N,
            memory=(),
        )
