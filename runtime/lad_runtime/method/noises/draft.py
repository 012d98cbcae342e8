"""Answers that the model itself drafts for training (docs/method.md §3), from what a noise has made of them."""

from collections.abc import Sequence
from dataclasses import replace
from math import nan

import numpy as np
from numpy.typing import NDArray

from lad_runtime.method.noise import NoisedExample, noised_positions
from lad_runtime.method.noises.drawing import Noise
from lad_runtime.method.prepared_example import PreparedExample
from lad_runtime.method.random import Purpose, uniforms

_LANE = 2**32 - 2
"""Of a draft's numbers, which neither a noise nor a random cut has."""


def draft_seed(example: PreparedExample, noise: Noise, *, seed: int, epoch: int) -> int | None:
    """The seed of the draws of an example's draft: a pure function of (seed, example id, epoch); None: it is shown as it is noised.

    With it the canvas draws as one that is predicted in the iteration 0: position p counts from the end of the example's past.
    """
    drafting = noise.drafting
    if drafting is None:
        return None
    chosen, high, low = uniforms(seed, Purpose.NOISE, example.id, epoch, 3, _LANE).tolist()
    return int(high * 2**32) << 32 | int(low * 2**32) if chosen < drafting.share else None


def drafted(
    example: PreparedExample,
    noised: NoisedExample,
    noise: Noise,
    canvas_ids: Sequence[int] | NDArray[np.int32],
) -> NoisedExample:
    """What is shown where the model drafted: its tokens wherever the noise may change the answer, so that no position is masked.

    `canvas_ids` has a token for each position behind the example's past.
    """
    shown_L, positions = np.array(noised.ids, dtype=np.int64), noised_positions(example, noise)
    shown_L[positions] = np.asarray(canvas_ids)[positions - example.past_tokens]
    masked_L = np.array(noised.masked, dtype=np.bool_)
    masked_L[positions] = False
    return replace(
        noised,
        ids=tuple(shown_L.tolist()),
        masked=tuple(masked_L.tolist()),
        corrupted=tuple((shown_L != np.array(example.ids)).tolist()),
        time=nan,
    )
