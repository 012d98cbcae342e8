"""Log-likelihoods of a model that denoises: of the continuation's tokens where they are masked."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from lad_runtime.torch_backend.forward.base import Base
from lad_runtime.torch_backend.forward.requests import HiddenRequest
from lad_runtime.torch_backend.memory.needs import cache_bytes
from lad_runtime.torch_backend.model.kv_cache import KeyValueCache
from lad_runtime.torch_backend.model.llama import Llama
from lad_runtime.torch_backend.model.lora import LoraAdapter
from lad_runtime.torch_backend.model.segment import Segment
from lad_runtime.torch_backend.sampling.predict import REQUEST_TOKENS, in_groups
from lad_runtime.torch_backend.scoring.likelihood_masks import likelihood_masks
from lad_runtime.torch_backend.scoring.token_likelihoods import TokenLikelihoods, summed, token_likelihoods
from lad_runtime.types.attention import AttentionMode
from lad_runtime.types.evaluation import MonteCarloLikelihood, PseudoLikelihood, Score, ScoreItem
from lad_runtime.types.work import Work, ask


@dataclass(frozen=True, kw_only=True)
class _Canvas:
    """An item's continuation with some positions masked, ascending, for the samples that mask these."""

    index: int
    item: ScoreItem
    masked: tuple[int, ...]
    samples: tuple[int, ...]

    def tokens(self, attention: AttentionMode) -> int:
        return len(self.item.continuation) + (len(self.item.prompt) if attention == "full" else 0)


def pseudo_scores(
    base: Base, adapter: LoraAdapter | None, items: Sequence[ScoreItem], attention: AttentionMode
) -> Work[list[Score]]:
    """Work: of items with at least one token in their continuations, all of which are masked in one forward."""
    canvases = [
        _Canvas(index=index, item=item, masked=tuple(range(len(item.continuation))), samples=(0,))
        for index, item in enumerate(items)
    ]
    computed = yield from _likelihoods(base, adapter, canvases, attention)
    return [summed(each) for each in computed]


def monte_carlo_scores(
    base: Base,
    adapter: LoraAdapter | None,
    items: Sequence[ScoreItem],
    likelihood: MonteCarloLikelihood,
    attention: AttentionMode,
) -> Work[list[Score]]:
    """Work: the same of `samples` random masks each. Samples of one item that mask the same tokens are one forward."""
    canvases = [canvas for index, item in enumerate(items) for canvas in _sampled(index, item, likelihood)]
    computed = yield from _likelihoods(base, adapter, canvases, attention)
    parts: list[list[tuple[_Canvas, TokenLikelihoods]]] = [[] for _ in items]
    for canvas, likelihoods in zip(canvases, computed, strict=True):
        parts[canvas.index].append((canvas, likelihoods))
    return [_estimated(item, part, likelihood.samples) for item, part in zip(items, parts, strict=True)]


def masked_cache_bytes(
    model: Llama,
    items: Sequence[ScoreItem],
    likelihood: PseudoLikelihood | MonteCarloLikelihood,
    attention: AttentionMode,
) -> int:
    """Keys and values of the prompts that one request reads at most."""
    if attention == "full" or not items:
        return 0
    shortest = max(1, min(len(item.continuation) for item in items))
    many = min(len(items), max(1, REQUEST_TOKENS // shortest))
    return cache_bytes(model, many * max(len(item.prompt) for item in items))


def _sampled(index: int, item: ScoreItem, likelihood: MonteCarloLikelihood) -> list[_Canvas]:
    masks = likelihood_masks(
        seed=likelihood.seed,
        key=item.key,
        length=len(item.continuation),
        samples=likelihood.samples,
        stratified=likelihood.stratified,
    )
    samples: dict[tuple[int, ...], list[int]] = {}
    for sample, masked in enumerate(masks):
        samples.setdefault(masked, []).append(sample)
    return [
        _Canvas(index=index, item=item, masked=masked, samples=tuple(numbers))
        for masked, numbers in samples.items()
    ]


def _likelihoods(
    base: Base, adapter: LoraAdapter | None, canvases: Sequence[_Canvas], attention: AttentionMode
) -> Work[list[TokenLikelihoods]]:
    """Work: of the masked tokens of each canvas. The prompt is seen as in training."""
    found: list[TokenLikelihoods] = []
    for group in in_groups(canvases, [canvas.tokens(attention) for canvas in canvases], REQUEST_TOKENS):
        contexts: dict[tuple[int, ...], KeyValueCache | None] = {}
        if attention != "full":
            prompts = list(dict.fromkeys(canvas.item.prompt for canvas in group))
            caches = yield from base.prompts.contexts(base.model, adapter, prompts, attention)
            contexts = dict(zip(prompts, caches, strict=True))
        segments = tuple(_segment(base, adapter, canvas, attention, contexts) for canvas in group)
        rows = tuple(
            torch.tensor(canvas.masked) + len(segment.ids) - len(canvas.item.continuation)
            for canvas, segment in zip(group, segments, strict=True)
        )
        hidden = yield from ask(HiddenRequest(segments=segments, rows=rows))
        targets = [[canvas.item.continuation[i] for i in canvas.masked] for canvas in group]
        found += yield from token_likelihoods(hidden, targets)
    return found


def _segment(
    base: Base,
    adapter: LoraAdapter | None,
    canvas: _Canvas,
    attention: AttentionMode,
    contexts: dict[tuple[int, ...], KeyValueCache | None],
) -> Segment:
    shown_N = torch.tensor(canvas.item.continuation)
    shown_N[list(canvas.masked)] = base.info.mask_token_id
    if attention != "full":
        return Segment(ids=shown_N, adapter=adapter, context=contexts[canvas.item.prompt])
    prompt_P = torch.tensor(canvas.item.prompt, dtype=torch.int64)
    return Segment(ids=torch.cat([prompt_P, shown_N]), adapter=adapter)


def _estimated(item: ScoreItem, parts: Sequence[tuple[_Canvas, TokenLikelihoods]], samples: int) -> Score:
    """The mean over samples of L/l · Σ log p over l masked tokens; a token's own part is that of its terms."""
    length = len(item.continuation)
    estimates = [0.0] * samples
    terms: list[list[float]] = [[] for _ in range(length)]
    for canvas, likelihoods in parts:
        weight = length / len(canvas.masked)
        for sample in canvas.samples:
            estimates[sample] = weight * math.fsum(likelihoods.values)
        for position, value in zip(canvas.masked, likelihoods.values, strict=True):
            terms[position].append(len(canvas.samples) * weight * value)
    return Score(
        log_likelihood=math.fsum(estimates) / samples,
        token_log_likelihoods=tuple(math.fsum(each) / samples for each in terms),
        greedy=all(all(likelihoods.greedy) for _, likelihoods in parts),
        estimates=tuple(estimates),
    )
