"""Likelihoods."""

from dataclasses import dataclass

from lad_runtime.checks import check_count
from lad_runtime.errors import invalid_option
from lad_runtime.types.attention import AttentionMode
from lad_runtime.types.limits import MAX_PARTS
from lad_runtime.types.task import ReadingTask


@dataclass(frozen=True, kw_only=True)
class ScoreItem:
    """log p(continuation | prompt) under a causal model; both are token ids.

    A continuation ends with its first stop token: that one counts, what follows it does not.
    """

    prompt: tuple[int, ...]
    continuation: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Score:
    """Log-likelihoods in nats, one per continuation token up to the first stop token; `greedy`: every one was the arg-max."""

    log_likelihood: float
    token_log_likelihoods: tuple[float, ...]
    greedy: bool


@dataclass(frozen=True, kw_only=True)
class ScoreTask(ReadingTask[tuple[Score, ...]]):
    """log p(continuation | prompt) of each item, and a Score for each."""

    items: tuple[ScoreItem, ...]
    mode: AttentionMode
    user = "score"

    def __post_init__(self) -> None:
        check_count("items", len(self.items), MAX_PARTS)
        if self.mode != "causal":
            problem = "likelihoods are those of a causal model"
            raise invalid_option("attention", self.mode, problem, "Give causal.")

    @property
    def parts(self) -> tuple[str, int]:
        return "items", len(self.items)

    @property
    def tokens(self) -> int:
        return sum(len(item.prompt) + len(item.continuation) for item in self.items)
