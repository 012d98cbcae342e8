"""The parts of a flat batch: rows of one adapter, runs of equal sequences, blocks of sequences of any length."""

from collections.abc import Sequence
from dataclasses import dataclass

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
    """Neighbouring sequences of equal length and mode, which one attention call computes. `count` 0: rows of padding."""

    start: int
    stop: int
    count: int
    causal: bool = False
    cache: KeyValueCache | None = None

    @property
    def lengths(self) -> list[int]:
        """Tokens of each sequence; padding counts as one."""
        count = max(self.count, 1)
        return [(self.stop - self.start) // count] * count

    def joined(self, other: "Run") -> "Run | None":
        """Both as one run, or None where one call cannot compute them."""
        cached = self.cache is not None or other.cache is not None
        if cached or not (self.count and other.count) or self.causal != other.causal:
            return None
        if self.lengths[0] != other.lengths[0]:
            return None
        return Run(start=self.start, stop=other.stop, count=self.count + other.count, causal=self.causal)


@dataclass(frozen=True, kw_only=True)
class Block:
    """Neighbouring uncached sequences of one mode, as variable-length attention takes them."""

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
    """The runs in order, those without a cache merged into as few blocks as their modes allow."""
    merged: list[list[Run]] = []
    for run in runs:
        first = merged[-1][0] if merged else None
        same = first is not None and first.cache is None and (run.count == 0 or run.causal == first.causal)
        if same and run.cache is None:
            merged[-1].append(run)
        else:
            merged.append([run])
    return [group[0] if group[0].cache else Block.of(group, device) for group in merged]


def grouped(segments: Sequence[Segment]) -> list[list[int]]:
    """Segment indices by adapter, in order of appearance; within an adapter by mode and length, so that runs are long."""
    groups: dict[tuple[int, int | None], list[int]] = {}
    for index, segment in enumerate(segments):
        groups.setdefault((id(segment.adapter), segment.dropout_seed), []).append(index)

    def order(index: int) -> tuple[bool, str, int]:
        segment = segments[index]
        return segment.cache is not None, segment.mode, len(segment.ids)

    return [sorted(group, key=order) for group in groups.values()]
