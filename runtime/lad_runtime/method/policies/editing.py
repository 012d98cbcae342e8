"""`editing`, decoding by two thresholds (LLaDA2.1; docs/method.md §6): MASKs are filled, and visible tokens replaced."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from lad_runtime.checks import check_number, check_whole
from lad_runtime.method.answer_state import AnswerState, Ids, Sampled
from lad_runtime.method.choose import Bools, most_confident, sure_masks
from lad_runtime.method.policies.policy import AnswerCanvas, Denoising, DenoisingPolicy

SEEN_KEPT = 4096
"""Whole answers that are remembered, at most."""


@dataclass(frozen=True, kw_only=True)
class EditingPolicy(DenoisingPolicy):
    kind: Literal["editing"] = field(default="editing", init=False)
    confidence: float  # from which a MASK is filled
    edit_confidence: float  # above which another token replaces the one that stands
    edits: int  # replacements of a position at most

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("policy.confidence", self.confidence, low=0, high=1)
        check_number("policy.editConfidence", self.edit_confidence, low=0, high=1)
        check_whole("policy.edits", self.edits, low=0, high=2**32 - 1)

    def denoising(self, canvas: AnswerCanvas) -> "Editing":
        return Editing(policy=self)


@dataclass(frozen=True, kw_only=True)
class Editing(Denoising):
    """Fills every MASK whose token is confident enough, at least one, and replaces visible tokens by others that are.

    Two guards against loops: each position is replaced `edits` times at most; and replacements that would lead back to a whole
    answer that stood there before are not made. The memory holds the replacements of each position, then the hashes
    of the last `SEEN_KEPT` whole answers that were seen. The answer is done when nothing is masked and nothing is replaced.
    """

    policy: EditingPolicy

    @property
    def iterations(self) -> int:
        return self.policy.iterations

    def predicted(self, state: AnswerState, iteration: int) -> Bools:
        return np.ones(len(state), dtype=np.bool_)

    def finished(self, state: AnswerState, sampled: Sampled, iteration: int) -> bool:
        return not state.masked_N.any() and not self._replaced(state, sampled).any()

    def schedule(self, state: AnswerState, sampled: Sampled, iteration: int, last: bool) -> int:
        least, confidences_N = self.policy.confidence, sampled.confidences_N
        filled_N = state.masked_N if last else sure_masks(state.masked_N, least, confidences_N=confidences_N)
        return int(filled_N.sum()) + int(self._replaced(state, sampled).sum())

    def choose(self, state: AnswerState, sampled: Sampled, count: int, iteration: int) -> Bools:
        if count == 0:  # also where what could be replaced leads back to an answer that was seen
            return np.zeros(len(state), dtype=np.bool_)
        replaced_N = self._replaceable(state, sampled)
        filled = count - int(replaced_N.sum())
        return replaced_N | most_confident(state.masked_N, filled, confidences_N=sampled.confidences_N)

    def commit(self, state: AnswerState, sampled: Sampled, chosen_N: Bools) -> AnswerState:
        edits_N, seen = _remembered(state)
        whole = () if state.masked_N.any() else (hash_of(state.ids_N),)
        return AnswerState(
            ids_N=np.where(chosen_N, sampled.ids_N, state.ids_N),
            masked_N=state.masked_N & ~chosen_N,
            kept_N=np.zeros(len(state), dtype=np.bool_),
            confidences_N=np.where(chosen_N, sampled.confidences_N, state.confidences_N),
            memory=(*(edits_N + (chosen_N & ~state.masked_N)).tolist(), *(*seen, *whole)[-SEEN_KEPT:]),
        )

    def _replaced(self, state: AnswerState, sampled: Sampled) -> Bools:
        replaced_N = self._replaceable(state, sampled)
        if state.masked_N.any() or not replaced_N.any():
            return replaced_N
        _, seen = _remembered(state)
        leads_back = hash_of(np.where(replaced_N, sampled.ids_N, state.ids_N)) in seen
        return np.zeros(len(state), dtype=np.bool_) if leads_back else replaced_N

    def _replaceable(self, state: AnswerState, sampled: Sampled) -> Bools:
        """Where another token was sampled, sure enough, and the position's budget has some left."""
        edits_N, _ = _remembered(state)
        differs_N = ~state.masked_N & (sampled.ids_N != state.ids_N)
        sure_N = sampled.confidences_N > self.policy.edit_confidence
        return differs_N & sure_N & (edits_N < self.policy.edits)


def hash_of(ids: Sequence[int] | Ids) -> int:
    """FNV-1a over token ids, in 32 bits."""
    value = 0x811C9DC5
    for token in np.asarray(ids).tolist():
        value = (value ^ token) * 0x01000193 % 2**32
    return value


def _remembered(state: AnswerState) -> tuple[Ids, tuple[int, ...]]:
    """The replacements of each position so far, and the hashes of the whole answers that were seen."""
    edits, edits_N = state.memory[: len(state)], np.zeros(len(state), dtype=np.int64)
    edits_N[: len(edits)] = edits  # fewer where none were counted yet, or where a state was edited
    return edits_N, state.memory[len(state) :]
