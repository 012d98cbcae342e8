"""Log-likelihoods of continuations (docs/method.md §7): what perplexity and scoring by likelihood are made of."""

from collections.abc import Sequence

from lad_runtime.errors import invalid_option
from lad_runtime.method.answer_end import end_of_answer
from lad_runtime.torch_backend.forward.base import Base
from lad_runtime.torch_backend.model.llama import Llama
from lad_runtime.torch_backend.model.lora import LoraAdapter
from lad_runtime.torch_backend.sampling.predict import check_tokens
from lad_runtime.torch_backend.scoring.causal import causal_cache_bytes, causal_likelihoods
from lad_runtime.torch_backend.scoring.masked import masked_cache_bytes, monte_carlo_scores, pseudo_scores
from lad_runtime.torch_backend.scoring.token_likelihoods import summed
from lad_runtime.torch_backend.task_kind import TaskKind
from lad_runtime.types.evaluation import (
    CausalLikelihood,
    PseudoLikelihood,
    Score,
    ScoreItem,
    ScoreTask,
)
from lad_runtime.types.memory import Needs
from lad_runtime.types.work import Work


def check_scoring(base: Base, task: ScoreTask) -> None:
    """Raises LadError(INVALID_OPTION) for an empty prompt where nothing else predicts the first token, and for token ids or lengths
    that the base does not have."""
    for item in (_counted(item, base.info.stop_token_ids) for item in task.items):
        if not item.prompt and isinstance(task.likelihood, CausalLikelihood):
            raise invalid_option(
                "prompt", "[]", "nothing predicts the first token", "Give at least one token, such as BOS."
            )
        check_tokens(base, "prompt", item.prompt, total=len(item.prompt) + len(item.continuation))
        check_tokens(base, "continuation", item.continuation, total=0)


def score(base: Base, adapter: LoraAdapter | None, task: ScoreTask) -> Work[tuple[Score, ...]]:
    """Work: log p(continuation | prompt) of each item; a `Score` each, which does not depend on the other items.

    A continuation counts up to and with its first stop token. An empty one has log-likelihood 0 and takes no forward. `adapter`
    (None: the base itself) must not change while the work runs. Raises LadError(DIVERGED) when a likelihood is not a number.
    """
    items = [_counted(item, base.info.stop_token_ids) for item in task.items]
    filled = [index for index, item in enumerate(items) if item.continuation]
    computed = yield from _scores(base, adapter, [items[index] for index in filled], task)
    empty = Score(log_likelihood=0.0, token_log_likelihoods=(), greedy=True, estimates=())
    by_index = dict(zip(filled, computed, strict=True))
    return tuple(by_index.get(index, empty) for index in range(len(items)))


def _scores(
    base: Base, adapter: LoraAdapter | None, items: Sequence[ScoreItem], task: ScoreTask
) -> Work[list[Score]]:
    if isinstance(task.likelihood, PseudoLikelihood):
        return (yield from pseudo_scores(base, adapter, items, task.mode))
    if not isinstance(task.likelihood, CausalLikelihood):
        return (yield from monte_carlo_scores(base, adapter, items, task.likelihood, task.mode))
    likelihoods = yield from causal_likelihoods(base, adapter, items)
    return [summed(each) for each in likelihoods]


def _counted(item: ScoreItem, stop_token_ids: Sequence[int]) -> ScoreItem:
    """The item with its continuation cut behind the first stop token."""
    end = end_of_answer(item.continuation, stop_token_ids) + 1
    return ScoreItem(prompt=item.prompt, continuation=item.continuation[:end], key=item.key)


def _cache_bytes(model: Llama, task: ScoreTask) -> int:
    if isinstance(task.likelihood, CausalLikelihood):
        return causal_cache_bytes(model, [item for item in task.items if item.continuation])
    return masked_cache_bytes(model, task.items, task.likelihood, task.mode)


SCORING = TaskKind(
    task=ScoreTask,
    check=check_scoring,
    needs=lambda base, _, tasks: Needs(caches=sum(_cache_bytes(base.model, task) for task in tasks)),
    work=lambda at, task: score(at.base, at.weights, task),
)
