"""A batch of targeted sequences as wishes of bounded size; how it is cut depends on the sequences and the bound alone."""

from collections.abc import Iterator, Sequence

import torch

from lad_runtime.torch_backend import wishes
from lad_runtime.torch_backend.batch import Segment
from lad_runtime.torch_backend.lora import LoraAdapter
from lad_runtime.torch_backend.wishes import GradientWish, LossWish
from lad_runtime.types import AttentionMode, TargetedSequence


def micro_batches(sequences: Sequence[TargetedSequence], max_tokens: int) -> Iterator[list[int]]:
    """Indices in order, as many a micro-batch as fit into `max_tokens`; a longer sequence has one of its own.

    Sequences of which nothing is supervised are left out: they have neither loss nor gradient.
    """
    batch: list[int] = []
    tokens = 0
    for index, sequence in enumerate(sequences):
        if max(sequence.targets) < 0:
            continue
        length = len(sequence.ids)
        if batch and tokens + length > max_tokens:
            yield batch
            batch, tokens = [], 0
        batch.append(index)
        tokens += length
    if batch:
        yield batch


def gradient_wish(
    sequences: Sequence[TargetedSequence], adapter: LoraAdapter, mode: AttentionMode, dropout_seed: int | None
) -> GradientWish:
    return GradientWish(
        segments=_segments(sequences, adapter, mode, dropout_seed),
        targets=_targets(sequences),
        weights=tuple(torch.tensor(s.weights, dtype=torch.float32) for s in sequences),
    )


def loss_wish(
    sequences: Sequence[TargetedSequence], adapter: LoraAdapter | None, mode: AttentionMode
) -> LossWish:
    return LossWish(segments=_segments(sequences, adapter, mode, None), targets=_targets(sequences))


def _segments(
    sequences: Sequence[TargetedSequence],
    adapter: LoraAdapter | None,
    mode: AttentionMode,
    dropout_seed: int | None,
) -> tuple[Segment, ...]:
    return tuple(
        Segment(
            ids=torch.tensor(s.ids, dtype=torch.int64), adapter=adapter, mode=mode, dropout_seed=dropout_seed
        )
        for s in sequences
    )


def _targets(sequences: Sequence[TargetedSequence]) -> tuple[torch.Tensor, ...]:
    """A caller's −1 as the wishes' own mark of an unsupervised token."""
    targets = [torch.tensor(s.targets, dtype=torch.int64) for s in sequences]
    return tuple(t.where(t >= 0, wishes.UNSUPERVISED) for t in targets)
