"""Greedy generation with transformers: one batch of all prompts, padded on the left, with its cache of keys and values."""

import time

import torch
from transformers import AutoModelForCausalLM

from bench.sides.serve import Values, serve


class TransformersGenerate:
    """EOS is forbidden until the answers are as long as they may be, so that every run generates as many tokens."""

    def load(self, request: Values) -> Values:
        torch.set_num_threads(request["threads"])
        self._model = AutoModelForCausalLM.from_pretrained(request["folder"], dtype=torch.float32).eval()
        self._pad = request["eosTokenId"]
        return {}

    def prepare(self, request: Values) -> None:
        self._answer_tokens = request["answerTokens"]
        self._turns = [self._padded(prompts) for prompts in request["turns"]]

    def run(self, request: Values) -> Values:
        ids, mask = self._turns[request["turn"]]
        started = time.perf_counter()
        sequences = self._model.generate(
            ids,
            attention_mask=mask,
            do_sample=False,
            max_new_tokens=self._answer_tokens,
            min_new_tokens=self._answer_tokens,
            eos_token_id=self._pad,
            pad_token_id=self._pad,
        )
        answers = sequences[:, ids.shape[1] :].tolist()
        return {"seconds": time.perf_counter() - started, "answers": answers}

    def _padded(self, prompts: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
        """Ids and attention mask."""
        longest = max(map(len, prompts))
        ids = torch.tensor([[self._pad] * (longest - len(prompt)) + prompt for prompt in prompts])
        mask = torch.tensor([[0] * (longest - len(prompt)) + [1] * len(prompt) for prompt in prompts])
        return ids, mask


if __name__ == "__main__":
    serve(TransformersGenerate())
