"""Finds examples whose prompts stand in benchmarks."""

from collections.abc import Iterable

from lad_runtime.engine.data.mixtures.words import prompt_words, runs
from lad_runtime.types.data import Example

_SHORTEST = 8
"""The fewest words of a shorter prompt that count as an overlap where they stand within another (GPT-3's least n: arXiv 2005.14165,
appendix C)."""


class BenchmarkPrompts:
    """The prompts of benchmarks, whole and as runs of `overlap_words` words (GPT-3 took 13). 0: whole prompts alone.

    Its size grows with the benchmarks, and not with the data that is compared with them.
    """

    def __init__(self, benchmarks: Iterable[Example], overlap_words: int) -> None:
        self._whole: set[str] = set()
        self._runs: set[str] = set()
        self._lengths: dict[str, set[int]] = {}  # of the runs that begin with a word
        for example in benchmarks:
            words = prompt_words(example)
            if words:
                self._whole.add(" ".join(words))
            if overlap_words and len(words) >= min(_SHORTEST, overlap_words):
                self._note(words, min(overlap_words, len(words)))

    def contain(self, example: Example) -> bool:
        """Whether the example's prompt is one of theirs, or shares a run of words with one."""
        words = prompt_words(example)
        return " ".join(words) in self._whole or any(
            " ".join(words[start : start + length]) in self._runs
            for start, word in enumerate(words)
            for length in self._lengths.get(word, ())
        )

    def _note(self, words: list[str], length: int) -> None:
        for start, run in enumerate(runs(words, length)):
            self._runs.add(run)
            self._lengths.setdefault(words[start], set()).add(length)
