"""How much memory things take, by their shapes, before they are made."""

from lad_runtime.torch_backend.kernels.frozen_head_loss import CHUNK_BYTES
from lad_runtime.torch_backend.model.config import LlamaConfig
from lad_runtime.torch_backend.model.llama import Llama
from lad_runtime.types.adapters import AdapterSpec

_WEIGHT_BYTES = 4  # adapters are float32 whatever the base's type


def adapter_bytes(config: LlamaConfig, spec: AdapterSpec) -> int:
    """Of an adapter's weights."""
    shapes = [config.projection_shape(target) for target in spec.targets]
    return _WEIGHT_BYTES * config.num_layers * spec.rank * sum(map(sum, shapes))


def cache_bytes(model: Llama, tokens: int) -> int:
    """Of the keys and values of so many tokens in every layer."""
    return tokens * 2 * model.config.num_layers * model.config.kv_size * model.dtype.itemsize


def activation_bytes(model: Llama, adapter: AdapterSpec, tokens: int, *, checkpointing: bool) -> int:
    """Of a micro-batch of so many tokens, the logits of the loss among them."""
    kept = _floats_per_token(model.config, adapter, checkpointing=checkpointing) * model.dtype.itemsize
    logits = min(CHUNK_BYTES[model.device.type], 4 * tokens * model.config.vocab_size)
    return tokens * kept + 2 * logits


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
