"""Passes the examples of sources on that belong into a mixture, and counts the others by why they do not."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from lad_runtime.engine.data.mixtures.benchmarks import BenchmarkPrompts
from lad_runtime.engine.data.mixtures.duplicates import ExactDuplicates, NearDuplicatesSoFar
from lad_runtime.types.data import CutExample, Example, WindowSpec
from lad_runtime.types.mixtures import MixtureSource, MixtureSpec

Cut = Callable[[Iterable[Example], WindowSpec], Iterator[CutExample]]
"""Counts the tokens of examples for the mixture's base."""


@dataclass
class Counts:
    """What became of a source's examples."""

    read: int = 0
    kept: int = 0
    left_out: Counter[str] = field(default_factory=Counter)  # by reason, a field of MixedSource


class Sieve:
    """What an example is compared with: the benchmarks, and all that was kept before it, of any source."""

    def __init__(
        self, spec: MixtureSpec, benchmarks: Iterable[Example], cut: Cut | None, window: int
    ) -> None:
        """`window`: the most tokens that the base takes. Raises LadError(UNAVAILABLE) for near-duplicates without the library."""
        self._benchmarks = BenchmarkPrompts(benchmarks, spec.contamination.overlap_words)
        self._exact = ExactDuplicates() if spec.exact_duplicates else None
        self._near = NearDuplicatesSoFar(spec.near_duplicates) if spec.near_duplicates else None
        self._cut = cut
        self._window = window

    def sifted(self, source: MixtureSource, examples: Iterable[Example], counts: Counts) -> Iterator[Example]:
        """The examples that stay, in order. Counts them and the others as they are read."""
        for example, fits in self._measured(source, examples):
            counts.read += 1
            reason = self._reason(example, fits)
            if reason:
                counts.left_out[reason] += 1
                continue
            counts.kept += 1
            yield example

    def _reason(self, example: Example, fits: bool) -> str:
        """Why an example is left out; empty if it stays. Only what fits and is clean makes later ones duplicates."""
        if not fits:
            return "too_long"
        if self._benchmarks.contain(example):
            return "contaminated"
        if self._exact is not None and not self._exact.is_new(example):
            return "duplicates"
        if self._near is not None and not self._near.is_new(example):
            return "near_duplicates"
        return ""

    def _measured(self, source: MixtureSource, examples: Iterable[Example]) -> Iterator[tuple[Example, bool]]:
        """The examples, each with whether its lengths are within the source's limits."""
        if not source.limits_lengths:
            yield from ((example, True) for example in examples)
            return
        assert self._cut is not None, "a mixture with limits has a base"
        window = WindowSpec(
            window=self._window,
            pad_to_window=False,
            too_long="drop",
            max_prompt_tokens=0,
            supervise="last",
            allow_special=False,
            pad_tokens=(),
        )
        for cut in self._cut(examples, window):
            yield cut.example, _within(cut, source)


def _within(cut: CutExample, source: MixtureSource) -> bool:
    answer = cut.tokens - cut.prompt_tokens
    return (source.max_prompt_tokens == 0 or cut.prompt_tokens <= source.max_prompt_tokens) and (
        source.max_answer_tokens == 0 or answer <= source.max_answer_tokens
    )
