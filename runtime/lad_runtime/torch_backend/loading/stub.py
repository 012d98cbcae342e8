"""The base `stub`: a random Llama of a few thousand parameters, written as an ordinary model folder."""

import json
import math
from pathlib import Path

import tokenizers
import torch
from safetensors.torch import save_file
from tokenizers import AddedToken, decoders, models, pre_tokenizers

from lad_runtime.torch_backend.model.config import LlamaConfig
from lad_runtime.torch_backend.model.layers import tensor_shapes

SPECIAL_TOKENS = ("[EOS]", "[MASK]", "[SYSTEM]", "[USER]", "[ASSISTANT]")

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '[' + message['role'] | upper + ']' + message['content'] + eos_token }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '[ASSISTANT]' }}{% endif %}"
)

CONFIG = LlamaConfig(
    vocab_size=256 + len(SPECIAL_TOKENS),
    hidden_size=16,
    intermediate_size=32,
    num_layers=2,
    num_heads=4,
    num_kv_heads=2,
    head_dim=4,
    rms_norm_eps=1e-5,
    rope_theta=10000.0,
    max_positions=1024,
    tied=True,
)


def write_stub(folder: Path, seed: int) -> None:
    """Writes the stub with weights drawn from `seed` (0 … 2⁶⁴ − 1) into the existing `folder`. A token is a byte of UTF-8."""
    generator = torch.Generator().manual_seed(seed)
    weights = {}
    for name, shape in tensor_shapes(CONFIG).items():
        if name.endswith("norm.weight"):
            weights[name] = torch.ones(shape)
        else:
            weights[name] = torch.randn(shape, generator=generator) / math.sqrt(shape[-1])
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    tokenizer = _byte_tokenizer()
    settings = {"eos_token": "[EOS]", "mask_token": "[MASK]", "chat_template": CHAT_TEMPLATE}
    eos = {"eos_token_id": tokenizer.token_to_id("[EOS]")}
    (folder / "tokenizer.json").write_text(tokenizer.to_str(), encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps(settings), encoding="utf-8")
    (folder / "config.json").write_text(json.dumps(CONFIG.to_hf() | eos), encoding="utf-8")


def _byte_tokenizer() -> tokenizers.Tokenizer:
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {character: index for index, character in enumerate(alphabet)}
    tokenizer = tokenizers.Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, normalized=False) for token in SPECIAL_TOKENS])
    return tokenizer
