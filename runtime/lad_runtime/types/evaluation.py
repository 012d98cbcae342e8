"""Likelihoods."""

from dataclasses import dataclass

from lad_runtime.types.attention import AttentionMode


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
class ScoreTask:
    """log p(continuation | prompt) of each item, and a Score for each."""

    items: tuple[ScoreItem, ...]
    mode: AttentionMode
