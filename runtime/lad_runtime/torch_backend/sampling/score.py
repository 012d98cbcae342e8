"""Log-likelihoods of continuations under the causal model: what perplexity and scoring by likelihood are made of."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from lad_runtime.errors import ErrorCode, LadError, invalid_option
from lad_runtime.method.answer_end import end_of_answer
from lad_runtime.torch_backend.forward.base import Base
from lad_runtime.torch_backend.forward.requests import LogitsRequest
from lad_runtime.torch_backend.model.lora import LoraAdapter
from lad_runtime.torch_backend.model.segment import Segment
from lad_runtime.torch_backend.sampling.draw import arg_max
from lad_runtime.torch_backend.sampling.predict import REQUEST_TOKENS, check_tokens, in_groups
from lad_runtime.torch_backend.task_kind import TaskKind
from lad_runtime.types.evaluation import Score, ScoreItem, ScoreTask
from lad_runtime.types.work import Work, ask


def check_scoring(base: Base, items: Sequence[ScoreItem]) -> None:
    """Raises LadError(INVALID_OPTION) for an empty prompt (nothing would predict the first token) and for token ids or lengths
    that the base does not have."""
    for item in (_counted(item, base.info.stop_token_ids) for item in items):
        if not item.prompt:
            raise invalid_option(
                "prompt", "[]", "nothing predicts the first token", "Give at least one token, such as BOS."
            )
        check_tokens(base, "prompt", item.prompt, total=len(item.prompt) + len(item.continuation))
        check_tokens(base, "continuation", item.continuation, total=0)


def score(base: Base, adapter: LoraAdapter | None, items: Sequence[ScoreItem]) -> Work[tuple[Score, ...]]:
    """Work: log p(continuation | prompt) of each item under causal attention; a `Score` each.

    A continuation counts up to and with its first stop token. An empty one has log-likelihood 0 and takes no forward. `adapter`
    (None: the base itself) must not change while the work runs. Raises LadError(DIVERGED) when a likelihood is not a number.
    """
    items = [_counted(item, base.info.stop_token_ids) for item in items]
    scores = [Score(log_likelihood=0.0, token_log_likelihoods=(), greedy=True) for _ in items]
    filled = [index for index, item in enumerate(items) if item.continuation]
    lengths = [len(items[index].prompt) + len(items[index].continuation) for index in filled]
    for group in in_groups(filled, lengths, REQUEST_TOKENS):
        segments: list[Segment] = []
        rows: list[Tensor] = []
        for index in group:
            item = items[index]
            ids_L = torch.tensor((*item.prompt, *item.continuation[:-1]))
            segments.append(Segment(ids=ids_L, adapter=adapter, mode="causal"))
            rows.append(torch.arange(len(item.prompt) - 1, len(ids_L)))
        logits = yield from ask(LogitsRequest(segments=tuple(segments), rows=tuple(rows)))
        for index, logits_RV in zip(group, logits, strict=True):
            scores[index] = _scored(logits_RV, items[index].continuation)
    return tuple(scores)


def _counted(item: ScoreItem, stop_token_ids: Sequence[int]) -> ScoreItem:
    """The item with its continuation cut behind the first stop token."""
    end = end_of_answer(item.continuation, stop_token_ids) + 1
    return ScoreItem(prompt=item.prompt, continuation=item.continuation[:end])


def _scored(logits_RV: Tensor, continuation: tuple[int, ...]) -> Score:
    targets_R1 = torch.tensor(continuation, device=logits_RV.device)[:, None]
    token_R = torch.log_softmax(logits_RV, -1).gather(1, targets_R1)[:, 0].tolist()
    if any(math.isnan(value) for value in token_R):
        raise LadError(
            ErrorCode.DIVERGED,
            "A log-likelihood is not a number.",
            remedy="The adapter has diverged: go back to an earlier checkpoint, or train with a lower learning rate.",
        )
    return Score(
        log_likelihood=math.fsum(token_R),
        token_log_likelihoods=tuple(token_R),
        greedy=bool((arg_max(logits_RV) == targets_R1).all()),
    )


SCORING = TaskKind(
    task=ScoreTask,
    check=lambda base, task: check_scoring(base, task.items),
    work=lambda at, task: score(at.base, at.weights, task.items),
)
