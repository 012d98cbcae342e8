"""What the model itself writes of a step's answers, by the weights as they are before its first gradient (docs/method.md §3)."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from lad_runtime.method.loss_targets import supervised_positions
from lad_runtime.method.noise import noised_positions
from lad_runtime.method.random import CanvasKey
from lad_runtime.method.row import Row
from lad_runtime.method.targeted_sequence import IGNORE_INDEX, TargetedSequence
from lad_runtime.torch_backend.forward.base import Base
from lad_runtime.torch_backend.forward.requests import HeadRequest
from lad_runtime.torch_backend.kernels.frozen_head_loss import chunk_rows
from lad_runtime.torch_backend.model.lora import LoraAdapter
from lad_runtime.torch_backend.sampling.draw import draw
from lad_runtime.torch_backend.training.micro_batches import Numbered, in_context, in_micro_batches
from lad_runtime.torch_backend.training.rows import NoisedBatch, NoisedDraw, Noising
from lad_runtime.types.primitives import ForwardSpec
from lad_runtime.types.sampling import DrawSpec
from lad_runtime.types.work import Work, ask


def with_drafts(batch: NoisedBatch, adapter: LoraAdapter, forward: ForwardSpec) -> Work[NoisedBatch]:
    """Work that returns the batch with what the model drafts in one forward without gradient and dropout; the batch itself where
    its noise asks for no drafts.

    A draft is what `predict` samples on the same canvas with the same seed. All are made before any gradient, because how many
    examples count may depend on what they corrupt.
    """
    noising, drafting = batch.noising, batch.noising.noise.drafting
    if drafting is None:
        return batch
    base, spec = noising.base, _draw_spec(drafting.temperature)
    drafts: dict[int, NDArray[np.int32]] = {}
    more = 0  # examples that count by their draft, less those that count by their noise alone

    def compute(group: Numbered[_Canvas]) -> Work[None]:
        nonlocal more
        sequences = [canvas.sequence for _, canvas in group]
        placed = yield from in_context(base, sequences, forward.attention, keep=forward.cache_prompts)
        hidden = yield from ask(placed.hidden_request(adapter))
        for (number, canvas), hidden_RD in zip(group, hidden, strict=True):
            drafts[number] = yield from canvas.drawn(base, hidden_RD, spec)
            more += canvas.counts(noising, drafts[number]) - canvas.counts(noising, None)

    yield from in_micro_batches(
        _canvases(batch), forward.micro_batch_tokens, compute, lambda _number, _row: None
    )
    return replace(batch, drafts=drafts, counted=batch.counted + more)


@dataclass(frozen=True, kw_only=True)
class _Canvas(Row):
    """An example that the model drafts: its targets are where it writes, none where it is shown as it is noised."""

    noised: NoisedDraw
    seed: int | None  # None: it is shown as it is noised

    def drawn(self, base: Base, hidden_RD: Tensor, spec: DrawSpec) -> Work[NDArray[np.int32]]:
        """Work that draws at the targets; the tokens of the canvas, 0 elsewhere."""
        assert self.seed is not None, "it has targets"
        key, past = CanvasKey(seed=self.seed, canvas=0), self.sequence.prompt_tokens
        positions_R = np.flatnonzero(np.array(self.sequence.targets) != IGNORE_INDEX) - past
        canvas_ids = np.zeros(len(self.sequence.ids) - past, dtype=np.int32)
        size = chunk_rows(hidden_RD.device, base.info.vocab_size)
        for start, chunk_RD in zip(range(0, len(positions_R), size), hidden_RD.split(size), strict=True):
            logits_RV = yield from ask(HeadRequest(hidden_RD=chunk_RD))
            chosen_R = positions_R[start : start + size]
            tokens = draw(logits_RV, spec, tokens=base.info, key=key, iteration=0, positions_R=chosen_R)
            canvas_ids[chosen_R] = tokens.ids_R
        return canvas_ids

    def counts(self, noising: Noising, draft: NDArray[np.int32] | None) -> bool:
        """Whether something of it is supervised, with or without its draft."""
        example, noised = self.noised.example, self.noised.noised
        if draft is not None:
            noised = noising.drafted(example, noised, draft)
        return any(supervised_positions(example, noised, noising.loss))


def _canvases(batch: NoisedBatch) -> Iterable[_Canvas]:
    for noised in batch.noised():
        example, ids = noised.example, noised.noised.ids
        seed = batch.noising.draft_seed(example, noised.epoch)
        targets_L = np.full(len(ids), IGNORE_INDEX)
        if seed is not None:
            positions = noised_positions(example, batch.noising.noise)
            targets_L[positions] = np.array(example.ids)[positions]
        sequence = TargetedSequence(
            ids=ids,
            targets=tuple(targets_L.tolist()),
            weights=(0.0,) * len(ids),
            prompt_tokens=example.past_tokens,
        )
        yield _Canvas(sequence=sequence, noised=noised, seed=seed)


def _draw_spec(temperature: float) -> DrawSpec:
    """Of a sampler that filters nothing: MASK alone is never drawn."""
    return DrawSpec(
        temperature=temperature,
        top_k=0,
        top_p=1.0,
        method="inverse-cdf",
        confidence="unfiltered",
        eos_bias=0.0,
        allow_mask=False,
    )
