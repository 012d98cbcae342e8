"""Replays forwards whose layout has been met before: on CUDA the host launches a small batch's kernels slower than they run."""

import logging
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from lad_runtime.torch_backend.kernels.device import memory_error, pinned
from lad_runtime.torch_backend.model.flat_batch import FlatBatch
from lad_runtime.torch_backend.model.recorded_layout import RecordedLayout

_log = logging.getLogger(__name__)

MOST_ROWS = 2048
"""From about so many rows on, kernels take longer than their launches."""

ROWS_KEPT = 16_384
LAYOUTS_KEPT = 64
"""How many layouts are remembered, and how many rows they have together: each row of a recorded one keeps its result [hidden]."""


class Recording(Protocol):
    def replay(self) -> Tensor:
        """Computes again, from whatever its inputs hold by now. Another replay may overwrite the result."""


class Recorder(Protocol):
    def record(self, compute: Callable[[], Tensor]) -> Recording:
        """Records a computation without computing it."""


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """What a forward reads of its batch, on the device. All but the ids follows from the layout."""

    ids_N: Tensor
    cos: Tensor  # [N, 1, head_dim / 2]
    sin: Tensor
    padding: Tensor | None


@dataclass(frozen=True, kw_only=True)
class _Replay:
    """A recorded forward with the tensors that it reads and that nothing else keeps."""

    recording: Recording
    inputs: Inputs
    boundaries: tuple[Tensor, ...]

    def hidden_states(self, ids_N: Tensor) -> Tensor:
        held_N = self.inputs.ids_N
        with torch.inference_mode():  # in which they may have been made
            held_N.copy_(pinned(ids_N, held_N.device), non_blocking=True)
        return self.recording.replay().clone()


class Replays:
    """The forwards of one model without gradients. One that is met the second time is recorded, with the same result to the bit;
    without a recorder, all are computed as they come. Belongs to the thread that computes.

    A layout is forgotten with its adapters' weights or its contexts, and the least recently met one where there are too many.
    """

    def __init__(self, recorder: Recorder | None) -> None:
        self.recorded = 0  # forwards, so far
        self.replayed = 0
        self._recorder = recorder
        self._met: OrderedDict[RecordedLayout, _Replay | None] = OrderedDict()

    def __len__(self) -> int:
        """How many layouts are remembered."""
        return len(self._met)

    def hidden_states(
        self, batch: FlatBatch, prepare: Callable[[], Inputs], compute: Callable[[Inputs], Tensor]
    ) -> Tensor:
        """`compute(prepare())`, a forward over `batch`, or the same by a replay. What is copied to the device is copied in
        `prepare` or with the batch's `boundaries`."""
        layout = self._layout(batch)
        if layout is None:
            return compute(prepare())
        if layout not in self._met:
            self._meet(layout)
            return compute(prepare())
        self._met.move_to_end(layout)
        replay = self._met[layout] or self._record(layout, batch, prepare(), compute)
        if replay is None:
            return compute(prepare())
        self.replayed += 1
        return replay.hidden_states(batch.host_ids)

    def drop(self) -> bool:
        """Forgets all layouts; whether that gave memory back."""
        had = any(self._met.values())
        self._met.clear()
        return had

    def _layout(self, batch: FlatBatch) -> RecordedLayout | None:
        if self._recorder is None or torch.is_grad_enabled() or batch.rows > MOST_ROWS:
            return None
        return RecordedLayout.of(batch)

    def _meet(self, layout: RecordedLayout) -> None:
        for met in [met for met in self._met if not met.is_alive]:
            del self._met[met]
        self._met[layout] = None
        while len(self._met) > LAYOUTS_KEPT or sum(met.rows for met in self._met) > ROWS_KEPT:
            self._met.popitem(last=False)

    def _record(
        self, layout: RecordedLayout, batch: FlatBatch, inputs: Inputs, compute: Callable[[Inputs], Tensor]
    ) -> _Replay | None:
        """None where there is no memory for it, or where the device refuses, which then is not asked again."""
        assert self._recorder is not None
        boundaries = batch.boundaries
        try:
            recording = self._recorder.record(lambda: compute(inputs))
        except RuntimeError as error:
            self.drop()
            if memory_error(error) is None:
                _log.warning("forwards are not replayed, since recording one failed: %s", error)
                self._recorder = None
            return None
        self.recorded += 1
        replay = _Replay(recording=recording, inputs=inputs, boundaries=boundaries)
        self._met[layout] = replay
        return replay
