"""LLaDA's fixed budget (arXiv 2502.09992; docs/method.md §6): each step commits its share of the most confident masks, for good."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lad_runtime.method.choose import Bools, most_confident
from lad_runtime.method.policies.policy import AnswerState, BudgetStep, Sampled, llada_budget
from lad_runtime.method.policies.specs import LladaSpec


@dataclass(frozen=True, kw_only=True)
class Llada:
    """Only MASK positions of the current block are sampled; block follows block from left to right.

    With `eos_confidence_off` a sampled stop token counts with confidence −∞: it is committed where nothing else is left to.
    """

    spec: LladaSpec
    answer_tokens: int
    max_iterations: int
    stop_token_ids: tuple[int, ...]
    settles: bool = False

    @cached_property
    def budget(self) -> tuple[BudgetStep, ...]:
        return llada_budget(self.answer_tokens, self.spec.block_tokens, self.max_iterations)

    @property
    def iterations(self) -> int:
        return len(self.budget)

    def predicted(self, state: AnswerState, iteration: int) -> Bools:
        step = self.budget[iteration]
        positions_N = np.arange(len(state))
        return state.masked_N & (positions_N >= step.start) & (positions_N < step.stop)

    def schedule(self, state: AnswerState, iteration: int, last: bool) -> int:
        return self.budget[iteration].count

    def choose(self, state: AnswerState, sampled: Sampled, count: int, iteration: int) -> Bools:
        confidences_N = sampled.confidences_N
        if self.spec.eos_confidence_off:
            confidences_N = np.where(np.isin(sampled.ids_N, self.stop_token_ids), -np.inf, confidences_N)
        return most_confident(self.predicted(state, iteration), count, confidences_N=confidences_N)

    def commit(self, state: AnswerState, sampled: Sampled, chosen_N: Bools) -> AnswerState:
        return AnswerState(
            ids_N=np.where(chosen_N, sampled.ids_N, state.ids_N),
            masked_N=state.masked_N & ~chosen_N,
            kept_N=state.kept_N | chosen_N,
            confidences_N=np.where(chosen_N, sampled.confidences_N, state.confidences_N),
        )
