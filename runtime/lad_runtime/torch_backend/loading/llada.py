"""LLaDA's checkpoints (arXiv 2502.09992): a Llama under other names, whose own attention is bidirectional."""

import re
from collections.abc import Mapping
from typing import Any

from lad_runtime.torch_backend.model.config import LlamaConfig, number_in, unsupported_config, whole_in

MODEL_TYPE = "llada"

# What its configuration may turn on or change, and a Llama has not.
_PLAIN: Mapping[str, tuple[object, ...]] = {
    "activation_type": ("silu",),
    "alibi": (False,),
    "attention_layer_norm": (False,),
    "bias_for_layer_norm": (False, None),
    "block_group_size": (1,),
    "block_type": ("llama",),
    "clip_qkv": (None,),
    "include_bias": (False,),
    "include_qkv_bias": (False, None),
    "input_emb_norm": (False,),
    "layer_norm_type": ("rms",),
    "layer_norm_with_affine": (True,),
    "multi_query_attention": (False, None),
    "rope": (True,),
    "scale_logits": (False,),
}

_WHOLE = {
    "model.transformer.wte.weight": "model.embed_tokens.weight",
    "model.transformer.ln_f.weight": "model.norm.weight",
    "model.transformer.ff_out.weight": "lm_head.weight",
}
_OF_A_LAYER = {
    "attn_norm": "input_layernorm",
    "attn_out": "self_attn.o_proj",
    "ff_norm": "post_attention_layernorm",
    "ff_out": "mlp.down_proj",
    "ff_proj": "mlp.gate_proj",
    "k_proj": "self_attn.k_proj",
    "q_proj": "self_attn.q_proj",
    "up_proj": "mlp.up_proj",
    "v_proj": "self_attn.v_proj",
}
_LAYER = re.compile(r"model\.transformer\.blocks\.(\d{1,6})\.(\w{1,40})\.weight")


def llada_config(raw: Mapping[str, Any]) -> LlamaConfig:
    """Reads LLaDA's `config.json`. Raises LadError for a variant that is no Llama: biases, ALiBi, other norms or activations."""
    for name, plain in _PLAIN.items():
        if name in raw and raw[name] not in plain:
            raise unsupported_config(f"{name} is {str(raw[name])[:80]!r}, and {plain[0]!r} is computed here.")
    hidden, heads = whole_in(raw, "d_model"), whole_in(raw, "n_heads")
    inner = raw.get("mlp_hidden_size")
    return LlamaConfig(
        vocab_size=whole_in(raw, "vocab_size" if raw.get("embedding_size") is None else "embedding_size"),
        hidden_size=hidden,
        intermediate_size=(
            hidden * whole_in(raw, "mlp_ratio") if inner is None else whole_in(raw, "mlp_hidden_size")
        ),
        num_layers=whole_in(raw, "n_layers"),
        num_heads=heads,
        num_kv_heads=whole_in(raw, "n_kv_heads", heads),
        head_dim=hidden // max(heads, 1),
        rms_norm_eps=number_in(raw, "rms_norm_eps", 1e-5),
        rope_theta=number_in(raw, "rope_theta", 10000.0),
        max_positions=whole_in(raw, "max_sequence_length", 1024),
        tied=bool(raw.get("weight_tying", True)),
    )


def llama_name(name: str) -> str:
    """A tensor's name in a Llama; one that LLaDA has not stays as it is, and is refused where it is looked for."""
    layer = _LAYER.fullmatch(name)
    if layer is not None and layer[2] in _OF_A_LAYER:
        return f"model.layers.{int(layer[1])}.{_OF_A_LAYER[layer[2]]}.weight"
    return _WHOLE.get(name, name)
