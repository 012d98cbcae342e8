"""How a checkpoint names its tensors, and the Llama that it is."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lad_runtime.torch_backend.loading.llada import MODEL_TYPE, llada_config, llama_name
from lad_runtime.torch_backend.model.config import LlamaConfig, attention_of
from lad_runtime.types.attention import AttentionMode

_PEFT = re.compile(
    r"^(?:llama\.)?(?:base_model\.model\.)?"
)  # a module of LAD's authors has its Llama as `llama`


@dataclass(frozen=True, kw_only=True)
class Layout:
    """`renamed` gives a stored tensor's name in a Llama's checkpoint; None for one that is no part of the base."""

    config: LlamaConfig
    renamed: Callable[[str], str | None]
    is_llama: bool  # transformers loads its files as they are
    attention: AttentionMode | None  # in which it was trained to denoise; None: its files say none


def layout_of(raw: Mapping[str, Any], *, is_archive: bool) -> Layout:
    """By a parsed `config.json`, and whether the weights are a file of `torch.save`.

    Raises LadError for a model that would be computed wrongly.
    """
    if raw.get("model_type") == MODEL_TYPE:
        return Layout(config=llada_config(raw), renamed=llama_name, is_llama=False, attention="full")
    attention = attention_of(raw)
    if is_archive:
        return Layout(
            config=LlamaConfig.from_hf(raw), renamed=without_peft, is_llama=False, attention=attention
        )
    return Layout(
        config=LlamaConfig.from_hf(raw), renamed=lambda name: name, is_llama=True, attention=attention
    )


def without_peft(name: str) -> str | None:
    """The name that a base's tensor had before PEFT wrapped it; None for an adapter's own."""
    if ".lora_" in name:
        return None
    return _PEFT.sub("", name).replace(".base_layer.", ".")
