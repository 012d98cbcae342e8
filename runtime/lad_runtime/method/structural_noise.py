"""The structural part of `lad` noise (docs/method.md §3): tokens that travel, are doubled, or overwrite others.

A cell is (token id, masked): whether it shows MASK travels with the token through every swap and copy. Each function returns
new cells and takes its random numbers as an argument. `runs` are the [start, end) ranges of cells that stand side by side in
the window; nothing crosses from one run to another, and an answer of one turn is one run.
"""

from collections.abc import Sequence
from itertools import pairwise
from math import floor

Cell = tuple[int, bool]
Run = tuple[int, int]


def runs_of(positions: Sequence[int]) -> list[Run]:
    """The stretches of neighbouring window positions, as ranges of their indices: [3, 4, 5, 9] → [(0, 3), (3, 4)]."""
    starts = [0, *(i + 1 for i, (a, b) in enumerate(pairwise(positions)) if b != a + 1)]
    return list(pairwise([*starts, len(positions)])) if positions else []


def swap(
    cells: Sequence[Cell], runs: Sequence[Run], uniforms: Sequence[float], probability: float
) -> list[Cell]:
    """Each adjacent pair, left to right, changes places where uniform number i (of its left cell) is below `probability`.

    A token that was swapped to the right takes part in the next pair, so it can travel.
    """
    moved = list(cells)
    for start, end in runs:
        for i in range(start, end - 1):
            if uniforms[i] < probability:
                moved[i], moved[i + 1] = moved[i + 1], moved[i]
    return moved


def duplicate(
    cells: Sequence[Cell],
    runs: Sequence[Run],
    chosen: Sequence[float],
    sides: Sequence[float],
    probability: float,
) -> list[Cell]:
    """Cells whose `chosen` number is below `probability` become copies of a neighbour: the left one where `sides` is below ½.

    All left copies are taken at once, then all right copies from what that left; a copy past a run's edge is skipped.
    """
    copied = list(cells)
    for start, end in runs:
        for i in range(start + 1, end):
            if chosen[i] < probability and sides[i] < 0.5:
                copied[i] = cells[i - 1]
    left = list(copied)
    for start, end in runs:
        for i in range(start, end - 1):
            if chosen[i] < probability and sides[i] >= 0.5:
                copied[i] = left[i + 1]
    return copied


def shift(
    cells: Sequence[Cell], runs: Sequence[Run], uniforms: Sequence[float], *, max_span: int, max_shift: int
) -> list[Cell]:
    """One span of 1…`max_span` cells is copied 1…`max_shift` places to a side, clamped to its run, over what is there.

    `uniforms` are five numbers: which cell picks the run, the span's length, its start, the distance, the side (left below ½).
    """
    pick, length, place, distance, side = uniforms
    start, end = next(run for run in runs if floor(pick * len(cells)) < run[1])
    span = min(1 + floor(length * max_span), end - start)
    source = start + floor(place * (end - start - span + 1))
    step = 1 + floor(distance * max_shift)
    target = min(max(source - step if side < 0.5 else source + step, start), end - span)
    shifted = list(cells)
    shifted[target : target + span] = cells[source : source + span]
    return shifted
