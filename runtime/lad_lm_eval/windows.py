"""Which tokens are scored behind which."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from lm_eval.utils import get_rolling_token_windows, make_disjoint_window


class Pair(NamedTuple):
    """What is scored: `continuation` behind `prompt`, which has at least one token."""

    prompt: Sequence[int]
    continuation: Sequence[int]


def moved_spaces(context: str, continuation: str) -> tuple[str, str]:
    """Spaces at the end of a context belong to the word that follows them."""
    bare = context.rstrip()
    return bare, context[len(bare) :] + continuation


def fitting(prompt: Sequence[int], continuation: Sequence[int], positions: int) -> Pair:
    """Without the prompt's beginning, as far as the model has no positions for it; one token of it stays."""
    room = max(1, positions - len(continuation))
    return Pair(prompt[-room:], continuation)


def rolling(ids: Sequence[int], prefix: int, positions: int) -> Iterator[Pair]:
    """Every token of a long text once, behind as many others as there are positions for; the first behind `prefix`."""
    windows = get_rolling_token_windows(list(ids), prefix, max_seq_len=positions - 1, context_len=1)
    for window in windows:
        yield Pair(*make_disjoint_window(window))
