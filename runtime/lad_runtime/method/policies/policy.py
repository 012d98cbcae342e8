"""What every denoising policy is made of: the answer between two forwards, the three steps, and the counts they go by.

A policy decides, once a forward has been sampled from, what the next canvas is: `schedule` says how many positions, `choose`
says which, `commit` writes the next canvas. A new policy is a new file with a class of this shape.
"""

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lad_runtime.method.choose import Bools, Floats
from lad_runtime.method.policies.specs import RemaskSpec

Ids = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class AnswerState:
    """The answer part of a canvas, as the next forward sees it.

    That a position is masked is state, never `id == mask`: the mask token is ordinary text and may be sampled.
    """

    ids_N: Ids  # the mask token where masked
    masked_N: Bools
    kept_N: Bools  # retained from re-masking, or committed
    confidences_N: Floats  # of the tokens that stand there; 0 where masked

    @classmethod
    def all_masked(cls, count: int, mask_token_id: int) -> "AnswerState":
        return cls(
            ids_N=np.full(count, mask_token_id, dtype=np.int64),
            masked_N=np.ones(count, dtype=np.bool_),
            kept_N=np.zeros(count, dtype=np.bool_),
            confidences_N=np.zeros(count),
        )

    def __len__(self) -> int:
        return len(self.ids_N)

    def grown(self, count: int, mask_token_id: int) -> "AnswerState":
        """The same with `count` MASK positions appended."""
        more = AnswerState.all_masked(count, mask_token_id)
        return AnswerState(
            ids_N=np.concatenate([self.ids_N, more.ids_N]),
            masked_N=np.concatenate([self.masked_N, more.masked_N]),
            kept_N=np.concatenate([self.kept_N, more.kept_N]),
            confidences_N=np.concatenate([self.confidences_N, more.confidences_N]),
        )


@dataclass(frozen=True, kw_only=True)
class Sampled:
    """What one forward says of the whole answer: a token and its confidence at the predicted positions, the state elsewhere."""

    ids_N: Ids
    confidences_N: Floats


class Policy(Protocol):
    """How an answer is denoised. Every method is a pure function of its arguments and the policy's own settings."""

    @property
    def iterations(self) -> int:
        """Forwards at most."""
        ...

    @property
    def settles(self) -> bool:
        """Whether an answer that stays the same in three iterations is done (where the caller asks for early stops)."""
        ...

    def predicted(self, state: AnswerState, iteration: int) -> Bools:
        """Which positions are sampled; where there are none, the answer is done."""
        ...

    def schedule(self, state: AnswerState, iteration: int, last: bool) -> int:
        """How many positions are chosen; `last`: no iteration follows."""
        ...

    def choose(self, state: AnswerState, sampled: Sampled, count: int, iteration: int) -> Bools:
        """Which `count` positions."""
        ...

    def commit(self, state: AnswerState, sampled: Sampled, chosen_N: Bools) -> AnswerState:
        """The next canvas."""
        ...


class Settled:
    """Sees an answer after each iteration and says when three consecutive ones were the same."""

    def __init__(self) -> None:
        self._last: Ids | None = None
        self._times = 0

    def see(self, ids_N: Ids) -> bool:
        same = self._last is not None and np.array_equal(self._last, ids_N)
        self._times = self._times + 1 if same else 1
        self._last = ids_N
        return self._times >= 3


def remask_share(spec: RemaskSpec, iteration: int, iterations: int) -> float:
    """The share of the answer that is re-masked after iteration i of I, with x = i / I; 0 after the last.

    exponential: n0 · (e^(−s·x) − e^(−s)) / (1 − e^(−s)); linear: n0 · (1 − x).
    """
    if iteration >= iterations - 1:
        return 0.0
    x = iteration / iterations
    if spec.schedule == "linear":
        return spec.noise_start * (1 - x)
    end = math.expm1(-spec.sharpness)
    return spec.noise_start * ((math.expm1(-spec.sharpness * x) - end) / -end)


def share_count(share: float, positions: int) -> int:
    """floor(share · positions); 1e-9 makes up for the rounding of a share that is a whole number of positions."""
    return math.floor(share * positions + 1e-9)


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
