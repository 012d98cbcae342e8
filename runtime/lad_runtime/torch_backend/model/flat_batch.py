"""Flat token batches: sequences of any length, adapter and attention mode in one row of tokens."""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from lad_runtime.torch_backend.kernels.device import on_device
from lad_runtime.torch_backend.kernels.matmul import ROW_MULTIPLE
from lad_runtime.torch_backend.model.layout import AdapterRows, Block, Stack, blocks_of, grouped
from lad_runtime.torch_backend.model.segment import Segment


class FlatBatch:
    """Segments in one row of `rows` tokens. Those of one adapter are adjacent, and padded to a multiple of matmul rows.

    `spans[i]` are the rows (start, stop) of segment i in the order given.
    """

    def __init__(
        self,
        segments: Sequence[Segment],
        *,
        vocab_size: int,
        max_positions: int,
        device: torch.device | str = "cpu",
    ) -> None:
        assert segments, "a batch needs at least one segment"
        for segment in segments:
            segment.assert_computable(vocab_size=vocab_size, max_positions=max_positions)
        self.segments = tuple(segments)
        self.end = max(segment.end for segment in segments)  # one more than the highest position
        self.spans: list[tuple[int, int]] = [(0, 0)] * len(segments)
        self.adapters: list[AdapterRows] = []
        self.stacks: list[Stack] = []
        self.rows = 0
        self._device = torch.device(device)
        padding = [row for group in grouped(segments) for row in range(*self._add(group))]
        # In numpy, whose calls cost a fraction of torch's: with one token a segment they are all that there is to do.
        ids_and_positions = np.zeros((2, self.rows), dtype=np.int64)
        for segment, (start, stop) in zip(segments, self.spans, strict=True):
            ids_and_positions[0, start:stop] = segment.ids.numpy()
            ids_and_positions[1, start:stop] = np.arange(segment.begin, segment.end)
        self._ids_and_positions = torch.from_numpy(ids_and_positions)
        self._padding = padding

    @property
    def host_ids(self) -> Tensor:
        """The ids [N] int64 of all rows, 0 in padding, in the host's memory."""
        return self._ids_and_positions[0]

    @property
    def ids(self) -> Tensor:
        return self._on_device[0]

    @property
    def positions(self) -> Tensor:
        return self._on_device[1]

    @cached_property
    def padding(self) -> Tensor | None:
        """Indices of the rows of padding, if there are any."""
        return on_device(torch.tensor(self._padding), self._device) if self._padding else None

    @property
    def boundaries(self) -> tuple[Tensor, ...]:
        """Those of all blocks' sequences, on the device."""
        blocks = (block for block in self.blocks if isinstance(block, Block))
        return tuple(lengths.boundaries for block in blocks for lengths in (block.new, block.seen))

    @cached_property
    def _on_device(self) -> Tensor:
        return on_device(self._ids_and_positions, self._device)

    @cached_property
    def blocks(self) -> list[Block | Stack]:
        """The batch for variable-length attention. Padding counts as sequences of one token."""
        return blocks_of(self.stacks, self._device)

    def advance_caches(self, hidden_ND: Tensor) -> None:
        """Marks the segments' tokens as filled, once every layer has written them and `hidden` [N, D] is known."""
        for segment, (_, stop) in zip(self.segments, self.spans, strict=True):
            if segment.cache is not None:
                segment.cache.advance(len(segment.ids), hidden_ND[stop - 1 : stop].clone())

    def _add(self, group: Sequence[int]) -> tuple[int, int]:
        """Lays out the segments of one adapter; returns the rows (start, stop) of the padding after them."""
        start = self.rows
        for index in group:
            segment = self.segments[index]
            self.spans[index] = (self.rows, self.rows + len(segment.ids))
            self._add_stack(Stack.of(segment, self.rows))
        filled = self.rows
        padded = -(-filled // ROW_MULTIPLE) * ROW_MULTIPLE
        if padded > filled:
            self._add_stack(Stack(start=filled, stop=padded, count=0))
        head = self.segments[group[0]]
        if head.adapter is not None:
            rows = AdapterRows(adapter=head.adapter, start=start, stop=padded, dropout_seed=head.dropout_seed)
            self.adapters.append(rows)
        return filled, padded

    def _add_stack(self, stack: Stack) -> None:
        joined = self.stacks[-1].joined(stack) if self.stacks else None
        if joined is None:
            self.stacks.append(stack)
        else:
            self.stacks[-1] = joined
        self.rows = stack.stop


def padded_indices(rows_R: Tensor) -> Tensor:
    """Row indices, padded with the last one to a multiple of `ROW_MULTIPLE`."""
    missing = -len(rows_R) % ROW_MULTIPLE
    return torch.cat([rows_R, rows_R[-1:].expand(missing)]) if missing else rows_R
