"""Data sets that are mixed of others."""

from dataclasses import dataclass

from lad_runtime.checks import MAX_TOKENS, MAX_UINT64, check_count, check_name, check_number, check_whole
from lad_runtime.errors import invalid_option

MAX_SOURCES = 256
MAX_SHARE = 1e6
MAX_REPEATS = 1000
MAX_WORDS = 1024
MAX_PERMUTATIONS = 1024


@dataclass(frozen=True, kw_only=True)
class MixtureSource:
    """One source of a mixture. Lengths in tokens of the base, 0: no limit."""

    name: str
    dataset_id: str
    share: float  # of the mixture's examples, in proportion to the other sources' shares
    max_prompt_tokens: int
    max_answer_tokens: int  # the token that ends an answer counts
    max_repeats: int  # how often each example may be used again

    def __post_init__(self) -> None:
        check_name("sources", self.name)
        at = f"sources.{self.name}"
        check_number(f"{at}.share", self.share, above=0, high=MAX_SHARE)
        check_whole(f"{at}.maxPromptTokens", self.max_prompt_tokens, low=0, high=MAX_TOKENS)
        check_whole(f"{at}.maxAnswerTokens", self.max_answer_tokens, low=0, high=MAX_TOKENS)
        check_whole(f"{at}.maxRepeats", self.max_repeats, low=0, high=MAX_REPEATS)

    @property
    def limits_lengths(self) -> bool:
        return self.max_prompt_tokens > 0 or self.max_answer_tokens > 0


@dataclass(frozen=True, kw_only=True)
class NearDuplicates:
    """Near-duplicates by MinHash (Broder 1997) over sets of runs of words."""

    threshold: float  # the least Jaccard similarity
    shingle_words: int
    permutations: int  # numbers of a signature; 128 of them take 4 KiB an example, with the index

    def __post_init__(self) -> None:
        check_number("deduplicate.near.threshold", self.threshold, above=0, high=1)
        check_whole("deduplicate.near.shingleWords", self.shingle_words, low=1, high=MAX_WORDS)
        check_whole("deduplicate.near.permutations", self.permutations, low=16, high=MAX_PERMUTATIONS)


@dataclass(frozen=True, kw_only=True)
class Contamination:
    """What is left out since it stands in benchmarks."""

    dataset_ids: tuple[str, ...]  # of the benchmarks' prompts
    overlap_words: int  # 0: whole prompts alone are compared

    def __post_init__(self) -> None:
        check_whole("overlapWords", self.overlap_words, low=0, high=MAX_WORDS)


@dataclass(frozen=True, kw_only=True)
class MixtureSpec:
    sources: tuple[MixtureSource, ...]
    seed: int
    examples: int  # 0: as many as there are until a source runs out, none of them twice
    exact_duplicates: bool  # leave them out
    near_duplicates: NearDuplicates | None
    contamination: Contamination

    def __post_init__(self) -> None:
        check_count("sources", len(self.sources), MAX_SOURCES)
        check_whole("seed", self.seed, low=0, high=MAX_UINT64)
        check_whole("examples", self.examples, low=0)
        names = [source.name for source in self.sources]
        for name in names:
            if names.count(name) > 1:
                raise invalid_option(
                    "sources", name, "two sources have the same name", "Give each a name of its own."
                )


@dataclass(frozen=True, kw_only=True)
class MixedSource:
    """What became of a source: read = too_long + contaminated + duplicates + near_duplicates + kept."""

    name: str
    share: float  # of 1
    read: int
    too_long: int
    contaminated: int
    duplicates: int
    near_duplicates: int
    kept: int
    used: int  # different examples in the mixture
    repeated: int  # further uses of them


@dataclass(frozen=True, kw_only=True)
class MixtureReport:
    examples: int
    sources: tuple[MixedSource, ...]
    ended_by: str  # the source that ended the mixture, since its examples were used up; empty: none
