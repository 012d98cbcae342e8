"""`revoking`, revocable decoding (WINO, arXiv 2507.18578; docs/method.md §6): filled early, masked again where improbable."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from lad_runtime.checks import check_number
from lad_runtime.method.answer_state import AnswerState, Sampled
from lad_runtime.method.choose import Bools, most_confident, sure_masks
from lad_runtime.method.policies.policy import AnswerCanvas, Denoising, DenoisingPolicy


@dataclass(frozen=True, kw_only=True)
class RevokingPolicy(DenoisingPolicy):
    kind: Literal["revoking"] = field(default="revoking", init=False)
    confidence: float  # from which a MASK is filled
    keep_confidence: float  # below which a token that stands is MASK again

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("policy.confidence", self.confidence, low=0, high=1)
        check_number("policy.keepConfidence", self.keep_confidence, low=0, high=1)

    @property
    def uses_standing(self) -> bool:
        return True

    def denoising(self, canvas: AnswerCanvas) -> "Revoking":
        return Revoking(policy=self, canvas=canvas)


@dataclass(frozen=True, kw_only=True)
class Revoking(Denoising):
    """Fills every MASK whose token is confident enough, at least one; tokens that have become improbable are MASK again.

    Fewer are revoked than the iteration before filled in (in a draft: than stand there), the least probable ones. So MASKs
    plus the tokens that were filled in last grow fewer in every iteration, and the answer comes to an end. The memory
    holds how many were filled in last. The answer is done when nothing is masked.
    """

    policy: RevokingPolicy
    canvas: AnswerCanvas

    @property
    def iterations(self) -> int:
        return self.policy.iterations

    def predicted(self, state: AnswerState, iteration: int) -> Bools:
        is_due = iteration == 0 or bool(state.masked_N.any())
        return np.full(len(state), is_due)

    def schedule(self, state: AnswerState, sampled: Sampled, iteration: int, last: bool) -> int:
        filled = int(self._filled(state, sampled, last).sum())
        if last:
            return filled
        doubted = int((~state.masked_N & (sampled.standing_N < self.policy.keep_confidence)).sum())
        return filled + min(doubted, max(0, self._filled_before(state) - 1))

    def choose(self, state: AnswerState, sampled: Sampled, count: int, iteration: int) -> Bools:
        last = iteration == self.iterations - 1
        filled_N = self._filled(state, sampled, last)
        revoked = count - int(filled_N.sum())
        return filled_N | most_confident(~state.masked_N, revoked, confidences_N=-sampled.standing_N)

    def commit(self, state: AnswerState, sampled: Sampled, chosen_N: Bools) -> AnswerState:
        filled_N, revoked_N = chosen_N & state.masked_N, chosen_N & ~state.masked_N
        ids_N = np.where(filled_N, sampled.ids_N, state.ids_N)
        confidences_N = np.where(filled_N, sampled.confidences_N, state.confidences_N)
        return AnswerState(
            ids_N=np.where(revoked_N, self.canvas.mask_token_id, ids_N),
            masked_N=state.masked_N & ~chosen_N | revoked_N,
            kept_N=np.zeros(len(state), dtype=np.bool_),
            confidences_N=np.where(revoked_N, 0.0, confidences_N),
            memory=(int(filled_N.sum()),),
        )

    def _filled(self, state: AnswerState, sampled: Sampled, last: bool) -> Bools:
        if last:
            return state.masked_N
        return sure_masks(state.masked_N, self.policy.confidence, confidences_N=sampled.confidences_N)

    def _filled_before(self, state: AnswerState) -> int:
        return state.memory[0] if state.memory else int((~state.masked_N).sum())
