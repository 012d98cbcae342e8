"""Where an answer ends."""

from collections.abc import Collection, Sequence


def end_of_answer(ids: Sequence[int], stop_token_ids: Collection[int]) -> int:
    """The position of the first stop token; `len(ids)` where there is none."""
    return next((position for position, token in enumerate(ids) if token in stop_token_ids), len(ids))
