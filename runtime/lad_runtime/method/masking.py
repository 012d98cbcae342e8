"""Which answer tokens are masked or replaced: choices by comparing uniform numbers, so that both languages agree."""

from collections.abc import Sequence


def lowest(keys: Sequence[float], count: int) -> list[int]:
    """Indices of the `count` lowest keys, equal keys by lower index: `count` positions drawn without replacement."""
    return sorted(range(len(keys)), key=keys.__getitem__)[:count]


def below(keys: Sequence[float], probability: float, *, at_least_one: bool) -> list[int]:
    """Indices whose key is below `probability`; where there is none and `at_least_one`, the index of the lowest key."""
    chosen = [i for i, key in enumerate(keys) if key < probability]
    return chosen if chosen or not at_least_one else lowest(keys, 1)
