"""A session of RuurdKuiper/lad-generic with an adapter of ours, and prompts that are given to it as token ids."""

import json
from pathlib import Path
from typing import Any

from bench.references.checkout import import_from
from bench.sides.device import PRECISIONS
from bench.sides.serve import Values


def inference_of(request: Values) -> Any:
    """Its module `inference`, of the checkout that the request names."""
    return import_from(Path(request["against"]) / "src", "diffusion_lm.inference")


def session_of(inference: Any, request: Values) -> Any:
    """Of an adapter in a folder whose parent is the harness's own: the settings of a run are written there."""
    adapter, device = Path(request["adapter"]), request["device"]
    settings = {"precision": PRECISIONS[device], "mask_token": request["maskToken"]}
    (adapter.parent / "resolved_config.json").write_text(json.dumps(settings))
    return inference.load_session(adapter.name, adapter.parent, device)


class WithPrompt:
    """A tokenizer whose rendering of any chat is a prompt given as token ids."""

    chat_template = "given"

    def __init__(self, tokenizer: Any, prompt: list[int]) -> None:
        self._tokenizer = tokenizer
        self._prompt = prompt

    def apply_chat_template(self, messages: Any, **options: Any) -> list[int]:
        return list(self._prompt)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tokenizer, name)
