"""`threshold`, parallel decoding by confidence (Fast-dLLM, arXiv 2505.22618; docs/method.md §6): what is sure is committed."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from lad_runtime.checks import check_number, check_whole
from lad_runtime.method.answer_state import AnswerState, Sampled
from lad_runtime.method.choose import Bools, Floats, most_confident
from lad_runtime.method.policies.policy import AnswerCanvas, Denoising, DenoisingPolicy


@dataclass(frozen=True, kw_only=True)
class ThresholdPolicy(DenoisingPolicy):
    kind: Literal["threshold"] = field(default="threshold", init=False)
    confidence: float
    factor: float  # >0: the paper's factor rule instead of the confidence
    block_tokens: int  # 0: one block

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("policy.confidence", self.confidence, low=0, high=1)
        check_number("policy.factor", self.factor, low=0)
        check_whole("policy.blockTokens", self.block_tokens, low=0)

    @property
    def changes_visible(self) -> bool:
        return False

    def denoising(self, canvas: AnswerCanvas) -> "Threshold":
        return Threshold(policy=self)


@dataclass(frozen=True, kw_only=True)
class Threshold(Denoising):
    """Commits every MASK of the first block that has any, if its token is confident enough, and at least one; the last
    iteration all that there are.
    """

    policy: ThresholdPolicy

    @property
    def iterations(self) -> int:
        return self.policy.iterations

    def predicted(self, state: AnswerState, iteration: int) -> Bools:
        size = self.policy.block_tokens
        if not size or iteration == self.iterations - 1 or not state.masked_N.any():
            return state.masked_N
        block_N = np.arange(len(state)) // size
        return state.masked_N & (block_N == block_N[state.masked_N.argmax()])

    def schedule(self, state: AnswerState, sampled: Sampled, iteration: int, last: bool) -> int:
        confidences_M = sampled.confidences_N[self.predicted(state, iteration)]
        if last:
            return len(confidences_M)
        sure = (
            factor_count(confidences_M, self.policy.factor)
            if self.policy.factor
            else self._sure(confidences_M)
        )
        return max(1, sure)

    def choose(self, state: AnswerState, sampled: Sampled, count: int, iteration: int) -> Bools:
        candidates_N = self.predicted(state, iteration)
        return most_confident(candidates_N, count, confidences_N=sampled.confidences_N)

    def commit(self, state: AnswerState, sampled: Sampled, chosen_N: Bools) -> AnswerState:
        return AnswerState(
            ids_N=np.where(chosen_N, sampled.ids_N, state.ids_N),
            masked_N=state.masked_N & ~chosen_N,
            kept_N=state.kept_N | chosen_N,
            confidences_N=np.where(chosen_N, sampled.confidences_N, state.confidences_N),
            memory=(),
        )

    def _sure(self, confidences_M: Floats) -> int:
        return int((confidences_M >= self.policy.confidence).sum())


def factor_count(confidences_M: Floats, factor: float) -> int:
    """The largest n with (n + 1) · (1 − c) ≤ factor, c the n-th highest confidence and those above it doing so, too."""
    falling_M = np.sort(confidences_M)[::-1]
    is_sure_M = (np.arange(len(falling_M)) + 2) * (1 - falling_M) <= factor
    return int(np.cumprod(is_sure_M).sum())
