"""`entropy-bound` (EB-Sampler, arXiv 2505.24857; docs/method.md §6): as many tokens stand as are nearly independent."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from lad_runtime.checks import check_number, check_whole
from lad_runtime.method.answer_state import AnswerState, Sampled
from lad_runtime.method.choose import Bools, Floats, most_confident
from lad_runtime.method.policies.policy import AnswerCanvas, Denoising, DenoisingPolicy


@dataclass(frozen=True, kw_only=True)
class EntropyBoundPolicy(DenoisingPolicy):
    kind: Literal["entropy-bound"] = field(default="entropy-bound", init=False)
    bound: float  # nats
    anneal: bool  # False: the draws have the temperature that was asked for
    temperature_start: float
    temperature_end: float
    stable_forwards: int  # in a row that sample the same answer
    stable_entropy: float  # nats, of a position on average

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number("policy.bound", self.bound, low=0)
        check_number("policy.temperatureStart", self.temperature_start, low=0)
        check_number("policy.temperatureEnd", self.temperature_end, low=0)
        check_whole("policy.stableForwards", self.stable_forwards, low=1, high=2**32 - 1)
        check_number("policy.stableEntropy", self.stable_entropy, low=0)

    @property
    def uses_entropies(self) -> bool:
        return True

    def denoising(self, canvas: AnswerCanvas) -> "EntropyBound":
        return EntropyBound(policy=self, canvas=canvas)


@dataclass(frozen=True, kw_only=True)
class EntropyBound(Denoising):
    """Every position is sampled in every iteration. Those of lowest entropy stand, as many as the bound allows; the others are
    MASK again.

    It is done when as many forwards in a row as the policy says sampled the same answer, and the last of them is sure
    of it. The memory holds how many did so far, then that answer.
    """

    policy: EntropyBoundPolicy
    canvas: AnswerCanvas

    @property
    def iterations(self) -> int:
        return self.policy.iterations

    def temperature(self, iteration: int) -> float | None:
        return annealed_temperature(self.policy, iteration) if self.policy.anneal else None

    def predicted(self, state: AnswerState, iteration: int) -> Bools:
        return np.ones(len(state), dtype=np.bool_)

    def finished(self, state: AnswerState, sampled: Sampled, iteration: int) -> bool:
        total = float(np.cumsum(sampled.entropies_N)[-1])  # one after another, as the other language adds
        is_sure = total / len(state) < self.policy.stable_entropy
        return is_sure and _same_in_a_row(state, sampled) >= self.policy.stable_forwards

    def schedule(self, state: AnswerState, sampled: Sampled, iteration: int, last: bool) -> int:
        return len(state) if last else bounded_count(sampled.entropies_N, self.policy.bound)

    def choose(self, state: AnswerState, sampled: Sampled, count: int, iteration: int) -> Bools:
        everywhere_N = np.ones(len(state), dtype=np.bool_)
        return most_confident(everywhere_N, count, confidences_N=-sampled.entropies_N)

    def commit(self, state: AnswerState, sampled: Sampled, chosen_N: Bools) -> AnswerState:
        return AnswerState(
            ids_N=np.where(chosen_N, sampled.ids_N, self.canvas.mask_token_id),
            masked_N=~chosen_N,
            kept_N=np.zeros(len(state), dtype=np.bool_),
            confidences_N=np.where(chosen_N, sampled.confidences_N, 0.0),
            memory=(_same_in_a_row(state, sampled), *sampled.ids_N.tolist()),
        )


def annealed_temperature(policy: EntropyBoundPolicy, iteration: int) -> float:
    """end + (start − end) · (1 − i / I) in iteration i of I."""
    start, end = policy.temperature_start, policy.temperature_end
    return end + (start - end) * (1 - iteration / policy.iterations)


def bounded_count(entropies_N: Floats, bound: float) -> int:
    """The largest n whose n lowest entropies sum to `bound` at most, the highest of them left out; at least 1."""
    rising_N = np.sort(entropies_N)
    return max(1, int((np.cumsum(rising_N) - rising_N <= bound).sum()))


def _same_in_a_row(state: AnswerState, sampled: Sampled) -> int:
    is_same = list(state.memory[1:]) == sampled.ids_N.tolist()
    return state.memory[0] + 1 if is_same else 1
