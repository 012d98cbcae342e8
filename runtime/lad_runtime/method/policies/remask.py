"""Scheduled denoising with re-masking (docs/method.md §6): after each forward a share of the answer becomes MASK again."""

from dataclasses import dataclass

import numpy as np

from lad_runtime.method.choose import (
    Bools,
    clustered_positions,
    guided_positions,
    random_positions,
)
from lad_runtime.method.policies.policy import AnswerState, Sampled, remask_share, share_count
from lad_runtime.method.policies.specs import RemaskSpec


@dataclass(frozen=True, kw_only=True)
class Remask:
    """Re-masks floor(share · N) of the N positions, or all candidates where there are fewer (kept ones, a canvas that grows).

    A position is a candidate until it is kept, and an iteration keeps what it did not re-mask. Which means, by retention:

    - `none`: nothing is kept. Every position is a candidate each time, and any token may change.
    - `editable`: a kept position is never MASK again; its token is still sampled anew in every iteration, and may change.
    - `locked`: as editable, and its token is final: what was sampled when it was first kept stays, with its confidence.
    """

    spec: RemaskSpec
    iterations: int
    seed: int
    stop_token_ids: tuple[int, ...]
    mask_token_id: int
    settles: bool = True

    def predicted(self, state: AnswerState, iteration: int) -> Bools:
        if self.spec.retention == "locked":
            return ~state.kept_N
        return np.ones(len(state), dtype=np.bool_)

    def schedule(self, state: AnswerState, iteration: int, last: bool) -> int:
        if last:
            return 0
        share = remask_share(self.spec, iteration, self.iterations)
        return min(share_count(share, len(state)), int((~state.kept_N).sum()))

    def choose(self, state: AnswerState, sampled: Sampled, count: int, iteration: int) -> Bools:
        candidates_N = ~state.kept_N
        if self.spec.positions == "random":
            return random_positions(candidates_N, count, seed=self.seed, iteration=iteration)
        if self.spec.positions == "clustered":
            return clustered_positions(
                candidates_N, count, mean_span=self.spec.cluster_span, seed=self.seed, iteration=iteration
            )
        return guided_positions(
            candidates_N,
            count,
            confidences_N=sampled.confidences_N,
            eos_N=np.isin(sampled.ids_N, self.stop_token_ids),
            min_weight=self.spec.min_guidance_weight,
            seed=self.seed,
            iteration=iteration,
        )

    def commit(self, state: AnswerState, sampled: Sampled, chosen_N: Bools) -> AnswerState:
        retains = self.spec.retention != "none"
        return AnswerState(
            ids_N=np.where(chosen_N, self.mask_token_id, sampled.ids_N),
            masked_N=chosen_N,
            kept_N=~chosen_N if retains else np.zeros(len(state), dtype=np.bool_),
            confidences_N=np.where(chosen_N, 0.0, sampled.confidences_N),
        )
