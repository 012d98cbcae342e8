"""Which tokens are supervised and with what weight (docs/method.md §4): the numbers that a loop of the caller's own could send.

`sdk/src/method/loss-targets.ts` computes the same; weights are computed in float64 and rounded once to float32 in both.
"""

from collections.abc import Sequence

import numpy as np

from lad_runtime.errors import invalid_option
from lad_runtime.method.noise import NoisedExample
from lad_runtime.types.data import PreparedExample
from lad_runtime.types.primitives import TargetedSequence
from lad_runtime.types.training import LossSpec, NoiseSpec

UNSUPERVISED = -1  # a target of TargetedSequence


def targeted(
    example: PreparedExample, noised: NoisedExample, spec: LossSpec, counted: int
) -> TargetedSequence:
    """An example with its targets and weights, in a batch of which `counted` examples have any supervised token.

    `uniform` weights are 1 / (n · E), n the example's supervised tokens, E the examples that have any: the mean over an
    example's tokens, then over the examples. `inverse-time` weights are 1 / (t · L · E), L the whole answer's length (with its
    tail, where that is supervised): LLaDA's estimate of the likelihood (arXiv 2502.09992, equation 3).
    """
    chosen = supervised_positions(example, noised, spec)
    return TargetedSequence(
        ids=noised.ids,
        targets=tuple(
            t if is_target else UNSUPERVISED for t, is_target in zip(example.ids, chosen, strict=True)
        ),
        weights=_weights(example, noised, chosen, counted, spec),
        prompt_tokens=example.answer.index(True),
    )


def supervised_positions(
    example: PreparedExample, noised: NoisedExample | None, spec: LossSpec
) -> tuple[bool, ...]:
    """Which positions of the window the loss counts; without noise too, where it counts others than corrupted ones."""
    if spec.supervise == "all-tokens":
        chosen: Sequence[bool] = [True] * len(example.ids)
    elif spec.supervise == "all-answer-tokens":
        chosen = example.answer
    else:
        assert noised is not None, "what is corrupted depends on the noise"
        chosen = [
            answer and changed for answer, changed in zip(example.answer, noised.corrupted, strict=True)
        ]
    return tuple(
        is_chosen and (spec.tail or not tail) for is_chosen, tail in zip(chosen, example.tail, strict=True)
    )


def check_loss(loss: LossSpec, noise: NoiseSpec) -> None:
    """Raises INVALID_OPTION for 1/t weights where t means nothing: with `lad` noise, or over tokens that are not corrupted."""
    if loss.weighting == "uniform":
        return
    if noise.kind not in ("mask-only", "uniform"):
        raise invalid_option(
            "loss.weighting",
            loss.weighting,
            f"{noise.kind} noise has no time t to weight by",
            "Use mask-only or uniform noise, or the weighting uniform.",
        )
    if loss.supervise != "corrupted-answer-tokens":
        raise invalid_option(
            "loss.weighting",
            loss.weighting,
            f"1/t weights belong to corrupted tokens, and supervise is {loss.supervise}",
            "Set loss.supervise to corrupted-answer-tokens, or the weighting to uniform.",
        )


def _weights(
    example: PreparedExample, noised: NoisedExample, chosen: Sequence[bool], counted: int, spec: LossSpec
) -> tuple[float, ...]:
    count = sum(chosen)
    if count == 0:
        return (0.0,) * len(chosen)
    if spec.weighting == "inverse-time":
        length = sum(
            answer and (spec.tail or not tail)
            for answer, tail in zip(example.answer, example.tail, strict=True)
        )
        weight = 1 / (noised.time * length * counted)
    else:
        weight = 1 / (count * counted)
    rounded = float(np.float32(weight))
    return tuple(rounded if is_chosen else 0.0 for is_chosen in chosen)
