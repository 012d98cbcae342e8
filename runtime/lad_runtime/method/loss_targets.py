"""Which tokens are supervised and with what weight (docs/method.md §4): the numbers that a loop of the caller's own could send.

`sdk/src/method/loss-targets.ts` computes the same; weights are computed in float64 and rounded once to float32 in both.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from lad_runtime.checks import check_choice, check_number, check_whole
from lad_runtime.errors import invalid_option
from lad_runtime.method.noise import NOISES, NoisedExample
from lad_runtime.method.noises.drawing import Noise
from lad_runtime.method.prepared_example import PreparedExample
from lad_runtime.method.targeted_sequence import IGNORE_INDEX, TargetedSequence


def _all_tokens(example: PreparedExample, noised: NoisedExample | None) -> Sequence[bool]:
    return [True] * len(example.ids)


def _all_answer_tokens(example: PreparedExample, noised: NoisedExample | None) -> Sequence[bool]:
    return example.answer


def _corrupted_answer_tokens(example: PreparedExample, noised: NoisedExample | None) -> Sequence[bool]:
    assert noised is not None, "what is corrupted depends on the noise"
    return [answer and changed for answer, changed in zip(example.answer, noised.corrupted, strict=True)]


@dataclass(frozen=True)
class Supervision:
    """Which tokens a loss counts, before those of the tail are left out."""

    chosen: Callable[[PreparedExample, NoisedExample | None], Sequence[bool]]
    prompt: bool = False  # tokens of the prompt too
    corrupted: bool = False  # those alone that the noise changed, so that it depends on the noise


Supervise = Literal["all-tokens", "all-answer-tokens", "corrupted-answer-tokens"]

SUPERVISIONS: Mapping[Supervise, Supervision] = {
    "all-tokens": Supervision(_all_tokens, prompt=True),
    "all-answer-tokens": Supervision(_all_answer_tokens),
    "corrupted-answer-tokens": Supervision(_corrupted_answer_tokens, corrupted=True),
}


@dataclass(frozen=True, kw_only=True)
class WeighedExample:
    """What the weight of an example's tokens may depend on."""

    example: PreparedExample
    tail: float  # the weight of a token of the tail, relative to one of the answer's own
    supervised: Sequence[bool]  # at least one
    time: float  # t of its noise; NaN where that has none
    counted: int  # examples of the batch that have any supervised token

    @property
    def sum(self) -> float:
        """Of the relative weights of its supervised tokens."""
        return self._sum(self.supervised)

    @property
    def length(self) -> float:
        """Of the whole answer: the sum of its tokens' relative weights."""
        return self._sum(self.example.answer)

    def _sum(self, chosen: Sequence[bool]) -> float:
        tails = sum(is_chosen and tail for is_chosen, tail in zip(chosen, self.example.tail, strict=True))
        return sum(chosen) - tails + self.tail * tails


def _uniform(of: WeighedExample) -> float:
    """The weighted mean over an example's tokens, then the mean over the examples."""
    return of.sum * of.counted


def _inverse_time(of: WeighedExample) -> float:
    """LLaDA's estimate of the likelihood (arXiv 2502.09992, equation 3)."""
    return of.time * of.length * of.counted


@dataclass(frozen=True)
class Weight:
    divisor: Callable[[WeighedExample], float]  # of an example's relative weights
    corrupted: bool = False  # belongs to corrupted tokens, of a noise that has a time


Weighting = Literal["uniform", "inverse-time"]

WEIGHTINGS: Mapping[Weighting, Weight] = {
    "uniform": Weight(_uniform),
    "inverse-time": Weight(_inverse_time, corrupted=True),
}


MAX_SOFT_TOKENS = 1024
"""The most of the base's tokens that are kept for a target: what is beyond has next to no probability."""


@dataclass(frozen=True, kw_only=True)
class SoftTargets:
    """The base's own next-token distribution as a target at each token of an answer but the EOS tail, beside the label."""

    top_k: int  # so many of its most probable tokens are kept, their probabilities scaled to a sum of 1
    share: float  # of the target; the rest is the label's

    def __post_init__(self) -> None:
        check_whole("loss.soft.topK", self.top_k, low=1, high=MAX_SOFT_TOKENS)
        check_number("loss.soft.share", self.share, above=0, high=1)


@dataclass(frozen=True, kw_only=True)
class LossSpec:
    """docs/method.md §4: which tokens are supervised and how they are weighted."""

    supervise: Supervise
    tail: bool  # supervise the EOS tail
    tail_weight: float  # of a supervised token of the tail, relative to one of the answer's own
    weighting: Weighting
    soft: SoftTargets | None  # None: labels alone

    def __post_init__(self) -> None:
        check_choice("loss.supervise", self.supervise, tuple(SUPERVISIONS))
        check_number("loss.tailWeight", self.tail_weight, above=0, high=1)
        check_choice("loss.weighting", self.weighting, tuple(WEIGHTINGS))


def targeted(
    example: PreparedExample, noised: NoisedExample, spec: LossSpec, counted: int
) -> TargetedSequence:
    """An example with its targets and weights, in a batch of which `counted` examples have any supervised token."""
    chosen = supervised_positions(example, noised, spec)
    return TargetedSequence(
        ids=noised.ids,
        targets=tuple(
            t if is_target else IGNORE_INDEX for t, is_target in zip(example.ids, chosen, strict=True)
        ),
        weights=_weights(example, noised, chosen, counted, spec),
        prompt_tokens=example.past_tokens,
    )


def supervised_positions(
    example: PreparedExample, noised: NoisedExample | None, spec: LossSpec
) -> tuple[bool, ...]:
    """Which positions of the window the loss counts; without noise too, where it counts others than corrupted ones.

    None of an example whose weight is 0.
    """
    if example.weight == 0:
        return (False,) * len(example.ids)
    chosen = SUPERVISIONS[spec.supervise].chosen(example, noised)
    return tuple(
        is_chosen and (spec.tail or not tail) for is_chosen, tail in zip(chosen, example.tail, strict=True)
    )


def check_loss(loss: LossSpec, noise: Noise) -> None:
    """Raises INVALID_OPTION for 1/t weights where t means nothing: under a noise without one, or over tokens not corrupted."""
    if not WEIGHTINGS[loss.weighting].corrupted:
        return
    if not noise.has_time:
        timed = " or ".join(kind for kind, other in NOISES.items() if other.has_time)
        raise invalid_option(
            "loss.weighting",
            loss.weighting,
            f"{noise.kind} noise has no time t to weight by",
            f"Use {timed} noise, or the weighting uniform.",
        )
    if not SUPERVISIONS[loss.supervise].corrupted:
        corrupted = " or ".join(name for name, other in SUPERVISIONS.items() if other.corrupted)
        raise invalid_option(
            "loss.weighting",
            loss.weighting,
            f"1/t weights belong to corrupted tokens, and supervise is {loss.supervise}",
            f"Set loss.supervise to {corrupted}, or the weighting to uniform.",
        )


def check_answer_supervised(loss: LossSpec) -> None:
    """Raises INVALID_OPTION for a loss over the prompt, of an adapter that computes answers alone (`causal-prefix`)."""
    if not SUPERVISIONS[loss.supervise].prompt:
        return
    others = " or ".join(name for name, other in SUPERVISIONS.items() if not other.prompt)
    raise invalid_option(
        "loss.supervise",
        loss.supervise,
        "in causal-prefix attention the prompt runs through the unadapted base, which learns nothing",
        f"Set loss.supervise to {others}.",
    )


def _weights(
    example: PreparedExample, noised: NoisedExample, supervised: Sequence[bool], counted: int, spec: LossSpec
) -> tuple[float, ...]:
    if not any(supervised):
        return (0.0,) * len(supervised)
    tail = spec.tail_weight if spec.tail else 0.0
    of = WeighedExample(example=example, tail=tail, supervised=supervised, time=noised.time, counted=counted)
    divisor = WEIGHTINGS[spec.weighting].divisor(of)
    weight = example.weight
    own, of_tail = float(np.float32(weight / divisor)), float(np.float32(tail * weight / divisor))
    return tuple(
        (of_tail if is_tail else own) if is_target else 0.0
        for is_target, is_tail in zip(supervised, example.tail, strict=True)
    )
