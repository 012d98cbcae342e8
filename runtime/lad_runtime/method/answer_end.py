"""Where an answer ends."""

from collections.abc import Collection, Sequence

from lad_runtime.method.choose import Bools


def end_of_answer(ids: Sequence[int], stop_token_ids: Collection[int]) -> int:
    """The position of the first stop token; `len(ids)` where there is none."""
    return next((position for position, token in enumerate(ids) if token in stop_token_ids), len(ids))


def first_stop(ids: Sequence[int], pinned: Bools | Sequence[bool], tail_token_ids: Collection[int]) -> int:
    """The first position where a stop token may be sampled: after the last pinned token of the answer's own, 0 without such a pin.

    `tail_token_ids` are the stop tokens and what fills the tail behind them.
    """
    held = [p for p, token in enumerate(ids) if pinned[p] and token not in tail_token_ids]
    return max(held, default=-1) + 1
