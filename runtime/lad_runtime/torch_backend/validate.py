"""Losses of a data set under noise that is fixed for each example, so that those of different runs are comparable."""

from collections.abc import Generator, Iterator, Sequence
from typing import Any

import torch

from lad_runtime.torch_backend.bases import Base
from lad_runtime.torch_backend.lora import LoraAdapter
from lad_runtime.torch_backend.micro_batches import in_context, micro_batches
from lad_runtime.torch_backend.philox import Purpose
from lad_runtime.torch_backend.primitives import corrupt
from lad_runtime.torch_backend.tally import LossTally
from lad_runtime.torch_backend.targets import check_loss, targeted
from lad_runtime.types import AttentionMode, LossReport, LossSpec, NoiseSpec, PreparedExample

MICRO_BATCH_TOKENS = 4096
_EXAMPLES_AT_ONCE = 256  # whose noise is in memory


def validate(
    base: Base,
    adapter: LoraAdapter | None,
    examples: Sequence[PreparedExample],
    noise: NoiseSpec,
    loss: LossSpec,
    seed: int,
    *,
    attention: AttentionMode = "full",
    micro_batch_tokens: int = MICRO_BATCH_TOKENS,
) -> Generator[Any, Any, LossReport]:
    """Work that returns the LossReport of `examples`; without an adapter, the base's own.

    Noise is keyed by (seed, example id) under a purpose of its own: never the noise that training draws. `loss` is the mean over
    an example's supervised tokens (with its 1/t weight, where asked for), then over the examples that have any.
    """
    check_loss(loss, noise)
    tally = LossTally()
    counted = 0
    for part in _parts(examples):
        noised = [corrupt(base, example, noise, seed, 0, Purpose.VALIDATION_NOISE) for example in part]
        # Each example is a batch of its own here, so that its weights do not depend on how many others there are.
        sequences = [targeted([e], [n], loss)[0] for e, n in zip(part, noised, strict=True)]
        losses = [torch.zeros(len(s.ids)) for s in sequences]
        for indices in micro_batches(sequences, micro_batch_tokens):
            batch = yield from in_context(base, [sequences[i] for i in indices], attention)
            result = yield batch.loss_wish(adapter)
            counted += len(indices)
            for i, ce_L in zip(indices, batch.whole(result), strict=True):
                losses[i] = ce_L
        for row in zip(part, noised, sequences, losses, strict=True):
            tally.add(*row)
    return tally.report(divisor=max(counted, 1))


def _parts(examples: Sequence[PreparedExample]) -> Iterator[list[PreparedExample]]:
    for start in range(0, len(examples), _EXAMPLES_AT_ONCE):
        yield [examples[i] for i in range(start, min(start + _EXAMPLES_AT_ONCE, len(examples)))]
