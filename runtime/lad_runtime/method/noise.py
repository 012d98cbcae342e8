"""Training noise (docs/method.md §3): a pure function of (seed, example id, epoch), whatever batch the example stands in."""

from dataclasses import dataclass
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from lad_runtime.method.noises.drawing import Drawing, Noise
from lad_runtime.method.noises.drawn import DrawnNoise
from lad_runtime.method.noises.own_draft import OwnDraftNoise
from lad_runtime.method.prepared_example import PreparedExample
from lad_runtime.method.random import Purpose
from lad_runtime.method.structural_noise import Cells

NoiseSpec = DrawnNoise | OwnDraftNoise
"""Every noise that there is."""

NOISES: dict[str, type[Noise]] = {noise.kind: noise for noise in get_args(NoiseSpec)}
"""By name."""


@dataclass(frozen=True, kw_only=True)
class NoisedExample:
    """What the model is shown. All per window position; `corrupted`: the id shown differs from the clean one.

    `masked` is state, not a comparison: an answer may hold the mask token as ordinary text, and a mask may have been copied.
    """

    ids: tuple[int, ...]
    masked: tuple[bool, ...]
    corrupted: tuple[bool, ...]
    time: float  # t of the noises that draw one, else NaN


def apply_noise(
    example: PreparedExample,
    noise: Noise,
    *,
    seed: int,
    epoch: int,
    mask_id: int,
    vocab_size: int,
    purpose: Purpose = Purpose.NOISE,
) -> NoisedExample:
    """Corrupts the example's answer (its EOS tail too, unless `tail_noise` is off); the prompt stays as it is.

    Where the model itself is to draft, this is what it drafts from (`noises/draft.py`).
    """
    ids_L, positions = np.array(example.ids, dtype=np.int64), noised_positions(example, noise)
    cells, time = np.zeros((len(positions), 2), dtype=np.int64), float("nan")
    cells[:, 0] = ids_L[positions]
    if len(positions):
        drawing = Drawing(
            seed=seed,
            purpose=purpose,
            example_id=example.id,
            epoch=epoch,
            positions=positions,
            mask_id=mask_id,
            vocab_size=vocab_size,
        )
        cells, time = noise.corrupt(cells, drawing)
    return _placed(ids_L, positions, cells, time)


def noised_positions(example: PreparedExample, noise: Noise) -> NDArray[np.int64]:
    """Window positions that noise may change; their number is the method's L."""
    answer = np.array(example.answer, dtype=np.bool_)
    return np.flatnonzero(answer if noise.noises_tail else answer & ~np.array(example.tail, dtype=np.bool_))


def _placed(
    clean_L: NDArray[np.int64], positions: NDArray[np.int64], cells: Cells, time: float
) -> NoisedExample:
    ids_L, masked_L = clean_L.copy(), np.zeros(len(clean_L), dtype=np.bool_)
    ids_L[positions], masked_L[positions] = cells[:, 0], cells[:, 1]
    return NoisedExample(
        ids=tuple(ids_L.tolist()),
        masked=tuple(masked_L.tolist()),
        corrupted=tuple((ids_L != clean_L).tolist()),
        time=time,
    )
