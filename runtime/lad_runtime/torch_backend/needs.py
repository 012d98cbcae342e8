"""How much memory things take, by their shapes, before they are made."""

from lad_runtime.torch_backend.config import LlamaConfig
from lad_runtime.torch_backend.loss import CHUNK_BYTES
from lad_runtime.torch_backend.model import Llama
from lad_runtime.torch_backend.optimizer import SLOTS
from lad_runtime.types import AdapterSpec, TrainingNeeds, TrainingSpec

_WEIGHT_BYTES = 4  # adapters are float32 whatever the base's type


def adapter_bytes(config: LlamaConfig, spec: AdapterSpec) -> int:
    """Of an adapter's weights."""
    shapes = [config.projection_shape(target) for target in spec.targets]
    return _WEIGHT_BYTES * config.num_layers * spec.rank * sum(map(sum, shapes))


def training_needs(model: Llama, spec: TrainingSpec, adapter: AdapterSpec) -> TrainingNeeds:
    """Gradients and optimizer state of an adapter, and what the largest micro-batch keeps for its backward."""
    weights = adapter_bytes(model.config, adapter)
    tokens = min(max(spec.micro_batch_tokens, spec.window.window), spec.batch_size * spec.window.window)
    kept = _floats_per_token(model.config, adapter, checkpointing=spec.gradient_checkpointing)
    return TrainingNeeds(
        state=weights * (1 + len(SLOTS[spec.optimizer.kind])),
        activations=tokens * kept * model.dtype.itemsize
        + 2 * min(CHUNK_BYTES[model.device.type], 4 * tokens * model.config.vocab_size),
        tokens=tokens,
    )


def _floats_per_token(config: LlamaConfig, adapter: AdapterSpec, *, checkpointing: bool) -> int:
    """Numbers that the forward keeps for the backward.

    Of each layer the inputs of both norms, rotated queries, keys and values, what attention gives, gate and up; and each input of
    a projection that an adapter targets. With checkpointing the input of every layer, and one layer's numbers at a time.
    """
    hidden, inner = config.hidden_size, config.intermediate_size
    query = config.query_size
    key_value = config.num_kv_heads * config.head_dim
    layer = 2 * hidden + 2 * query + 2 * key_value + 2 * inner
    targets = set(adapter.targets)
    if targets & {"q_proj", "k_proj", "v_proj"}:
        layer += hidden
    if targets & {"gate_proj", "up_proj"}:
        layer += hidden
    if "down_proj" in targets:
        layer += inner
    rank = adapter.rank * len(targets)
    if checkpointing:
        return config.num_layers * hidden + layer + rank + 2 * hidden
    return config.num_layers * (layer + rank) + 2 * hidden
