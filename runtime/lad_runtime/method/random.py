"""Counter-based random numbers: Philox4x32-10 (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011).

Every random number of a run is a pure function of what it is for: no state, no order of calls, no batch layout can change it.
`sdk/src/method/random.ts` computes the same numbers; `test/contract/philox.json` holds both to them. NumPy's own Philox is the
4x64 one, whose words JavaScript has as BigInt alone; its arrays compute this one, because sequences are short and its calls cost a
sixth of torch's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

_WORD = 0xFFFFFFFF
_MULTIPLIERS = np.array([[0xD2511F53], [0xCD9E8D57]], dtype=np.uint64)
_KEY_STEPS = (0x9E3779B9, 0xBB67AE85)
_ROUNDS = 10
_HALF, _LOW = np.uint64(32), np.uint64(_WORD)


class Purpose(IntEnum):
    """What numbers are drawn for: a key of its own for each, so that no use disturbs another. The values never change."""

    NOISE = 1  # training noise; subject = example id, round = epoch
    VALIDATION_NOISE = 2  # subject = example id, round = 0
    ORDER = 3  # data order; subject = 0, round = epoch
    DRAW = 4  # a token of a canvas; subject = the canvas's number in its run, round = iteration
    REMASK = (
        5  # which positions a sampler re-masks; subject = the canvas's number in its run, round = iteration
    )
    # Self-speculation; subject = the canvas's number in its run, round = the speculation's round, number i = the draft's position i
    DRAFT = 6  # a drafted token
    ACCEPT = 7  # whether it stands
    RESIDUAL = 8  # the token in place of the first that does not
    BONUS = 9  # the token behind a draft that stands as a whole
    BOOTSTRAP = 10  # resamples of a bootstrap; subject = 0, round = the resample's number
    LIKELIHOOD = 11  # what a likelihood's estimate masks; subject = the item's key, round = the sample


@dataclass(frozen=True, kw_only=True)
class CanvasKey:
    """The key of all random numbers of a canvas, besides purpose and iteration."""

    seed: int
    canvas: int  # its number in the run; 0 if the canvas has a seed of its own


def uniforms(
    seed: int, purpose: Purpose, subject: int, round: int, count: int, lane: int = 0
) -> NDArray[np.float64]:
    """`count` numbers in [0, 1), float64 [count]: a 32-bit word · 2⁻³² each.

    Number i depends on (seed, purpose, subject, round, lane, i) alone, so a longer sequence starts with the shorter one.
    `seed` and `subject` are uint64, `round` and `lane` uint32; lanes are independent sequences within one purpose.
    """
    row: NDArray[np.float64] = uniform_lanes(seed, purpose, subject, round, count, (lane,))[0]
    return row


def uniform_lanes(
    seed: int, purpose: Purpose, subject: int, round: int, count: int, lanes: Sequence[int]
) -> NDArray[np.float64]:
    """Several lanes' `uniforms` in one pass: float64 [lanes, count]."""
    assert 0 <= subject <= 2**64 - 1, f"subject {subject} is not a uint64"
    assert 0 <= round <= _WORD, f"round {round} is not a uint32"
    blocks = -(-count // 4)
    counters = np.empty((4, 1, blocks), dtype=np.uint64)  # those of every lane
    counters[0] = np.arange(blocks, dtype=np.uint64)
    counters[1] = round
    counters[2] = subject & _WORD
    counters[3] = subject >> 32
    words_QLB = philox4x32(counters, _round_keys_of(seed, int(purpose), tuple(lanes)))
    numbers_LBQ = np.empty((len(lanes), blocks, 4))
    np.multiply(words_QLB.transpose(1, 2, 0), 2.0**-32, out=numbers_LBQ)
    return numbers_LBQ.reshape(len(lanes), 4 * blocks)[:, :count]


def philox4x32(counters: NDArray[np.uint64], round_keys: NDArray[Any]) -> NDArray[np.uint64]:
    """Ten rounds over counters [4, ...] with `expand_key`'s round keys [10, 2, ...]; uint64 that hold 32-bit words.

    One round: (c0, c1, c2, c3) → (hi(M1·c2) ⊕ c1 ⊕ k0, lo(M1·c2), hi(M0·c0) ⊕ c3 ⊕ k1, lo(M0·c0)).
    """
    even, odd = counters[0::2], counters[1::2]
    multipliers = _MULTIPLIERS.reshape(2, *[1] * (counters.ndim - 1))
    for key in round_keys:
        products = (even * multipliers)[::-1]
        even, odd = (products >> _HALF) ^ odd ^ key, products & _LOW
    words = np.empty((4, *even.shape[1:]), dtype=np.uint64)
    words[0::2], words[1::2] = even, odd
    return words


def expand_key(key0: int, key1: int) -> list[list[int]]:
    """The ten rounds' keys: [10][2] words."""
    return [[(key0 + r * _KEY_STEPS[0]) & _WORD, (key1 + r * _KEY_STEPS[1]) & _WORD] for r in range(_ROUNDS)]


@lru_cache(maxsize=4096)
def _round_keys_of(seed: int, purpose: int, lanes: tuple[int, ...]) -> NDArray[np.uint64]:
    """Of several sequences, as `philox4x32` takes them: [10, 2, lanes, 1]."""
    keys = np.array([_round_keys(seed, purpose, lane) for lane in lanes], dtype=np.uint64)
    return np.ascontiguousarray(keys.transpose(1, 2, 0)[..., None])


def _round_keys(seed: int, purpose: int, lane: int) -> list[list[int]]:
    """Round keys of a sequence; its key is the first two words of the block (purpose, lane, 0, 0) under the seed."""
    assert 0 <= seed <= 2**64 - 1, f"seed {seed} is not a uint64"
    assert 0 <= lane <= _WORD, f"lane {lane} is not a uint32"
    counter = np.array([[purpose], [lane], [0], [0]], dtype=np.uint64)
    words = philox4x32(counter, np.array(expand_key(seed & _WORD, seed >> 32), dtype=np.uint64)[..., None])
    return expand_key(int(words[0, 0]), int(words[1, 0]))
