"""The positions of an answer that a policy may change, and its state there.

A policy sees the open positions alone, as if they were the whole answer: it cannot touch a pin, and its shares and budgets count
open positions.
"""

from lad_runtime.method.answer_state import AnswerState, Sampled
from lad_runtime.method.choose import Bools


def open_positions(state: AnswerState, pinned_N: Bools, *, changes_visible: bool) -> Bools:
    """Those without a pin; under a policy that changes no visible token, also without a token that it did not commit."""
    if changes_visible:
        return ~pinned_N
    return ~pinned_N & (state.masked_N | state.kept_N)


def state_at(state: AnswerState, open_N: Bools) -> AnswerState:
    return AnswerState(
        ids_N=state.ids_N[open_N],
        masked_N=state.masked_N[open_N],
        kept_N=state.kept_N[open_N],
        confidences_N=state.confidences_N[open_N],
        memory=state.memory,
    )


def sampled_at(sampled: Sampled, open_N: Bools) -> Sampled:
    return Sampled(
        ids_N=sampled.ids_N[open_N],
        confidences_N=sampled.confidences_N[open_N],
        entropies_N=sampled.entropies_N[open_N],
        standing_N=sampled.standing_N[open_N],
    )


def with_open(state: AnswerState, open_N: Bools, opened: AnswerState) -> AnswerState:
    """The state with what `opened` has at the open positions."""
    ids_N, masked_N = state.ids_N.copy(), state.masked_N.copy()
    kept_N, confidences_N = state.kept_N.copy(), state.confidences_N.copy()
    ids_N[open_N], masked_N[open_N] = opened.ids_N, opened.masked_N
    kept_N[open_N], confidences_N[open_N] = opened.kept_N, opened.confidences_N
    return AnswerState(
        ids_N=ids_N, masked_N=masked_N, kept_N=kept_N, confidences_N=confidences_N, memory=opened.memory
    )
