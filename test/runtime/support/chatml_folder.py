"""A small model folder as instruct models come: its template closes turns with another token than its tokenizer's `eos_token`."""

import json
from pathlib import Path
from typing import Any

import tokenizers
from tokenizers import AddedToken, decoders, models, pre_tokenizers

from lad_runtime.torch_backend.loading.stub import write_stub

END_OF_TEXT, START, END, MASK, THINK = range(5)
SPECIALS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<mask>")

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def write_chatml(folder: Path, *, template: str = CHATML, **settings: Any) -> Path:
    """The stub with a tokenizer whose special tokens have the ids 0 to 3; `<think>` is matched as they are, and is text."""
    write_stub(folder, seed=0)
    backend = chatml_tokenizer()
    (folder / "tokenizer.json").write_text(backend.to_str(), encoding="utf-8")
    chosen = {"eos_token": "<|endoftext|>", "mask_token": "<mask>", "chat_template": template} | settings
    (folder / "tokenizer_config.json").write_text(json.dumps(chosen), encoding="utf-8")
    ids = [END_OF_TEXT, END]
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps(config | {"eos_token_id": END_OF_TEXT}), encoding="utf-8")
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": ids}), encoding="utf-8")
    return folder


def chatml_tokenizer() -> tokenizers.Tokenizer:
    """Bytes, with the special tokens in the model's own vocabulary, as in SmolLM2's tokenizer."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: index for index, token in enumerate([*SPECIALS, "<think>", *alphabet])}
    backend = tokenizers.Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens([AddedToken(token, normalized=False) for token in SPECIALS])
    backend.add_tokens([AddedToken("<think>", normalized=False)])
    return backend
