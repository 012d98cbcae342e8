"""Estimates memory from shapes, before anything is allocated."""

from lad_runtime.torch_backend.kernels.frozen_head_loss import CHUNK_BYTES
from lad_runtime.torch_backend.model.config import LlamaConfig
from lad_runtime.torch_backend.model.llama import Llama
from lad_runtime.types.adapters import AdapterSpec

_WEIGHT_BYTES = 4  # adapters are float32 for any type of the base


def adapter_bytes(config: LlamaConfig, spec: AdapterSpec) -> int:
    """Bytes of an adapter's weights."""
    shapes = [config.projection_shape(target) for target in spec.targets]
    return _WEIGHT_BYTES * config.num_layers * spec.rank * sum(map(sum, shapes))


def cache_bytes(model: Llama, tokens: int) -> int:
    """Bytes of the keys and values of so many tokens in all layers."""
    return tokens * 2 * model.config.num_layers * model.config.kv_size * model.dtype.itemsize


def activation_bytes(model: Llama, adapter: AdapterSpec, tokens: int, *, checkpointing: bool) -> int:
    """Bytes of activations for a micro-batch of so many tokens, including the logits of the loss."""
    kept = _floats_per_token(model.config, adapter, checkpointing=checkpointing) * model.dtype.itemsize
    logits = min(CHUNK_BYTES[model.device.type], 4 * tokens * model.config.vocab_size)
    return tokens * kept + 2 * logits


def _floats_per_token(config: LlamaConfig, adapter: AdapterSpec, *, checkpointing: bool) -> int:
    """How many numbers the forward keeps for the backward.

    For each layer it keeps the inputs of both norms, the rotated queries, keys and values, the output of attention, gate and up,
    and each input of a targeted projection. With checkpointing it keeps the input of every layer, and these numbers for one layer
    at a time.
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
