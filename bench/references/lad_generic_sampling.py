"""The denoising of RuurdKuiper/lad-generic: `denoise_stream`, one request after another, its states rendered as it does."""

import json
import time
from pathlib import Path
from typing import Any

import torch

from bench.references.checkout import import_from
from bench.sides.device import PRECISIONS
from bench.sides.serve import Values, serve


class LadGenericSampling:
    """`load` takes over an adapter that our side saved, `prepare` every turn's prompts."""

    def load(self, request: Values) -> Values:
        torch.set_num_threads(request["threads"])
        self._inference = import_from(Path(request["against"]) / "src", "diffusion_lm.inference")
        adapter = Path(request["adapter"])
        device = request["device"]
        settings = {"precision": PRECISIONS[device], "mask_token": request["maskToken"]}
        (adapter.parent / "resolved_config.json").write_text(json.dumps(settings))
        self._session = self._inference.load_session(adapter.name, adapter.parent, device)
        self._tokenizer = self._session.tokenizer
        return {}

    def prepare(self, request: Values) -> None:
        self._turns = request["turns"]
        self._answer_tokens, self._iterations = request["answerTokens"], request["iterations"]

    def run(self, request: Values) -> Values:
        started = time.perf_counter()
        answers = [self._answer(prompt) for prompt in self._turns[request["turn"]]]
        return {"seconds": time.perf_counter() - started, "answers": answers}

    def _answer(self, prompt: list[int]) -> list[int]:
        """Refining at temperature 0: nothing is masked again (noise level 0), the most probable token is taken (top-k 1)."""
        self._session.tokenizer = _WithPrompt(self._tokenizer, prompt)
        stream = self._inference.denoise_stream(
            self._session, "given", "", self._answer_tokens, self._iterations, 0.0, 0.0, 1, 0
        )
        for _ in range(self._iterations):
            next(stream)
        canvas = stream.gi_frame.f_locals[
            "ids"
        ]  # it yields text alone, in which different ids can look the same
        return list(canvas[len(prompt) :])


class _WithPrompt:
    """A tokenizer whose rendering of any chat is a prompt given as token ids."""

    chat_template = "given"

    def __init__(self, tokenizer: Any, prompt: list[int]) -> None:
        self._tokenizer = tokenizer
        self._prompt = prompt

    def apply_chat_template(self, messages: Any, **options: Any) -> list[int]:
        return list(self._prompt)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tokenizer, name)


if __name__ == "__main__":
    serve(LadGenericSampling())
