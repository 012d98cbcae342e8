"""Stands for lad-generic's module: it denoises nothing, and answers every prompt with a text that tells its length and settings."""

import json
from pathlib import Path
from types import SimpleNamespace


def load_session(name, folder, device):
    settings = json.loads((Path(folder) / "resolved_config.json").read_text())
    base = Path(json.loads((Path(folder) / name / "adapter_config.json").read_text())["base_model_name_or_path"])
    assert (base / "config.json").is_file(), "the adapter names no folder of a base"
    return SimpleNamespace(tokenizer=SimpleNamespace(mask_token=settings["mask_token"]), device=device)


def denoise_stream(
    session, question, system, tokens, steps, noise_level, temperature, top_k, seed, early_stopping=False
):
    prompt = session.tokenizer.apply_chat_template([])
    for step in range(3 if early_stopping else steps):
        yield f"{step}", f"{len(prompt)} {tokens} {noise_level} {temperature} {top_k} {seed}", ""
