"""What a training loop is made of. The worker's own run is this same code, so a loop of the caller's can equal it."""

from collections.abc import Generator, Sequence
from math import isfinite
from typing import Any

import torch
from torch import Tensor

from lad_runtime.torch_backend.bases import Base
from lad_runtime.torch_backend.micro_batches import in_context, micro_batches
from lad_runtime.torch_backend.noise import NoisedExample, apply_noise
from lad_runtime.torch_backend.optimizer import diverged
from lad_runtime.torch_backend.philox import Purpose
from lad_runtime.torch_backend.tally import weighted_loss
from lad_runtime.torch_backend.targets import check_loss, targeted
from lad_runtime.torch_backend.trained_adapter import TrainedAdapter
from lad_runtime.types import (
    ForwardBackwardResult,
    ForwardSpec,
    LossSpec,
    NoiseSpec,
    OptimizerSpec,
    OptimStepResult,
    PreparedExample,
    TargetedSequence,
    Work,
)


def forward_backward(
    base: Base, trained: TrainedAdapter, sequences: Sequence[TargetedSequence], forward: ForwardSpec
) -> Work:
    """Work that adds the gradient of Σ weight · CE to the adapter's; returns ForwardBackwardResult.

    Closed, failed or diverged (DIVERGED: the loss is no finite number), it leaves the gradients as they were.
    """
    kept = trained.gradients()
    try:
        losses = yield from accumulate(base, trained, sequences, forward)
    except BaseException:
        trained.restore_gradients(kept)
        raise
    return ForwardBackwardResult(
        loss=sum(weighted_loss(s, ce) for s, ce in zip(sequences, losses, strict=True)),
        tokens=sum(len(s.ids) for s in sequences),
        supervised_tokens=sum(target >= 0 for s in sequences for target in s.targets),
        ce=tuple(tuple(ce.tolist()) for ce in losses),
    )


def optim_step(
    trained: TrainedAdapter, optimizer: OptimizerSpec, learning_rate: float, max_gradient_norm: float
) -> Work:
    """Work that takes one optimizer step on the gradients gathered and clears them; returns OptimStepResult.

    Raises DIVERGED, weights untouched, where their norm is no finite number.
    """
    yield from ()
    norm = trained.step(optimizer, learning_rate, max_gradient_norm)
    return OptimStepResult(gradient_norm=norm, step=trained.steps)


def noise(
    base: Base,
    examples: Sequence[PreparedExample],
    noise: NoiseSpec,
    loss: LossSpec,
    seed: int,
    epoch: int,
) -> list[TargetedSequence]:
    """The sequences that a run with these options would compute for these examples as one batch of that epoch."""
    check_loss(loss, noise)
    noised = [corrupt(base, example, noise, seed, epoch) for example in examples]
    return targeted(examples, noised, loss)


def corrupt(
    base: Base,
    example: PreparedExample,
    noise: NoiseSpec,
    seed: int,
    epoch: int,
    purpose: Purpose = Purpose.NOISE,
) -> NoisedExample:
    """`apply_noise` with the base's mask token and vocabulary."""
    return apply_noise(
        example,
        noise,
        seed=seed,
        epoch=epoch,
        mask_id=base.info.mask_token_id,
        vocab_size=base.info.vocab_size,
        purpose=purpose,
    )


def accumulate(
    base: Base, trained: TrainedAdapter, sequences: Sequence[TargetedSequence], forward: ForwardSpec
) -> Generator[Any, Any, list[Tensor]]:
    """Gathers gradients micro-batch by micro-batch; returns each sequence's CE per position, [L] float32 on the CPU.

    Raises DIVERGED as soon as a loss is no finite number.
    """
    losses = [torch.zeros(len(s.ids)) for s in sequences]
    for indices in micro_batches(sequences, forward.micro_batch_tokens):
        batch = yield from in_context(base, [sequences[i] for i in indices], forward.attention)
        result = yield batch.gradient_wish(
            trained.adapter, trained.dropout_seed, checkpointing=forward.gradient_checkpointing
        )
        trained.gather()
        for i, ce_L in zip(indices, batch.whole(result), strict=True):
            losses[i] = ce_L
            loss = weighted_loss(sequences[i], losses[i])
            if not isfinite(loss):
                raise diverged("The loss", loss)
    return losses
