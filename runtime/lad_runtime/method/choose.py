"""Which positions: every way to pick exactly `count` of the candidates, as a bool mask over the answer.

Choices take numbers of the sequence (seed, REMASK, subject = canvas, round = iteration): number p of lane 0 belongs to position p.
Whatever is compared, equal keys go to the lower position. `sdk/src/method/choose.ts` makes the very same choices;
`test/contract/remask.json` holds both to them.
"""

import numpy as np
from numpy.typing import NDArray

from lad_runtime.method.random import CanvasKey, Purpose, uniform_lanes

Bools = NDArray[np.bool_]
Floats = NDArray[np.float64]


def random_positions(candidates_N: Bools, count: int, *, key: CanvasKey, iteration: int) -> Bools:
    """Uniformly without replacement: the candidates with the `count` smallest numbers."""
    return _smallest(_numbers(candidates_N, key, iteration)[0], candidates_N, count)


def clustered_positions(
    candidates_N: Bools, count: int, *, mean_span: int, key: CanvasKey, iteration: int
) -> Bools:
    """In runs of `mean_span` positions on average (geometric): whole runs in random order, the last one cut at its right end.

    A run starts at position 0 and wherever the number of lane 1 is below 1 / mean_span; its place in the order is the
    number of lane 0 at its start. Positions that are no candidates are passed over.
    """
    keys_N, borders_N = _numbers(candidates_N, key, iteration)
    starts_N = borders_N < 1 / mean_span
    starts_N[:1] = True
    start_of_N = np.maximum.accumulate(np.where(starts_N, np.arange(len(starts_N)), 0))
    return _smallest(keys_N[start_of_N], candidates_N, count)


def guided_positions(
    candidates_N: Bools,
    count: int,
    *,
    confidences_N: Floats,
    eos_N: Bools,
    min_weight: float,
    key: CanvasKey,
    iteration: int,
) -> Bools:
    """Without replacement, with weights w = max(1 − confidence, min_weight): what the model is unsure of goes first.

    The candidates with the smallest keys −ln(u) / w (Efraimidis and Spirakis, 2006). Candidates that show a stop token
    or what fills the tail behind it (`eos_N`) and others are drawn from apart, in proportion: floor(count · EOS candidates /
    candidates) EOS positions, the rest others.
    """
    weights_N = np.maximum(1 - confidences_N, min_weight)
    with np.errstate(divide="ignore"):
        keys_N = -np.log(_numbers(candidates_N, key, iteration)[0]) / weights_N
    eos_candidates_N = candidates_N & eos_N
    eos_count = count * int(eos_candidates_N.sum()) // max(1, int(candidates_N.sum()))
    others_N = _smallest(keys_N, candidates_N & ~eos_N, count - eos_count)
    return others_N | _smallest(keys_N, eos_candidates_N, eos_count)


def most_confident(candidates_N: Bools, count: int, *, confidences_N: Floats) -> Bools:
    """The candidates of highest confidence (−inf allowed)."""
    return _smallest(-confidences_N, candidates_N, count)


def sure_masks(masked_N: Bools, least: float, *, confidences_N: Floats) -> Bools:
    """The masks whose confidence is at least `least`, or the surest one."""
    sure = int((masked_N & (confidences_N >= least)).sum())
    return most_confident(masked_N, max(sure, min(1, int(masked_N.sum()))), confidences_N=confidences_N)


def _numbers(candidates_N: Bools, key: CanvasKey, iteration: int) -> Floats:
    return uniform_lanes(key.seed, Purpose.REMASK, key.canvas, iteration, len(candidates_N), (0, 1))


def _smallest(keys_N: Floats, candidates_N: Bools, count: int) -> Bools:
    """True at the `count` candidates with the smallest keys."""
    candidates = np.flatnonzero(candidates_N)
    assert 0 <= count <= len(candidates), f"{count} of {len(candidates)} candidates"
    chosen_N = np.zeros(len(candidates_N), dtype=np.bool_)
    chosen_N[candidates[np.argsort(keys_N[candidates], kind="stable")[:count]]] = True
    return chosen_N
