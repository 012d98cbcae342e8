"""Files of `torch.save` as LAD's authors publish them: a module of their own around a Llama that PEFT has wrapped."""

import sys
import types
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

from lad_runtime.torch_backend.model.config import LlamaConfig

RANK, ALPHA = 4, 8


@contextmanager
def authors_module(config: LlamaConfig, masking_type: str = "bidirectional") -> Iterator[Any]:
    """The authors' module with random weights. Its classes exist within the block alone: who reads its pickle has not got them."""
    transformers, peft = pytest.importorskip("transformers"), pytest.importorskip("peft")

    class CustomTransformerConfig(transformers.PretrainedConfig):  # type: ignore[misc]
        pass

    class CustomTransformerModel(transformers.PreTrainedModel):  # type: ignore[misc]
        config_class = CustomTransformerConfig

    names = types.ModuleType("models")
    for each in (CustomTransformerConfig, CustomTransformerModel):
        each.__module__, each.__qualname__ = "models", each.__name__
        setattr(names, each.__name__, each)
    sys.modules["models"] = names
    try:
        torch.manual_seed(1)
        made = CustomTransformerModel(CustomTransformerConfig(masking_type=masking_type))
        llama = transformers.LlamaForCausalLM(transformers.LlamaConfig(**config.to_hf())).half()
        lora = peft.LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=["q_proj", "v_proj"], task_type=None)
        made.llama = peft.get_peft_model(llama, lora)
        with torch.no_grad():
            for name, parameter in made.named_parameters():
                if "lora_B" in name:
                    parameter.normal_(0.0, 0.05)
        yield made.eval()
    finally:
        del sys.modules["models"]


def write_both(folder: Path, config: LlamaConfig) -> tuple[Path, Path, dict[str, torch.Tensor]]:
    """The module saved whole, and its state dict; and that as torch has it."""
    whole, state = folder / "whole.pth", folder / "state.pth"
    with authors_module(config) as made:
        torch.save(made, whole)
        torch.save(made.state_dict(), state)
        return whole, state, {name: tensor.clone() for name, tensor in made.state_dict().items()}
