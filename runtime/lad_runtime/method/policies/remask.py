"""`remask`, scheduled denoising with re-masking (docs/method.md §6): after each forward a share of the answer is MASK again."""

import math
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from lad_runtime.checks import check_choice, check_number, check_whole
from lad_runtime.method.answer_state import AnswerState, Sampled
from lad_runtime.method.choose import Bools, clustered_positions, guided_positions, random_positions
from lad_runtime.method.policies.policy import AnswerCanvas, Denoising, SettlingPolicy


@dataclass(frozen=True, kw_only=True)
class RemaskPolicy(SettlingPolicy):
    """`retention` says what becomes of a position that an iteration did not re-mask: `none`, it may be re-masked later;
    `editable`, it is never MASK again, but its token is sampled anew in every iteration; `locked`, its token is final.
    """

    kind: Literal["remask"] = field(default="remask", init=False)
    schedule: Literal["exponential", "linear"]
    sharpness: float
    noise_start: float
    positions: Literal["random", "clustered", "confidence"]
    min_guidance_weight: float
    cluster_span: int  # mean length of a cluster, in tokens
    retention: Literal["none", "editable", "locked"]

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice("policy.schedule", self.schedule, ("exponential", "linear"))
        check_number("policy.sharpness", self.sharpness, above=0)
        check_number("policy.noiseStart", self.noise_start, low=0, high=1)
        check_choice("policy.positions", self.positions, ("random", "clustered", "confidence"))
        check_number("policy.minGuidanceWeight", self.min_guidance_weight, above=0, high=1)
        check_whole("policy.clusterSpan", self.cluster_span, low=1)
        check_choice("policy.retention", self.retention, ("none", "editable", "locked"))

    def final(self, state: AnswerState) -> Bools:
        return state.kept_N if self.retention == "locked" else super().final(state)

    def denoising(self, canvas: AnswerCanvas) -> "Remask":
        return Remask(policy=self, canvas=canvas)


@dataclass(frozen=True, kw_only=True)
class Remask(Denoising):
    """Re-masks floor(share · N) of the N positions, or all candidates where there are fewer (kept ones, a canvas that grows).

    A position is a candidate until it is kept, and an iteration keeps what it did not re-mask. Which means, by retention:

    - `none`: nothing is kept. Every position is a candidate each time, and any token may change.
    - `editable`: a kept position is never MASK again; its token is still sampled anew in every iteration, and may change.
    - `locked`: as editable, and its token is final: what was sampled when it was first kept stays, with its confidence.
    """

    policy: RemaskPolicy
    canvas: AnswerCanvas

    @property
    def iterations(self) -> int:
        return self.policy.iterations

    def predicted(self, state: AnswerState, iteration: int) -> Bools:
        if self.policy.retention == "locked":
            return ~state.kept_N
        return np.ones(len(state), dtype=np.bool_)

    def schedule(self, state: AnswerState, sampled: Sampled, iteration: int, last: bool) -> int:
        if last:
            return 0
        share = remask_share(self.policy, iteration)
        return min(share_count(share, len(state)), int((~state.kept_N).sum()))

    def choose(self, state: AnswerState, sampled: Sampled, count: int, iteration: int) -> Bools:
        candidates_N, policy, key = ~state.kept_N, self.policy, self.canvas.key
        if policy.positions == "random":
            return random_positions(candidates_N, count, key=key, iteration=iteration)
        if policy.positions == "clustered":
            span = policy.cluster_span
            return clustered_positions(candidates_N, count, mean_span=span, key=key, iteration=iteration)
        return guided_positions(
            candidates_N,
            count,
            confidences_N=sampled.confidences_N,
            eos_N=np.isin(sampled.ids_N, self.canvas.tail_token_ids),
            min_weight=policy.min_guidance_weight,
            key=key,
            iteration=iteration,
        )

    def commit(self, state: AnswerState, sampled: Sampled, chosen_N: Bools) -> AnswerState:
        retains = self.policy.retention != "none"
        return AnswerState(
            ids_N=np.where(chosen_N, self.canvas.mask_token_id, sampled.ids_N),
            masked_N=chosen_N,
            kept_N=~chosen_N if retains else np.zeros(len(state), dtype=np.bool_),
            confidences_N=np.where(chosen_N, 0.0, sampled.confidences_N),
            memory=(),
        )


def remask_share(policy: RemaskPolicy, iteration: int) -> float:
    """The share of the answer that is re-masked after iteration i of I, with x = i / I; 0 after the last.

    exponential: n0 · (e^(−s·x) − e^(−s)) / (1 − e^(−s)); linear: n0 · (1 − x).
    """
    if iteration >= policy.iterations - 1:
        return 0.0
    x = iteration / policy.iterations
    if policy.schedule == "linear":
        return policy.noise_start * (1 - x)
    end = math.expm1(-policy.sharpness)
    return policy.noise_start * ((math.expm1(-policy.sharpness * x) - end) / -end)


def share_count(share: float, positions: int) -> int:
    """floor(share · positions); 1e-9 makes up for the rounding of a share that is a whole number of positions."""
    return math.floor(share * positions + 1e-9)
