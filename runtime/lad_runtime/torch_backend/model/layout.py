"""The parts of a flat batch: rows of one adapter, stacks of equal sequences, blocks of sequences of any length."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from lad_runtime.torch_backend.kernels.device import on_device
from lad_runtime.torch_backend.model.kv_cache import KeyValueCache
from lad_runtime.torch_backend.model.lora import LoraAdapter
from lad_runtime.torch_backend.model.segment import Segment


@dataclass(frozen=True, kw_only=True)
class AdapterRows:
    """The rows of one adapter, padding included."""

    adapter: LoraAdapter
    start: int
    stop: int
    dropout_seed: int | None


@dataclass(frozen=True, kw_only=True)
class Stack:
    """Adjacent sequences of equal length and mode, which one attention call computes. `count` 0: rows of padding.

    The first `split` tokens of each sequence see only one another (0: all see all). Either every sequence has a context, all of
    one length, or none has. A stack with a cache has one sequence, whose tokens may attend `one_by_one`.
    """

    start: int
    stop: int
    count: int
    causal: bool = False
    split: int = 0
    cache: KeyValueCache | None = None
    one_by_one: bool = False
    contexts: tuple[KeyValueCache, ...] = ()

    @classmethod
    def of(cls, segment: Segment, start: int) -> "Stack":
        """The stack of one sequence."""
        return cls(
            start=start,
            stop=start + len(segment.ids),
            count=1,
            causal=segment.mode == "causal",
            split=segment.split,
            cache=segment.cache,
            one_by_one=segment.one_by_one,
            contexts=(segment.context,) if segment.context else (),
        )

    @property
    def past_tokens(self) -> int:
        """The number of past tokens of each sequence."""
        past = self.contexts[0] if self.contexts else self.cache
        return past.length if past else 0

    @property
    def lengths(self) -> list[int]:
        """The number of tokens of each sequence; padding counts as one sequence."""
        count = max(self.count, 1)
        return [(self.stop - self.start) // count] * count

    def joined(self, other: "Stack") -> "Stack | None":
        """Both as one stack, or None if one call cannot compute them."""
        if self.cache or other.cache or not (self.count and other.count) or self._shape != other._shape:
            return None
        contexts = (*self.contexts, *other.contexts)
        return replace(self, stop=other.stop, count=self.count + other.count, contexts=contexts)

    @property
    def _shape(self) -> tuple[bool, int, int, bool, int]:
        """What the sequences of one call must have in common."""
        return self.causal, self.split, self.lengths[0], bool(self.contexts), self.past_tokens


@dataclass(frozen=True, kw_only=True)
class Lengths:
    """The boundaries of a block's sequences, and the length of the longest."""

    boundaries: Tensor  # [sequences + 1] int32, from 0
    longest: int

    @classmethod
    def of(cls, lengths: Sequence[int], device: torch.device) -> "Lengths":
        boundaries = torch.tensor([0, *lengths]).cumsum(0).to(torch.int32)
        return cls(boundaries=on_device(boundaries, device), longest=max(lengths))


@dataclass(frozen=True, kw_only=True)
class Block:
    """Adjacent sequences of one mode for variable-length attention. Each sees its past and itself."""

    start: int
    stop: int
    causal: bool
    stacks: tuple[Stack, ...]
    new: Lengths
    seen: Lengths

    @classmethod
    def of(cls, stacks: Sequence[Stack], device: torch.device) -> "Block":
        new = [length for stack in stacks for length in stack.lengths]
        seen = [stack.past_tokens + length for stack in stacks for length in stack.lengths]
        own = Lengths.of(new, device)
        return cls(
            start=stacks[0].start,
            stop=stacks[-1].stop,
            causal=stacks[0].causal,
            stacks=tuple(stacks),
            new=own,
            seen=own if seen == new else Lengths.of(seen, device),
        )

    @property
    def is_plain(self) -> bool:
        """Whether no sequence has a cache or context."""
        return not any(stack.cache or stack.contexts for stack in self.stacks)


def blocks_of(stacks: Sequence[Stack], device: torch.device) -> list[Block | Stack]:
    """Merges the stacks, in order, into as few blocks as their modes allow; stacks with a split stay as they are."""
    merged: list[list[Stack]] = []
    for stack in stacks:
        first = merged[-1][0] if merged else None
        same = first is not None and not first.split and (stack.count == 0 or stack.causal == first.causal)
        if same and not stack.split:
            merged[-1].append(stack)
        else:
            merged.append([stack])
    return [group[0] if group[0].split else Block.of(group, device) for group in merged]


def grouped(segments: Sequence[Segment]) -> list[list[int]]:
    """Groups segment indices by adapter, in order of appearance; sorts each group so that stacks are long."""
    groups: dict[tuple[int, int | None], list[int]] = {}
    for index, segment in enumerate(segments):
        groups.setdefault((id(segment.adapter), segment.dropout_seed), []).append(index)

    def order(index: int) -> tuple[bool, bool, str, int, int, int]:
        segment = segments[index]
        return (
            segment.cache is not None,
            segment.context is not None,
            segment.mode,
            len(segment.ids),
            segment.split,
            segment.begin,
        )

    return [sorted(group, key=order) for group in groups.values()]
