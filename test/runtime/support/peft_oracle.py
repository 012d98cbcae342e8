"""A random base in transformers beside the same one here, and the logits of both with an adapter."""

from typing import Any

import pytest
import torch
from torch import Tensor

from lad_runtime.torch_backend.model.config import LlamaConfig
from lad_runtime.torch_backend.model.llama import Llama
from lad_runtime.torch_backend.model.lora import LoraAdapter
from lad_runtime.torch_backend.model.segment import Segment

CONFIG = LlamaConfig(
    vocab_size=61,
    hidden_size=32,
    intermediate_size=48,
    num_layers=3,
    num_heads=4,
    num_kv_heads=2,
    head_dim=8,
    max_positions=64,
)
IDS = torch.arange(3, 23)


def random_base() -> Llama:
    return Llama.random(CONFIG, seed=1, deviation=0.2)


def our_logits(base: Llama, adapter: LoraAdapter | None) -> Tensor:
    with torch.no_grad():
        hidden = base.hidden_states(base.batch([Segment(ids=IDS, adapter=adapter, mode="causal")]))
        return base.logits(hidden)[: len(IDS)]


def oracle_of(base: Llama) -> Any:
    transformers = pytest.importorskip("transformers")
    model = transformers.LlamaForCausalLM(transformers.LlamaConfig(**CONFIG.to_hf()))
    model.load_state_dict(base.weights)
    return model.eval()


def their_logits(model: Any) -> Tensor:
    with torch.no_grad():
        logits: Tensor = model(IDS[None]).logits[0]
        return logits
