"""Whose turn it is in a mixture, and which of a source's examples comes next: pure functions of shares, seed and names."""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from itertools import count

import numpy as np

from lad_runtime.method.random import Purpose, uniform_lanes


def turns(shares: Sequence[float]) -> Iterator[int]:
    """Endless turns of sources whose shares sum to 1: after any n of them, source i has had less than one more or less than
    shares[i] · n (R. Tijdeman, "The chairman assignment problem", Discrete Mathematics 32, 1980).

    Among the sources that are far enough behind, the one whose next turn has to come first takes it; of equal ones the first.
    """
    if len(shares) == 1:
        yield from iter(int, 1)
    slack = 1 / (2 * len(shares) - 2)
    had = [0] * len(shares)
    for turn in count(1):
        behind = [i for i, share in enumerate(shares) if share * turn - had[i] >= slack]
        candidates = behind or range(len(shares))  # none is behind only where rounding hides it
        chosen = min(candidates, key=lambda i: (1 - slack + had[i]) / shares[i])
        had[chosen] += 1
        yield chosen


def draws(seed: int, name: str, examples: int, repeats: int) -> Iterator[int]:
    """Each row of a source once in an order of its own, and again in another order for every repeat."""
    for repeat in range(repeats + 1):
        keys = uniform_lanes(seed, Purpose.ORDER, _key(name), repeat, examples, (0,))[0]
        yield from map(int, np.argsort(keys, kind="stable"))


def _key(name: str) -> int:
    """A source's number, whatever other sources there are. Never 0, which is the training order's."""
    return int.from_bytes(sha256(name.encode()).digest()[:8], "little") | 1
