"""Prompts of causal sequences, of which every common beginning is computed once."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from torch import Tensor

from lad_runtime.torch_backend.forward.prefix_cache import prompt_segment
from lad_runtime.torch_backend.forward.requests import ContextRequest
from lad_runtime.torch_backend.model.kv_cache import KeyValueCache
from lad_runtime.torch_backend.model.llama import Llama
from lad_runtime.torch_backend.model.lora import LoraAdapter
from lad_runtime.torch_backend.model.segment import Segment
from lad_runtime.torch_backend.sampling.predict import REQUEST_TOKENS, in_groups
from lad_runtime.types.work import Work, ask

BLOCK = 64
"""A prompt is computed in blocks of so many tokens from its start on, and what is left. That division depends on the prompt alone,
and with it every bit of the result, whoever shares a block."""


@dataclass(kw_only=True)
class Prefix:
    """The first tokens of some prompts: `ids` ends with a block or a prompt.

    `uses` counts the caches that are yet to begin with it, and `room` is the most tokens that any of them will hold. A prefix that
    is `lent` is the beginning of a cache that is somebody else's.
    """

    ids: tuple[int, ...]
    before: "Prefix | None"
    room: int = 0
    uses: int = 0
    lent: bool = False
    cache: KeyValueCache | None = None
    last_hidden: Tensor | None = None  # [1, D], of the last token

    def lend(self, trunk: "Prefix | None") -> None:
        """Takes the prefix from one that has been computed, where it is the beginning of that in whole blocks or all of it."""
        known = trunk
        while trunk is not None and known is not None:
            if known.ids == self.ids:
                self.lent, self.cache, self.last_hidden = True, trunk.cache, known.last_hidden
                return
            known = known.before

    def begin(self, model: Llama, room: int) -> KeyValueCache:
        """A cache that begins with the prefix, to add to: a copy, for the last one the prefix's own."""
        assert self.cache is not None and self.uses > 0
        self.uses -= 1
        if self.uses == 0 and not self.lent:
            return self.cache
        copy = model.cache(room)
        copy.begin_with(self.cache, len(self.ids))
        return copy

    def kept(self) -> "Prefix":
        """The prefix as the next trunk, without the caches of those before it: its own begins with them."""
        before = self.before
        while before is not None:
            before.cache = self.cache
            before = before.before
        return self


@dataclass(kw_only=True)
class SharedPrompts:
    """The prefixes of some prompts, by their ids."""

    prefixes: dict[tuple[int, ...], Prefix] = field(default_factory=dict)

    @classmethod
    def of(
        cls, prompts: Sequence[tuple[int, ...]], totals: Sequence[int], trunk: Prefix | None
    ) -> "SharedPrompts":
        """Of prompts that are parts of sequences of so many tokens in total. What they have in common with `trunk`, which has been
        computed, is not computed again."""
        shared = cls()
        for prompt, total in zip(prompts, totals, strict=True):
            last = shared._add(prompt, total, trunk)
            last.uses += 1
        return shared

    def filled(self, model: Llama, adapter: LoraAdapter | None) -> Work[None]:
        """Work that computes all prefixes, the shorter ones first."""
        waiting = [prefix for prefix in self.prefixes.values() if prefix.cache is None]
        while waiting:
            ready = [p for p in waiting if p.before is None or p.before.cache is not None]
            for group in in_groups(ready, [len(_own(p)) for p in ready], REQUEST_TOKENS):
                segments = [_segment(model, adapter, prefix) for prefix in group]
                yield from ask(ContextRequest.of(*segments))
                for prefix, segment in zip(group, segments, strict=True):
                    assert segment.cache is not None
                    prefix.cache, prefix.last_hidden = segment.cache, segment.cache.last_hidden
            waiting = [prefix for prefix in waiting if prefix.cache is None]

    def _add(self, prompt: tuple[int, ...], total: int, trunk: Prefix | None) -> Prefix:
        before: Prefix | None = None
        for end in (*range(BLOCK, len(prompt), BLOCK), len(prompt)):
            ids = prompt[:end]
            found = self.prefixes.get(ids)
            if found is None:
                found = self.prefixes[ids] = Prefix(ids=ids, before=before)
                found.lend(trunk)
                if before is not None and not found.lent:
                    before.uses += 1
            found.room = max(found.room, total)
            before = found
        assert before is not None, "a prompt has at least one token"
        return before


def _own(prefix: Prefix) -> tuple[int, ...]:
    """The tokens that its forward computes."""
    return prefix.ids[len(prefix.before.ids) if prefix.before else 0 :]


def _segment(model: Llama, adapter: LoraAdapter | None, prefix: Prefix) -> Segment:
    before = prefix.before
    cache = before.begin(model, prefix.room) if before else model.cache(prefix.room)
    return prompt_segment(_own(prefix), adapter, "causal", cache)
