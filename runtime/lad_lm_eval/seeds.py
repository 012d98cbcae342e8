"""What keys an answer's draws, so that neither its place nor its company matters."""

import hashlib
import json
from collections import Counter
from collections.abc import Hashable, Sequence


def prompt_seed(seed: int, prompt: Sequence[int], before: int) -> int:
    """Of the model's seed, the prompt's tokens, and how many equal requests came before, as `evaluate` without references."""
    text = json.dumps([list(prompt), None], separators=(",", ":"))
    return int.from_bytes(hashlib.sha256(f"{seed} {before} {text}".encode()).digest()[:8], "little")


def equals_before(requests: Sequence[Hashable]) -> list[int]:
    """Of each request, how many equal ones stand before it: the repeats of a task are such."""
    seen: Counter[Hashable] = Counter()
    before = []
    for request in requests:
        before.append(seen[request])
        seen[request] += 1
    return before
