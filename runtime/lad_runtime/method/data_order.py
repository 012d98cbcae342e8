"""In which order examples are trained on: a pure function of (seed, epoch), so that a run resumes anywhere."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from lad_runtime.method.random import Purpose, uniform_lanes


@dataclass(frozen=True, kw_only=True)
class Draw:
    """One example of a batch: its row in the data set and the epoch that keys its noise."""

    epoch: int
    row: int


def batch(seed: int, examples: int, batch_size: int, step: int) -> Iterator[Draw]:
    """The batch of step `step` (from 0): the epochs' permutations end to end, cut every `batch_size`, across their borders."""
    position, end = step * batch_size, (step + 1) * batch_size
    while position < end:
        epoch, offset = divmod(position, examples)
        rows = permutation(seed, epoch, examples)[offset : offset + end - position]
        for row in rows:
            yield Draw(epoch=epoch, row=int(row))
        position += len(rows)


@lru_cache(maxsize=4)
def permutation(seed: int, epoch: int, examples: int) -> NDArray[np.int64]:
    """Rows 0…examples−1 in ascending order of one uniform number each, equal numbers by lower row."""
    keys = uniform_lanes(seed, Purpose.ORDER, 0, epoch, examples, (0,))[0]
    order = np.argsort(keys, kind="stable")
    order.flags.writeable = False
    return order
