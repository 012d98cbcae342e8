"""The structural part of `lad` noise (docs/method.md §3): tokens that travel, are doubled, or overwrite others.

Each function returns new cells and takes its random numbers as an argument. `stretches` are the [start, end) ranges of cells that
stand side by side in the window; nothing crosses from one to another, and an answer of one turn is one stretch.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import floor

import numpy as np
from numpy.typing import NDArray

Cells = NDArray[np.int64]
"""[L, 2]: token id, and 1 where MASK is shown: a state that travels with the token through every swap and copy."""

Stretch = tuple[int, int]


def stretches_of(positions: NDArray[np.int64]) -> list[Stretch]:
    """The stretches of neighbouring window positions, as ranges of their indices: [3, 4, 5, 9] → [(0, 3), (3, 4)]."""
    starts = (np.flatnonzero(np.diff(positions) != 1) + 1).tolist()
    return list(pairwise([0, *starts, len(positions)])) if len(positions) else []


def swap(
    cells: Cells, stretches: Sequence[Stretch], uniforms: NDArray[np.float64], probability: float
) -> Cells:
    """Each adjacent pair, left to right, changes places where uniform number i (of its left cell) is below `probability`.

    A token that was swapped to the right takes part in the next pair, so it can travel: behind neighbouring swaps from i on
    stands the token of i, and before it those that it passed, each one place to the left.
    """
    index = np.arange(len(cells))
    swapped = (uniforms < probability) & ~_lasts(cells, stretches)
    behind = np.zeros_like(swapped)
    behind[1:] = swapped[:-1]
    began = np.maximum.accumulate(np.where(swapped & ~behind, index, 0))
    return cells[np.where(swapped, index + 1, np.where(behind, began, index))]


def duplicate(
    cells: Cells,
    stretches: Sequence[Stretch],
    chosen: NDArray[np.float64],
    sides: NDArray[np.float64],
    probability: float,
) -> Cells:
    """Cells whose `chosen` number is below `probability` become copies of a neighbour: the left one where `sides` is below ½.

    All left copies are taken at once, then all right copies from what that left; a copy past a stretch's edge is skipped.
    """
    index = np.arange(len(cells))
    is_chosen, from_left = chosen < probability, sides < 0.5
    left = cells[index - (is_chosen & from_left & ~_firsts(cells, stretches))]
    return left[index + (is_chosen & ~from_left & ~_lasts(cells, stretches))]


def shift(
    cells: Cells, stretches: Sequence[Stretch], uniforms: Sequence[float], *, max_span: int, max_shift: int
) -> Cells:
    """One span of 1…`max_span` cells is copied 1…`max_shift` places to a side, clamped to its stretch, over what is there.

    `uniforms` are five numbers: which cell picks the stretch, the span's length, its start, the distance, the side (left below ½).
    """
    pick, length, place, distance, side = uniforms
    start, end = next(stretch for stretch in stretches if floor(pick * len(cells)) < stretch[1])
    span = min(1 + floor(length * max_span), end - start)
    source = start + floor(place * (end - start - span + 1))
    step = 1 + floor(distance * max_shift)
    target = min(max(source - step if side < 0.5 else source + step, start), end - span)
    shifted = cells.copy()
    shifted[target : target + span] = cells[source : source + span]
    return shifted


def _firsts(cells: Cells, stretches: Sequence[Stretch]) -> NDArray[np.bool_]:
    """True at the first cell of each stretch, [L]."""
    firsts = np.zeros(len(cells), dtype=np.bool_)
    firsts[[start for start, _ in stretches]] = True
    return firsts


def _lasts(cells: Cells, stretches: Sequence[Stretch]) -> NDArray[np.bool_]:
    lasts = np.zeros(len(cells), dtype=np.bool_)
    lasts[[end - 1 for _, end in stretches]] = True
    return lasts
