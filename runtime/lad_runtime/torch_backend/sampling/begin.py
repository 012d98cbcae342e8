"""What an answer may begin from, by the run that it begins in."""

import numpy as np

from lad_runtime.errors import invalid_option
from lad_runtime.method.open_positions import open_positions
from lad_runtime.method.policies.policy import AnswerCanvas, DenoisingPolicy
from lad_runtime.method.random import CanvasKey
from lad_runtime.torch_backend.forward.base import Base
from lad_runtime.torch_backend.sampling.predict import check_tokens
from lad_runtime.torch_backend.sampling.states import answer_state
from lad_runtime.types.sampling import SamplingSpec
from lad_runtime.types.sampling_state import SamplingState


def check_begin(base: Base, begin: SamplingState, spec: SamplingSpec) -> None:
    """Raises LadError(INVALID_OPTION) for a state that no answer of this run can have."""
    policy = spec.policy
    if not isinstance(policy, DenoisingPolicy):
        raise invalid_option(
            "policy",
            policy.kind,
            "it writes one token after another, and begins from nothing else",
            "Leave out draft, answer and from, or denoise: policy: refine().",
        )
    check_tokens(base, "from.ids", begin.ids, total=len(begin.ids))
    check_tokens(base, "from.sampled", begin.sampled, total=len(begin.sampled))
    if policy.growth and any(begin.pinned):
        raise invalid_option(
            "policy.growTokens",
            policy.growth,
            "a canvas with pins does not grow",
            "Leave it out, or the pins.",
        )
    _check_length(begin, spec, policy)
    if begin.stopped is None:
        _check_iteration(base, begin, spec, policy)


def begun(begin: SamplingState, tokens: int, policy: DenoisingPolicy, mask_token_id: int) -> SamplingState:
    """The canvas in hand of `tokens` positions: what a draft leaves of it is MASK, unless the policy has it grow."""
    hand = begin.in_hand
    return hand if policy.growth or hand.sampled else hand.masked_up_to(tokens, mask_token_id)


def _check_length(begin: SamplingState, spec: SamplingSpec, policy: DenoisingPolicy) -> None:
    if begin.finished % spec.most_at_once or begin.finished >= spec.answer_tokens:
        raise invalid_option(
            "from.finished",
            begin.finished,
            f"canvases of {spec.most_at_once} tokens make up an answer of {spec.answer_tokens}",
            "Give the options of the run that the state is of.",
        )
    most, count = _tokens_in_hand(begin, spec), len(begin.ids) - begin.finished
    follows = bool(begin.sampled) and begin.stopped is None  # and is as long as what was sampled
    if count > most or (count < most and not policy.growth and follows):
        raise invalid_option(
            "from.ids",
            f"{len(begin.ids)} entries",
            f"the canvas in hand ends at position {begin.finished + most}",
            "Give an entry for each position up to there.",
        )
    if begin.stopped is not None and len(begin.sampled) != len(begin.ids):
        raise invalid_option(
            "from.sampled",
            f"{len(begin.sampled)} entries",
            f"a canvas that is done has an answer, and from.ids has {len(begin.ids)}",
            "Give one for each position, or leave out stopped.",
        )


def _check_iteration(base: Base, begin: SamplingState, spec: SamplingSpec, policy: DenoisingPolicy) -> None:
    tokens = _tokens_in_hand(begin, spec)
    hand = begun(begin, tokens, policy, base.info.mask_token_id)
    open_N = open_positions(
        answer_state(hand, base.info.mask_token_id),
        np.array(hand.pinned),
        changes_visible=policy.changes_visible,
    )
    if not open_N.any():
        return
    canvas = AnswerCanvas(
        tokens=tokens - int((~open_N).sum()),
        key=CanvasKey(seed=0, canvas=0),
        mask_token_id=base.info.mask_token_id,
        stop_token_ids=base.info.stop_token_ids,
        pad_token_ids=(),
    )
    iterations = policy.denoising(canvas).iterations
    if begin.iteration >= iterations:
        raise invalid_option(
            "from.iteration",
            begin.iteration,
            f"the canvas has {iterations} iterations",
            "Give strength, which begins the schedule again, or more iterations.",
        )


def _tokens_in_hand(begin: SamplingState, spec: SamplingSpec) -> int:
    return min(spec.most_at_once, spec.answer_tokens - begin.finished)
