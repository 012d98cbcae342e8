"""Training noise (docs/method.md §3): a pure function of (seed, example id, epoch), whatever batch the example stands in."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor

from lad_runtime.method.masking import below, lowest
from lad_runtime.method.random import Purpose, uniform_lanes
from lad_runtime.method.structural_noise import Cell, duplicate, runs_of, shift, swap
from lad_runtime.types.data import PreparedExample
from lad_runtime.types.training import NoiseSpec

_SCALARS, _KEYS, _SWAPS, _CHOSEN, _SIDES, _TOKENS = range(6)  # lanes
_FULL_MASK, _STRENGTH, _MASK, _FRACTION, _SHIFT, _SPAN = (
    0,
    1,
    2,
    3,
    4,
    slice(5, 10),
)  # numbers of the first lane
_COVER, _TIME = 10, 11
_SCALAR_COUNT = 12


@dataclass(frozen=True, kw_only=True)
class NoisedExample:
    """What the model is shown. All per window position; `corrupted`: the id shown differs from the clean one.

    `masked` is state, not a comparison: an answer may hold the mask token as ordinary text, and a mask may have been copied.
    """

    ids: tuple[int, ...]
    masked: tuple[bool, ...]
    corrupted: tuple[bool, ...]
    time: float  # t of the kinds that draw one; NaN for `lad` and `none`


def apply_noise(
    example: PreparedExample,
    spec: NoiseSpec,
    *,
    seed: int,
    epoch: int,
    mask_id: int,
    vocab_size: int,
    purpose: Purpose = Purpose.NOISE,
) -> NoisedExample:
    """Corrupts the example's answer (its EOS tail too, unless `tail_noise` is off); the prompt stays as it is."""
    positions = noised_positions(example, spec)
    clean: list[Cell] = [(example.ids[i], False) for i in positions]
    if spec.kind == "none" or not clean:
        return _placed(example, positions, clean, float("nan"))
    lanes = uniform_lanes(seed, purpose, example.id, epoch, max(len(clean), _SCALAR_COUNT), range(6)).tolist()
    cells, time = _corrupt(clean, positions, spec, lanes, mask_id, vocab_size)
    return _placed(example, positions, cells, time)


def noised_positions(example: PreparedExample, spec: NoiseSpec) -> list[int]:
    """Window positions that noise may change; their number is the method's L."""
    return [
        i
        for i, (answer, tail) in enumerate(zip(example.answer, example.tail, strict=True))
        if answer and (spec.tail_noise or not tail)
    ]


def _corrupt(
    cells: list[Cell],
    positions: Sequence[int],
    spec: NoiseSpec,
    lanes: Sequence[Sequence[float]],
    mask_id: int,
    vocab_size: int,
) -> tuple[list[Cell], float]:
    kind, scalars = spec.kind, lanes[_SCALARS]
    time = spec.min_time + (1 - spec.min_time) * scalars[_TIME]
    if kind == "cover":
        kind, time = ("lad", time) if scalars[_COVER] < 0.5 else ("mask-only", scalars[_TIME])
    if kind == "lad":
        return _lad(cells, positions, spec, lanes, mask_id), float("nan")
    keys = lanes[_KEYS][: len(cells)]
    if kind == "mask-only":
        return _masked(cells, below(keys, time, at_least_one=True), mask_id), time
    replaced = list(cells)
    for i in below(keys, time, at_least_one=False):
        replaced[i] = (floor(lanes[_TOKENS][i] * vocab_size), False)
    return replaced, time


def _lad(
    cells: list[Cell],
    positions: Sequence[int],
    spec: NoiseSpec,
    lanes: Sequence[Sequence[float]],
    mask_id: int,
) -> list[Cell]:
    """Masks, then swaps, duplications and one span shift, as docs/method.md §3 orders them."""
    scalars, length = lanes[_SCALARS], len(cells)
    if scalars[_FULL_MASK] < spec.full_mask_probability:
        return _masked(cells, range(length), mask_id)
    strength = scalars[_STRENGTH]
    if scalars[_MASK] < spec.mask_probability:
        count = floor(spec.max_mask_fraction * scalars[_FRACTION] * length)
        cells = _masked(cells, lowest(lanes[_KEYS][:length], count), mask_id)
    if length > 2:
        runs = runs_of(positions)
        cells = swap(cells, runs, lanes[_SWAPS], spec.swap_scale * strength)
        cells = duplicate(cells, runs, lanes[_CHOSEN], lanes[_SIDES], spec.duplicate_scale * strength)
        if scalars[_SHIFT] < spec.shift_scale * strength:
            cells = shift(cells, runs, scalars[_SPAN], max_span=spec.max_span, max_shift=spec.max_shift)
    return cells


def _masked(cells: Sequence[Cell], chosen: Sequence[int], mask_id: int) -> list[Cell]:
    masked = list(cells)
    for i in chosen:
        masked[i] = (mask_id, True)
    return masked


def _placed(
    example: PreparedExample, positions: Sequence[int], cells: Sequence[Cell], time: float
) -> NoisedExample:
    ids, masked = list(example.ids), [False] * len(example.ids)
    for position, (token, is_masked) in zip(positions, cells, strict=True):
        ids[position], masked[position] = token, is_masked
    return NoisedExample(
        ids=tuple(ids),
        masked=tuple(masked),
        corrupted=tuple(shown != clean for shown, clean in zip(ids, example.ids, strict=True)),
        time=time,
    )
