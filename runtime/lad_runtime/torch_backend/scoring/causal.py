"""Causal log-likelihoods. What items have in common at their start is computed once."""

from collections.abc import Iterator, Sequence

import torch

from lad_runtime.torch_backend.forward.base import Base
from lad_runtime.torch_backend.forward.requests import HiddenRequest
from lad_runtime.torch_backend.memory.needs import cache_bytes
from lad_runtime.torch_backend.model.llama import Llama
from lad_runtime.torch_backend.model.lora import LoraAdapter
from lad_runtime.torch_backend.model.segment import Segment
from lad_runtime.torch_backend.sampling.predict import REQUEST_TOKENS, in_groups
from lad_runtime.torch_backend.scoring.shared_prompts import Prefix, SharedPrompts
from lad_runtime.torch_backend.scoring.token_likelihoods import TokenLikelihoods, token_likelihoods
from lad_runtime.types.evaluation import ScoreItem
from lad_runtime.types.work import Work, ask

GROUP_TOKENS = 8192
"""The caches of the items that are computed at a time hold so many tokens at most, or those of one item."""


def causal_likelihoods(
    base: Base, adapter: LoraAdapter | None, items: Sequence[ScoreItem]
) -> Work[list[TokenLikelihoods]]:
    """Work: of each item's continuation, which has at least one token, as has its prompt. An item's values do not depend on the
    others."""
    found: dict[int, TokenLikelihoods] = {}
    trunk: Prefix | None = None
    for group in _groups(items):
        asked = [items[index] for index in group]
        shared = SharedPrompts.of([item.prompt for item in asked], [_total(item) for item in asked], trunk)
        yield from shared.filled(base.model, adapter)
        ends = [shared.prefixes[item.prompt] for item in asked]
        for part in in_groups(range(len(asked)), [len(item.continuation) for item in asked], REQUEST_TOKENS):
            likelihoods = yield from _continued(
                base.model, adapter, [asked[i] for i in part], [ends[i] for i in part]
            )
            found |= {group[i]: each for i, each in zip(part, likelihoods, strict=True)}
        trunk = ends[-1].kept()
    return [found[index] for index in range(len(items))]


def causal_cache_bytes(model: Llama, items: Sequence[ScoreItem]) -> int:
    """Keys and values that are held at once: those of a group, and of the last prompt of the group before."""
    sizes = [len(group) * max(_total(items[index]) for index in group) for group in _groups(items)]
    return cache_bytes(model, max(sizes, default=0) + max(map(_total, items), default=0))


def _groups(items: Sequence[ScoreItem]) -> Iterator[list[int]]:
    """Numbers of items whose prompts begin alike, so that what one group has computed serves the next."""
    group: list[int] = []
    longest = 0
    for index in sorted(range(len(items)), key=lambda index: items[index].prompt):
        longest = max(longest, _total(items[index]))
        if group and (len(group) + 1) * longest > GROUP_TOKENS:
            yield group
            group, longest = [], _total(items[index])
        group.append(index)
    if group:
        yield group


def _total(item: ScoreItem) -> int:
    """The tokens that are computed: nothing follows the last one."""
    return len(item.prompt) + len(item.continuation) - 1


def _continued(
    model: Llama, adapter: LoraAdapter | None, items: Sequence[ScoreItem], prompts: Sequence[Prefix]
) -> Work[list[TokenLikelihoods]]:
    """Work: of each item, whose prompt has been computed. The first token comes from the prompt's last hidden state."""
    segments: list[Segment] = []
    longer: list[int] = []
    for index, (item, prompt) in enumerate(zip(items, prompts, strict=True)):
        cache = prompt.begin(model, _total(item))
        if len(item.continuation) > 1:
            ids_L = torch.tensor(item.continuation[:-1])
            segments.append(Segment(ids=ids_L, adapter=adapter, mode="causal", cache=cache))
            longer.append(index)
    rows = tuple(torch.arange(len(segment.ids)) for segment in segments)
    states = (yield from ask(HiddenRequest(segments=tuple(segments), rows=rows))) if segments else ()
    first = [prompt.last_hidden for prompt in prompts]
    assert all(state is not None for state in first), "the prompts have been computed"
    hidden = [state for state in first if state is not None]
    for index, state_RD in zip(longer, states, strict=True):
        hidden[index] = torch.cat([hidden[index], state_RD])
    return (yield from token_likelihoods(hidden, [item.continuation for item in items]))
