"""Likelihoods."""

from dataclasses import dataclass

from lad_runtime.checks import check_count
from lad_runtime.errors import invalid_option
from lad_runtime.types.attention import AttentionMode
from lad_runtime.types.limits import MAX_PARTS
from lad_runtime.types.task import ReadingTask


@dataclass(frozen=True, kw_only=True)
class CausalLikelihood:
    """Σ log p(token | prompt and the tokens before it)."""


@dataclass(frozen=True, kw_only=True)
class PseudoLikelihood:
    """Σ log p(token | prompt) where the whole continuation is MASK: one forward."""


@dataclass(frozen=True, kw_only=True)
class MonteCarloLikelihood:
    """The mean over `samples` of L/l · Σ log p(token | prompt, tokens that are not masked) over the l of L tokens that are masked
    (LLaDA, arXiv 2502.09992, §2.4): l is uniform on 1…L. With `stratified` the l of all samples lie evenly over 1…L."""

    samples: int
    stratified: bool
    seed: int

    def __post_init__(self) -> None:
        check_count("likelihood.samples", self.samples, MAX_SAMPLES)


Likelihood = CausalLikelihood | PseudoLikelihood | MonteCarloLikelihood

MAX_SAMPLES = 65_536


@dataclass(frozen=True, kw_only=True)
class ScoreItem:
    """log p(continuation | prompt); both are token ids. `key` keys the item's draws.

    A continuation ends with its first stop token: that one counts, what follows it does not.
    """

    prompt: tuple[int, ...]
    continuation: tuple[int, ...]
    key: int


@dataclass(frozen=True, kw_only=True)
class Score:
    """Log-likelihoods in nats, one per continuation token up to the first stop token; their sum is `log_likelihood`.

    `greedy`: every one was the arg-max each time that it was asked for. `estimates`: those of the samples, if there are any.
    """

    log_likelihood: float
    token_log_likelihoods: tuple[float, ...]
    greedy: bool
    estimates: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class ScoreTask(ReadingTask[tuple[Score, ...]]):
    """log p(continuation | prompt) of each item, and a Score for each."""

    items: tuple[ScoreItem, ...]
    mode: AttentionMode
    likelihood: Likelihood
    user = "score"

    def __post_init__(self) -> None:
        check_count("items", len(self.items), MAX_PARTS)
        is_causal = isinstance(self.likelihood, CausalLikelihood)
        if is_causal and self.mode != "causal":
            problem = "the causal likelihood is that of a causal model"
            raise invalid_option("attention", self.mode, problem, "Give causal, or another likelihood.")
        if not is_causal and self.mode == "causal":
            problem = "this likelihood masks tokens, which a causal model does not know"
            raise invalid_option("attention", self.mode, problem, "Give full, prefix or causal-prefix.")

    @property
    def parts(self) -> tuple[str, int]:
        return "items", len(self.items)

    @property
    def tokens(self) -> int:
        return sum(len(item.prompt) + len(item.continuation) for item in self.items)
