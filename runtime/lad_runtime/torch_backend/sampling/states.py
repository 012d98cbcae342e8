"""Between the arrays of a canvas that is denoised and the plain numbers that a frame has of it."""

from dataclasses import replace

import numpy as np

from lad_runtime.method.answer_state import AnswerState, Sampled
from lad_runtime.method.choose import Bools
from lad_runtime.types.sampling_state import SamplingState


def answer_state(plain: SamplingState, mask_token_id: int) -> AnswerState:
    """The state as the next forward sees it: MASK wherever the position is masked, which then is not kept either."""
    masked_N = np.array(plain.masked, dtype=np.bool_)
    return AnswerState(
        ids_N=np.where(masked_N, mask_token_id, np.array(plain.ids, dtype=np.int64)),
        masked_N=masked_N,
        kept_N=np.array(plain.kept, dtype=np.bool_) & ~masked_N,
        confidences_N=np.array(plain.confidences, dtype=np.float64),
        memory=plain.memory,
    )


def sampling_state(state: AnswerState, pinned_N: Bools, sampled: Sampled) -> SamplingState:
    """The state after a forward, but for its place among iterations. What was sampled lacks the positions appended since."""
    return SamplingState(
        ids=tuple(state.ids_N.tolist()),
        masked=tuple(state.masked_N.tolist()),
        pinned=tuple(pinned_N.tolist()),
        kept=tuple(state.kept_N.tolist()),
        confidences=tuple(state.confidences_N.tolist()),
        memory=state.memory,
        sampled=tuple(sampled.ids_N.tolist()),
        same=0,
        iteration=0,
        stopped=None,
        finished=0,
        finished_iterations=0,
        forwards=0,
        key=None,
    )


def standing(plain: SamplingState, state: AnswerState) -> Sampled:
    """What stands in a canvas before its next forward; at masked positions, what was sampled last."""
    ids_N = state.ids_N.copy()
    ids_N[: len(plain.sampled)] = plain.sampled
    return replace(Sampled.nothing(state), ids_N=np.where(state.masked_N, ids_N, state.ids_N))
