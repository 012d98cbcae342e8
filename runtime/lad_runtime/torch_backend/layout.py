"""The parts of a flat batch: rows of one adapter, runs of equal sequences, blocks of sequences of any length."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from lad_runtime.torch_backend.cache import KeyValueCache
from lad_runtime.torch_backend.lora import LoraAdapter
from lad_runtime.torch_backend.segment import Segment


@dataclass(frozen=True, kw_only=True)
class AdapterRows:
    """The rows that one adapter computes, padding included."""

    adapter: LoraAdapter
    start: int
    stop: int
    dropout_seed: int | None


@dataclass(frozen=True, kw_only=True)
class Run:
    """Neighbouring sequences of equal length and mode, which the same attention calls compute. `count` 0: rows of padding.

    The first `split` tokens of each do not see those behind them (0: all see all). A run with a cache or a context is one
    sequence.
    """

    start: int
    stop: int
    count: int
    causal: bool = False
    split: int = 0
    cache: KeyValueCache | None = None
    context: KeyValueCache | None = None

    @classmethod
    def of(cls, segment: Segment, start: int) -> "Run":
        """The run of one sequence."""
        return cls(
            start=start,
            stop=start + len(segment.ids),
            count=1,
            causal=segment.mode == "causal",
            split=segment.split,
            cache=segment.cache,
            context=segment.context,
        )

    @property
    def is_plain(self) -> bool:
        """Whether its tokens attend to nothing but their own sequence, all of them in the same way."""
        return self.cache is None and self.context is None and self.split == 0

    @property
    def lengths(self) -> list[int]:
        """Tokens of each sequence; padding counts as one."""
        count = max(self.count, 1)
        return [(self.stop - self.start) // count] * count

    def joined(self, other: "Run") -> "Run | None":
        """Both as one run, or None where one call cannot compute them."""
        past = (self.cache, self.context, other.cache, other.context)
        if any(kept is not None for kept in past) or not (self.count and other.count):
            return None
        if (self.causal, self.split, self.lengths[0]) != (other.causal, other.split, other.lengths[0]):
            return None
        return replace(self, stop=other.stop, count=self.count + other.count)


@dataclass(frozen=True, kw_only=True)
class Block:
    """Neighbouring plain sequences of one mode, as variable-length attention takes them."""

    start: int
    stop: int
    causal: bool
    boundaries: Tensor  # [sequences + 1] int32, from 0
    longest: int

    @classmethod
    def of(cls, runs: Sequence[Run], device: torch.device) -> "Block":
        lengths = [length for run in runs for length in run.lengths]
        boundaries = torch.tensor([0, *lengths]).cumsum(0).to(device, torch.int32)
        first, last = runs[0], runs[-1]
        return cls(
            start=first.start,
            stop=last.stop,
            causal=first.causal,
            boundaries=boundaries,
            longest=max(lengths),
        )


def blocks_of(runs: Sequence[Run], device: torch.device) -> list[Block | Run]:
    """The runs in order, plain ones merged into as few blocks as their modes allow."""
    merged: list[list[Run]] = []
    for run in runs:
        first = merged[-1][0] if merged else None
        same = first is not None and first.is_plain and (run.count == 0 or run.causal == first.causal)
        if same and run.is_plain:
            merged[-1].append(run)
        else:
            merged.append([run])
    return [Block.of(group, device) if group[0].is_plain else group[0] for group in merged]


def grouped(segments: Sequence[Segment]) -> list[list[int]]:
    """Segment indices by adapter, in order of appearance; within an adapter so that runs are long."""
    groups: dict[tuple[int, int | None], list[int]] = {}
    for index, segment in enumerate(segments):
        groups.setdefault((id(segment.adapter), segment.dropout_seed), []).append(index)

    def order(index: int) -> tuple[bool, str, int, int]:
        segment = segments[index]
        alone = segment.cache is not None or segment.context is not None
        return alone, segment.mode, len(segment.ids), segment.split

    return [sorted(group, key=order) for group in groups.values()]
