"""Writes the trained base as a model folder in Hugging Face's layout, with a card that says how well the written weights answer."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer

from lad_runtime.tiny.forward import exact_matches
from lad_runtime.tiny.generate import draw_balanced
from lad_runtime.tiny.lessons import lessons
from lad_runtime.tiny.vocabulary import EOS, save_vocabulary
from lad_runtime.torch_backend.model.llama import Llama

_TEST_ITEMS = 450


def export(
    folder: Path, name: str, model: Llama, tokenizer: Tokenizer, training: Mapping[str, object]
) -> None:
    """Writes bfloat16 weights, configuration, tokenizer and card into `folder`; each file is replaced whole."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: tensor.bfloat16().contiguous() for name, tensor in model.weights.items()}
    scratch = folder / ".model.safetensors"
    save_file(weights, scratch, metadata={"format": "pt"})
    scratch.chmod(0o644)
    os.replace(scratch, folder / "model.safetensors")
    eos = {"eos_token_id": tokenizer.token_to_id(EOS), "bos_token_id": None}
    config = json.dumps(model.config.to_hf("bfloat16") | eos, indent=2)
    (folder / "config.json").write_text(config + "\n", encoding="utf-8")
    save_vocabulary(tokenizer, folder)
    written = Llama(model.config, weights)
    (folder / "README.md").write_text(_card(name, written, tokenizer, training), encoding="utf-8")


@torch.no_grad()
def _card(name: str, model: Llama, tokenizer: Tokenizer, training: Mapping[str, object]) -> str:
    items = draw_balanced("test", 0, _TEST_ITEMS)
    matches, ce = exact_matches(model, lessons(items, tokenizer))
    right: dict[str, list[bool]] = {}
    for item, match in zip(items, matches, strict=True):
        right.setdefault(item.family, []).append(match)
    rows = [f"| {family} | {sum(marks) / len(marks):.3f} |" for family, marks in right.items()]
    facts = ", ".join(f"{name} {value}" for name, value in training.items())
    return "\n".join(
        [
            "---",
            "license: apache-2.0",
            "---",
            f"# {name}",
            "",
            f"A causal Llama of {model.parameter_count:,} parameters that answers generated questions: sums, sorting, reversing,",
            f"multiple choice and more. `python -m lad_runtime.tiny.train --size {name}` made it from nothing but questions that",
            f"`lad_runtime.tiny.generate` draws ({facts}).",
            "It knows nothing else. It is there so that adapting a trained causal model to diffusion takes minutes on a CPU.",
            "",
            f"Greedy answers to {len(items)} test questions that no training question shares an item with: exact match "
            f"{sum(matches) / len(matches):.3f},",
            f"cross-entropy {ce:.3f} nats a token.",
            "",
            "| family | exact match |",
            "| --- | --- |",
            *rows,
            "",
        ]
    )
