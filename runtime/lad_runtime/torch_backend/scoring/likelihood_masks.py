"""What the Monte-Carlo likelihood masks (docs/method.md §7): a pure function of (seed, the item's key, the sample's number)."""

import numpy as np

from lad_runtime.method.random import Purpose, uniforms

_KEYS, _COUNT = 0, 1  # lanes


def likelihood_masks(
    *, seed: int, key: int, length: int, samples: int, stratified: bool
) -> list[tuple[int, ...]]:
    """The positions that each sample masks, ascending: l of `length`, those of the lowest keys.

    l is uniform on 1…length for every sample. Each draws its own; `stratified` ones follow one another evenly, wrapping around,
    from the first sample's on, as in LLaDA's evaluation.
    """
    masks: list[tuple[int, ...]] = []
    for sample in range(samples):
        drawn = uniforms(seed, Purpose.LIKELIHOOD, key, 0 if stratified else sample, 1, lane=_COUNT)
        first = int(np.floor(drawn[0] * length))
        step = sample * length // samples if stratified else 0
        count = (first + step) % length + 1
        keys = uniforms(seed, Purpose.LIKELIHOOD, key, sample, length, lane=_KEYS)
        masks.append(tuple(sorted(np.argsort(keys, kind="stable")[:count].tolist())))
    return masks
