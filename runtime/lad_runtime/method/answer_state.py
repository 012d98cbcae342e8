"""The answer part of a canvas between two forwards, and the tokens sampled from a forward."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lad_runtime.method.choose import Bools, Floats

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
    memory: tuple[int, ...]  # whole numbers from 0 that a policy hands on to its next iteration

    @classmethod
    def all_masked(cls, count: int, mask_token_id: int) -> "AnswerState":
        return cls(
            ids_N=np.full(count, mask_token_id, dtype=np.int64),
            masked_N=np.ones(count, dtype=np.bool_),
            kept_N=np.zeros(count, dtype=np.bool_),
            confidences_N=np.zeros(count),
            memory=(),
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
            memory=self.memory,
        )


@dataclass(frozen=True, kw_only=True)
class Sampled:
    """What one forward says of the whole answer: a token and its confidence at the predicted positions, the state elsewhere.

    Entropies and standing confidences are 0 where nothing was predicted, and everywhere if the policy does not use them.
    """

    ids_N: Ids
    confidences_N: Floats
    entropies_N: Floats  # of the distribution at temperature 1, in nats
    standing_N: (
        Floats  # probability, at temperature 1 before any filter, of the token that stands in the input
    )

    @classmethod
    def nothing(cls, state: AnswerState) -> "Sampled":
        """Before anything was predicted."""
        zeros_N = np.zeros(len(state))
        return cls(
            ids_N=state.ids_N, confidences_N=state.confidences_N, entropies_N=zeros_N, standing_N=zeros_N
        )


class Settled:
    """Sees an answer after each iteration and says when three consecutive ones were the same.

    `last` was seen already, `times` times in a row; None: nothing was.
    """

    def __init__(self, last: Ids | None = None, times: int = 0) -> None:
        self._last = last
        self._times = times

    @property
    def times(self) -> int:
        """How often in a row the last answer was seen."""
        return self._times

    def see(self, ids_N: Ids) -> bool:
        same = self._last is not None and np.array_equal(self._last, ids_N)
        self._times = self._times + 1 if same else 1
        self._last = ids_N
        return self._times >= 3
