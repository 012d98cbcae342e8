"""Drafts of several tokens, and what the base says of them (speculative sampling, arXiv 2211.17192)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from lad_runtime.method.random import CanvasKey, Purpose, uniforms
from lad_runtime.torch_backend.kernels.device import on_device
from lad_runtime.torch_backend.sampling.draw import (
    SpecialTokens,
    arg_max,
    biased,
    filtered_probabilities,
    inverse_cdf,
    numbers_only,
    probabilities_of,
)
from lad_runtime.types.sampling import DrawSpec


@dataclass(frozen=True, kw_only=True)
class Draft:
    """Tokens of one forward, drawn independently of one another, up to the first stop token."""

    tokens: tuple[int, ...]
    probabilities_KV: Tensor | None  # q, float64, which each was drawn from; None: each is the most probable
    is_rest: bool = False  # it has been checked before, and these are the tokens behind the refused one
    misses: int = 0  # checks of the rest that accepted none of it

    def left(self, verdict: "Verdict", patience: int) -> "Draft | None":
        """What is to be checked again behind the verdict's tokens; None if nothing is left, or after `patience` misses.

        Whether the next token is there, and whether it is tried, depends on the decided positions alone. Drawn independently of
        them, it is still a draw from its q, so the rule of acceptance holds for it as in a first check.
        """
        misses = self.misses + (self.is_rest and verdict.accepted == 0)
        decided, q_KV = len(verdict.tokens), self.probabilities_KV
        if misses >= patience or decided >= len(self.tokens):
            return None
        return Draft(
            tokens=self.tokens[decided:],
            probabilities_KV=None if q_KV is None else q_KV[decided:],
            is_rest=True,
            misses=misses,
        )


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What a round decides: the accepted tokens, and the base's own behind them, if any."""

    tokens: tuple[int, ...]
    confidences: tuple[float, ...]  # under the base, as `ar` reports them
    accepted: int

    def first(self, count: int) -> "Verdict":
        """Its first tokens alone."""
        return Verdict(
            tokens=self.tokens[:count],
            confidences=self.confidences[:count],
            accepted=min(self.accepted, count),
        )


def drafted(
    logits_KV: Tensor,
    spec: DrawSpec,
    tokens: SpecialTokens,
    key: CanvasKey,
    round: int,
    least_probability: float,
) -> Draft:
    """A draft from the adapter's logits, without MASK. Token i takes number i of the sequence (seed, DRAFT, canvas, round).

    It ends before the first token, but for the very first, where the product of the most probable tokens' probabilities at
    temperature 1 is below `least_probability`: a rule of the logits alone, which leaves the answer's distribution as it is.
    Raises LadError(DIVERGED) when the logits are not numbers.
    """
    logits_KV = biased(numbers_only(logits_KV), replace(spec, allow_mask=False), tokens)
    if least_probability > 0:
        standing_K = torch.log_softmax(logits_KV, -1).amax(-1).double().cumsum(0).exp()
        logits_KV = logits_KV[: max(1, int((standing_K >= least_probability).sum()))]
    if spec.temperature == 0:
        ids = arg_max(logits_KV)[:, 0].tolist()
        return Draft(tokens=_through_stop(ids, tokens.stop_token_ids), probabilities_KV=None)
    probabilities_KV = filtered_probabilities(logits_KV, spec)
    numbers = uniforms(key.seed, Purpose.DRAFT, key.canvas, round, len(logits_KV))
    ids = inverse_cdf(probabilities_KV, torch.from_numpy(numbers))[:, 0].tolist()
    return Draft(tokens=_through_stop(ids, tokens.stop_token_ids), probabilities_KV=probabilities_KV)


def judged(
    draft: Draft | None,
    logits_RV: Tensor,
    spec: DrawSpec,
    tokens: SpecialTokens,
    key: CanvasKey,
    *,
    round: int,
) -> Verdict:
    """What the base's logits make of a draft of K tokens. Row i is its prediction behind the first i of them; R is K + 1, or K
    where the draft ends in a stop token.

    At temperature 0 the longest run of the base's own arg-maxes stands. Otherwise token x stands with probability
    min(1, p(x) / q(x)), and one from max(0, p − q), normalised, replaces the first that does not. Behind a draft that stands as a
    whole comes one more of the base's. Raises LadError(DIVERGED) when the logits are not numbers.
    """
    logits_RV = biased(numbers_only(logits_RV), replace(spec, allow_mask=True), tokens)
    guesses = draft.tokens if draft else ()
    if spec.temperature == 0:
        own = arg_max(logits_RV)[:, 0].tolist()
        agreeing = [guess == token for guess, token in zip(guesses, own, strict=False)]
        accepted = [*agreeing, False].index(False)
        decided = [*guesses[:accepted], *own[accepted : accepted + 1]]
        filtered_RV = None
    else:
        filtered_RV = filtered_probabilities(logits_RV, spec)
        accepted, last = _sampled(draft, filtered_RV, key, round)
        decided = [*guesses[:accepted], *last]
    ids = np.array(decided, dtype=np.int64)
    rows = logits_RV[: len(decided)]
    confidences = probabilities_of(rows, ids)
    if spec.confidence == "filtered":
        ids_R1 = on_device(torch.from_numpy(ids), rows.device)[:, None]
        chosen = torch.ones(len(ids)) if filtered_RV is None else filtered_RV.gather(1, ids_R1)[:, 0]
        confidences = chosen.float()
    return Verdict(tokens=tuple(decided), confidences=tuple(confidences.tolist()), accepted=accepted)


def _sampled(draft: Draft | None, p_RV: Tensor, key: CanvasKey, round: int) -> tuple[int, list[int]]:
    """How many drafted tokens stand, and the token of the base's behind them, if any."""
    guesses = draft.tokens if draft else ()
    if draft is not None:
        q_KV = draft.probabilities_KV
        assert q_KV is not None, "the draft was drawn"
        ids_K1 = on_device(torch.tensor(guesses), p_RV.device)[:, None]
        p_K = p_RV[: len(guesses)].gather(1, ids_K1)[:, 0].tolist()
        q_K = q_KV[: len(guesses)].gather(1, ids_K1)[:, 0].tolist()
        numbers = uniforms(key.seed, Purpose.ACCEPT, key.canvas, round, len(guesses)).tolist()
        for place, (p, q, u) in enumerate(zip(p_K, q_K, numbers, strict=True)):
            if u * q < p:
                continue
            residual_V = (p_RV[place] - q_KV[place]).clamp_min(0)
            if float(residual_V.sum()) > 0:  # else p = q but for rounding, and the token stands
                return place, [_drawn(residual_V, key, Purpose.RESIDUAL, round, place)]
    if len(p_RV) == len(guesses):
        return len(guesses), []
    return len(guesses), [_drawn(p_RV[len(guesses)], key, Purpose.BONUS, round, len(guesses))]


def _drawn(weights_V: Tensor, key: CanvasKey, purpose: Purpose, round: int, place: int) -> int:
    numbers = uniforms(key.seed, purpose, key.canvas, round, place + 1)[place:]
    return int(inverse_cdf(weights_V[None], torch.from_numpy(numbers)))


def _through_stop(ids: Sequence[int], stops: Sequence[int]) -> tuple[int, ...]:
    end = next((place + 1 for place, token in enumerate(ids) if token in stops), len(ids))
    return tuple(ids[:end])
