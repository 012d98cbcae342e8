"""Finds examples that stand among earlier ones already, exactly or nearly."""

import importlib
from hashlib import blake2b
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lad_runtime.engine.data.mixtures.words import all_words, runs
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.types.data import Example
from lad_runtime.types.mixtures import NearDuplicates

_SEED = 1
_RECALL = 0.99


class ExactDuplicates:
    """The texts so far, as digests of 16 bytes. Runs of white space count as one space."""

    def __init__(self) -> None:
        self._seen: set[bytes] = set()

    def is_new(self, example: Example) -> bool:
        """Whether no earlier example has the same turns; notes it."""
        digest = _digest(example)
        if digest in self._seen:
            return False
        self._seen.add(digest)
        return True


class NearDuplicatesSoFar:
    """MinHash signatures of the examples so far, in bands of an index (locality-sensitive hashing).

    An example counts as a near-duplicate if a signature that shares a band with its own agrees in a share of numbers of at least
    the threshold, which estimates the Jaccard similarity. The bands find 99 in 100 pairs of exactly the threshold.
    """

    def __init__(self, spec: NearDuplicates) -> None:
        """Raises LadError(UNAVAILABLE) without the library."""
        self._spec = spec
        self._library = _library()
        bands = _bands(spec.threshold, spec.permutations)
        self._index: Any = self._library.RMinHashLSH(spec.threshold, spec.permutations, bands)
        self._signatures = np.empty((1024, spec.permutations), dtype=np.uint32)
        self._count = 0

    def is_new(self, example: Example) -> bool:
        """Whether no earlier example is similar; notes it if so."""
        minhash = self._library.RMinHash(self._spec.permutations, _SEED)
        minhash.update(runs(all_words(example), self._spec.shingle_words))
        signature = np.array(minhash.digest(), dtype=np.uint32)
        candidates = self._index.query(minhash)
        if candidates and self._similarity(candidates, signature) >= self._spec.threshold:
            return False
        self._index.insert(self._count, minhash)
        self._note(signature)
        return True

    def _similarity(self, candidates: list[int], signature: NDArray[np.uint32]) -> float:
        """The greatest estimated similarity with a candidate."""
        return float((self._signatures[candidates] == signature).mean(axis=1).max())

    def _note(self, signature: NDArray[np.uint32]) -> None:
        if self._count == len(self._signatures):
            self._signatures = np.concatenate([self._signatures, np.empty_like(self._signatures)])
        self._signatures[self._count] = signature
        self._count += 1


def _digest(example: Example) -> bytes:
    digest = blake2b(digest_size=16)
    for turn in example.messages:
        text = " ".join(turn.content.split()).encode()
        digest.update(f"{turn.role} {len(text)} ".encode() + text)
    return digest.digest()


def _bands(threshold: float, permutations: int) -> int:
    """The fewest bands of equal size in one of which a pair of this similarity agrees with a probability of at least 0.99."""
    for bands in range(1, permutations):
        rows, rest = divmod(permutations, bands)
        if rest == 0 and 1 - (1 - threshold**rows) ** bands >= _RECALL:
            return bands
    return permutations


def _library() -> ModuleType:
    try:
        return importlib.import_module("rensa")
    except ImportError as error:
        raise LadError(
            ErrorCode.UNAVAILABLE,
            "Near-duplicates need the Python library rensa, which the worker does not have.",
            option="deduplicate.near",
            remedy="Run `npx lad setup --with data` (in a checkout: `npm run setup -- --with data`), or leave it out.",
        ) from error
