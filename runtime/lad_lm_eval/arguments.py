"""What `--model_args` says."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LIKELIHOODS = ("causal", "pseudo", "monte-carlo")


@dataclass(frozen=True, kw_only=True)
class ModelArguments:
    """A worker, a model of it, and how that is asked.

    `likelihood` is what `loglikelihood` computes; `policy` is how `generate_until` samples; `sampling` are its options and those
    of the draws, by their names in the protocol.
    """

    address: str
    token: str
    base: str  # its name, by which it is loaded if it is not resident; empty: the adapter's
    adapter: str  # the id of a resident adapter or snapshot; empty: the base itself
    likelihood: str
    samples: int  # of the Monte-Carlo likelihood
    policy: str
    answer_tokens: int  # 0: as many as a task asks for
    prefix_token: str  # what an empty context is; empty: what the tokenizer puts before a text, else the token that ends an answer
    seed: int
    sampling: Mapping[str, Any]

    def __post_init__(self) -> None:
        if not self.base and not self.adapter:
            raise ValueError("Neither base nor adapter is given: give base=<name>, adapter=<id>, or both.")
        if self.likelihood not in LIKELIHOODS:
            raise ValueError(f"likelihood is {self.likelihood}: give one of {', '.join(LIKELIHOODS)}.")


def token_from(token: str, token_file: str) -> str:
    """Raises ValueError unless exactly one of both is given."""
    if bool(token) == bool(token_file):
        raise ValueError("Give token_file=<path>, or token=<the worker's token>, and not both.")
    return token or Path(token_file).read_text().splitlines()[0].strip()
