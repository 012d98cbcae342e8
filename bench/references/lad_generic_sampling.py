"""The denoising of RuurdKuiper/lad-generic: `denoise_stream`, one request after another, its states rendered as it does."""

import time

import torch

from bench.references.lad_generic_session import WithPrompt, inference_of, session_of
from bench.sides.serve import Values, serve


class LadGenericSampling:
    """`load` takes over an adapter that our side saved, `prepare` every turn's prompts."""

    def load(self, request: Values) -> Values:
        torch.set_num_threads(request["threads"])
        self._inference = inference_of(request)
        self._session = session_of(self._inference, request)
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
        self._session.tokenizer = WithPrompt(self._tokenizer, prompt)
        stream = self._inference.denoise_stream(
            self._session, "given", "", self._answer_tokens, self._iterations, 0.0, 0.0, 1, 0
        )
        for _ in range(self._iterations):
            next(stream)
        canvas = stream.gi_frame.f_locals[
            "ids"
        ]  # it yields text alone, in which different ids can look the same
        return list(canvas[len(prompt) :])


if __name__ == "__main__":
    serve(LadGenericSampling())
