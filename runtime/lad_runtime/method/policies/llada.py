"""`llada`, LLaDA's fixed budget (arXiv 2502.09992; docs/method.md §6): each step commits its most confident masks, for good."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np

from lad_runtime.checks import check_number, check_whole
from lad_runtime.errors import invalid_option
from lad_runtime.method.answer_state import AnswerState, Sampled
from lad_runtime.method.choose import Bools, most_confident
from lad_runtime.method.policies.policy import AnswerCanvas, Denoising, DenoisingPolicy


@dataclass(frozen=True, kw_only=True)
class LladaPolicy(DenoisingPolicy):
    kind: Literal["llada"] = field(default="llada", init=False)
    block_tokens: int  # 0: one block
    guidance_scale: float  # classifier-free guidance
    eos_confidence_off: bool  # a stop token never wins by confidence

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole("policy.blockTokens", self.block_tokens, low=0)
        check_number("policy.guidanceScale", self.guidance_scale, low=0)

    @property
    def guidance(self) -> float:
        return self.guidance_scale

    @property
    def changes_visible(self) -> bool:
        return False

    def check_answer(self, answer_tokens: int, canvas_tokens: int) -> None:
        blocks = -(-canvas_tokens // (self.block_tokens or canvas_tokens))
        if self.iterations < blocks:
            raise invalid_option(
                "policy.iterations",
                self.iterations,
                f"{blocks} blocks need at least one iteration each",
                f"Give at least {blocks}, or a larger blockTokens.",
            )

    def denoising(self, canvas: AnswerCanvas) -> "Llada":
        return Llada(policy=self, canvas=canvas)


@dataclass(frozen=True, kw_only=True)
class Llada(Denoising):
    """Only MASK positions of the current block are sampled; block follows block from left to right.

    An edited answer may have masks in earlier blocks, which are sampled with it, or none up to its end: then the next block's are.
    The last step commits whatever is left.

    With `eos_confidence_off` a sampled stop token counts with confidence −∞: it is committed where nothing else is left to.
    """

    policy: LladaPolicy
    canvas: AnswerCanvas

    @cached_property
    def budget(self) -> tuple["BudgetStep", ...]:
        return llada_budget(self.canvas.tokens, self.policy.block_tokens, self.policy.iterations)

    @property
    def iterations(self) -> int:
        return len(self.budget)

    def predicted(self, state: AnswerState, iteration: int) -> Bools:
        positions_N = np.arange(len(state))
        for step in self.budget[iteration:]:
            masked_N = state.masked_N & (positions_N < step.stop)
            if masked_N.any():
                return masked_N
        return np.zeros(len(state), dtype=np.bool_)

    def schedule(self, state: AnswerState, sampled: Sampled, iteration: int, last: bool) -> int:
        open_masks = int(self.predicted(state, iteration).sum())
        return open_masks if last else min(self.budget[iteration].count, open_masks)

    def choose(self, state: AnswerState, sampled: Sampled, count: int, iteration: int) -> Bools:
        confidences_N = sampled.confidences_N
        if self.policy.eos_confidence_off:
            is_stop_N = np.isin(sampled.ids_N, self.canvas.stop_token_ids)
            confidences_N = np.where(is_stop_N, -np.inf, confidences_N)
        return most_confident(self.predicted(state, iteration), count, confidences_N=confidences_N)

    def commit(self, state: AnswerState, sampled: Sampled, chosen_N: Bools) -> AnswerState:
        return AnswerState(
            ids_N=np.where(chosen_N, sampled.ids_N, state.ids_N),
            masked_N=state.masked_N & ~chosen_N,
            kept_N=state.kept_N | chosen_N,
            confidences_N=np.where(chosen_N, sampled.confidences_N, state.confidences_N),
            memory=(),
        )


@dataclass(frozen=True, kw_only=True)
class BudgetStep:
    """One step of LLaDA's fixed budget: `count` masks of the positions start…stop−1 are committed."""

    start: int
    stop: int
    count: int


def llada_budget(answer_tokens: int, block_tokens: int, iterations: int) -> tuple[BudgetStep, ...]:
    """The steps of a whole run, block after block; their counts sum to `answer_tokens`.

    Iterations are shared out evenly over the blocks, and a block's positions over its steps, the earlier ones getting what is
    left over. A block takes no more steps than it has positions: a step that commits nothing would change nothing.
    """
    size = block_tokens or answer_tokens
    starts = range(0, answer_tokens, size)
    steps = []
    for start, share in zip(starts, _evenly(iterations, len(starts)), strict=True):
        stop = min(start + size, answer_tokens)
        counts = _evenly(stop - start, min(share, stop - start))
        steps += [BudgetStep(start=start, stop=stop, count=count) for count in counts]
    return tuple(steps)


def _evenly(total: int, parts: int) -> list[int]:
    return [total // parts + (part < total % parts) for part in range(parts)]
