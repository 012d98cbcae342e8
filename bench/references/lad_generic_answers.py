"""Answers of RuurdKuiper/lad-generic's `denoise_stream` as a reader gets them: its text, one request after another."""

import json
import platform
import time
from pathlib import Path

import torch

from bench.references.lad_generic_session import WithPrompt, inference_of, session_of
from bench.sides.model_folder import model_folder
from bench.sides.serve import Values, serve


class LadGenericAnswers:
    """`load` takes over an adapter of ours, `prepare` every turn's prompts and the window they begin; `run` says how to answer."""

    def load(self, request: Values) -> Values:
        torch.set_num_threads(request["threads"])
        _name_base(Path(request["adapter"]), model_folder(request["base"], Path(request["scratch"])))
        self._inference = inference_of(request)
        self._session = session_of(self._inference, request)
        self._tokenizer = self._session.tokenizer
        return {"torch": torch.__version__, "python": platform.python_version()}

    def prepare(self, request: Values) -> None:
        self._turns, self._window_tokens = request["turns"], request["windowTokens"]

    def run(self, request: Values) -> Values:
        settings = request["settings"]
        started = time.perf_counter()
        answers = [self._answer(prompt, settings) for prompt in self._turns[request["turn"]]]
        seconds = time.perf_counter() - started
        return {
            "seconds": seconds,
            "texts": [texts[-1] for texts in answers],
            "forwards": sum(len(texts) for texts in answers),
        }

    def _answer(self, prompt: list[int], settings: Values) -> list[str]:
        """The text after each of its forwards."""
        self._session.tokenizer = WithPrompt(self._tokenizer, prompt)
        stream = self._inference.denoise_stream(
            self._session,
            "given",
            "",
            self._window_tokens - len(prompt),
            settings["steps"],
            settings["noiseLevel"],
            settings["temperature"],
            settings["topK"],
            0,
            early_stopping=settings["earlyStopping"],
        )
        return [text for text, _, _ in stream]


def _name_base(adapter: Path, base: Path) -> None:
    """Has an adapter's file name its base as a folder, where transformers finds it."""
    file = adapter / "adapter_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "base_model_name_or_path": str(base)}))


if __name__ == "__main__":
    serve(LadGenericAnswers())
