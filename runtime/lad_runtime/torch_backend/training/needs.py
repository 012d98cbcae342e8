"""How much memory training takes, by its shapes, before it begins."""

from lad_runtime.method.loss_targets import LossSpec
from lad_runtime.method.noises.drawing import Noise
from lad_runtime.torch_backend.adapters.trained_adapter import TrainedAdapter
from lad_runtime.torch_backend.kernels.frozen_head_loss import chunk_rows
from lad_runtime.torch_backend.memory.needs import activation_bytes, adapter_bytes, cache_bytes
from lad_runtime.torch_backend.model.llama import Llama
from lad_runtime.torch_backend.optimizers.optimizer import SLOTS
from lad_runtime.types.adapters import AdapterSpec
from lad_runtime.types.memory import TrainingNeeds
from lad_runtime.types.primitives import ForwardSpec
from lad_runtime.types.training import OptimizerSpec, TrainingSpec


def training_needs(model: Llama, spec: TrainingSpec, adapter: AdapterSpec) -> TrainingNeeds:
    """Gradients and optimizer state of an adapter, and what the largest micro-batch keeps for its backward.

    Pasts of random cuts, which are not of the base's cached prompts, are keys and values of fewer tokens than the micro-batch has.
    """
    tokens = min(max(spec.micro_batch_tokens, spec.window.window), spec.batch_size * spec.window.window)
    pasts = cache_bytes(model, tokens) if spec.context == "random-split" else 0
    computed = activation_bytes(model, adapter, tokens, checkpointing=spec.gradient_checkpointing)
    drafted = draft_bytes(model, spec.noise, adapter, tokens)
    return TrainingNeeds(
        state=adapter_bytes(model.config, adapter) * (1 + len(SLOTS[spec.optimizer.kind])),
        activations=max(computed + soft_target_bytes(spec.loss, tokens), drafted) + pasts,
        tokens=tokens,
    )


def gradient_needs(
    model: Llama,
    longest: int,
    total: int,
    forward: ForwardSpec,
    trained: TrainedAdapter,
    loss: LossSpec | None = None,
    noise: Noise | None = None,
) -> TrainingNeeds:
    """Of `forwardBackward` over sequences of `total` tokens, the longest of which has `longest`: gradients, and while it computes
    a copy of those gathered before, to go back to."""
    tokens = min(max(forward.micro_batch_tokens, longest), total)
    kept = trained.state_nbytes - trained.optimizer_nbytes
    computed = activation_bytes(model, trained.spec, tokens, checkpointing=forward.gradient_checkpointing)
    pasts = 0 if forward.cache_prompts else cache_bytes(model, tokens)
    gradients = adapter_bytes(model.config, trained.spec)
    soft = soft_target_bytes(loss, tokens) if loss else 0
    drafted = draft_bytes(model, noise, trained.spec, tokens) if noise else 0
    return TrainingNeeds(
        state=gradients + trained.optimizer_nbytes,
        activations=max(computed + soft, drafted) + kept + pasts,
        tokens=tokens,
    )


def soft_target_bytes(loss: LossSpec, tokens: int) -> int:
    """Of so many tokens' targets: an id of 8 bytes and a probability of 4, held for all positions, for the supervised ones, and on
    their way from one to the other."""
    return 3 * 12 * tokens * loss.soft.top_k if loss.soft else 0


def draft_bytes(model: Llama, noise: Noise, adapter: AdapterSpec, tokens: int) -> int:
    """Of a micro-batch that the model drafts, before any gradient: a forward that keeps one layer at a time, its hidden states, and
    the draw from a chunk's logits, beside which two copies in float32 and three in float64 are held."""
    if noise.drafting is None:
        return 0
    hidden = tokens * model.config.hidden_size * model.dtype.itemsize
    chunk = min(chunk_rows(model.device, model.config.vocab_size), tokens) * model.config.vocab_size
    return activation_bytes(model, adapter, tokens, checkpointing=True) + hidden + (3 * 4 + 3 * 8) * chunk


def step_needs(trained: TrainedAdapter, optimizer: OptimizerSpec) -> TrainingNeeds:
    """Of `optimStep`: gradients, also where none was gathered, and the optimizer's state."""
    state = trained.adapter.weight_nbytes * (1 + len(SLOTS[optimizer.kind]))
    return TrainingNeeds(state=state, activations=0, tokens=1)
