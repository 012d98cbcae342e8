"""Log-likelihoods of tokens, from the hidden states that predict them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.torch_backend.forward.requests import HeadRequest
from lad_runtime.torch_backend.sampling.draw import arg_max
from lad_runtime.types.evaluation import Score
from lad_runtime.types.work import Work, ask

HEAD_ROWS = 256
"""The vocabulary is scored for so many tokens at a time, which bounds the logits that are held at once."""


@dataclass(frozen=True, kw_only=True)
class TokenLikelihoods:
    """Of the tokens of one sequence: log p in nats, and whether each is the most probable token (the lowest id on ties)."""

    values: tuple[float, ...]
    greedy: tuple[bool, ...]


def token_likelihoods(
    hidden: Sequence[Tensor], targets: Sequence[Sequence[int]]
) -> Work[list[TokenLikelihoods]]:
    """Work: what each sequence's `hidden` states [R, D] give its R `targets`.

    Raises LadError(DIVERGED) when a likelihood is not a number.
    """
    lengths = [len(ids) for ids in targets]
    assert lengths == [len(states) for states in hidden], "a target for each hidden state"
    if not sum(lengths):
        return [TokenLikelihoods(values=(), greedy=()) for _ in targets]
    hidden_RD = torch.cat(list(hidden))
    targets_R1 = torch.tensor([token for ids in targets for token in ids])[:, None]
    values: list[float] = []
    greedy: list[bool] = []
    for states_RD, ids_R1 in zip(hidden_RD.split(HEAD_ROWS), targets_R1.split(HEAD_ROWS), strict=True):
        logits_RV = yield from ask(HeadRequest(hidden_RD=states_RD))
        wanted_R1 = ids_R1.to(logits_RV.device)
        values += torch.log_softmax(logits_RV, -1).gather(1, wanted_R1)[:, 0].tolist()
        greedy += (arg_max(logits_RV) == wanted_R1)[:, 0].tolist()
    if any(math.isnan(value) for value in values):
        raise LadError(
            ErrorCode.DIVERGED,
            "A log-likelihood is not a number.",
            remedy="The adapter has diverged: go back to an earlier checkpoint, or train with a lower learning rate.",
        )
    ends = [sum(lengths[: index + 1]) for index in range(len(lengths))]
    return [
        TokenLikelihoods(values=tuple(values[end - count : end]), greedy=tuple(greedy[end - count : end]))
        for end, count in zip(ends, lengths, strict=True)
    ]


def summed(likelihoods: TokenLikelihoods) -> Score:
    """The score of a continuation whose tokens were each computed once."""
    return Score(
        log_likelihood=math.fsum(likelihoods.values),
        token_log_likelihoods=likelihoods.values,
        greedy=all(likelihoods.greedy),
        estimates=(),
    )
