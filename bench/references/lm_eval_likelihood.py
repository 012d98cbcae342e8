"""Causal likelihoods by lm-eval with transformers, in the batch size that is its best of several."""

import time

import torch
from lm_eval.models.huggingface import HFLM
from tokenizers import Tokenizer, models
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

from bench.sides.serve import Values, serve

BATCH_SIZES = (1, 4, 8, 16, 32, 64)
_TRIED = 64

Request = tuple[tuple[str, str], list[int], list[int]]


class LmEvalLikelihood:
    """Items come as token ids, so the tokenizer has nothing to do; lm-eval wants one that pads."""

    def load(self, request: Values) -> Values:
        torch.set_num_threads(request["threads"])
        model = AutoModelForCausalLM.from_pretrained(request["folder"], dtype=torch.float32).eval()
        words = Tokenizer(models.WordLevel({"<end>": request["eosTokenId"]}, unk_token="<end>"))
        tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, pad_token="<end>", eos_token="<end>")
        self._lm = HFLM(pretrained=model, tokenizer=tokenizer, batch_size=1)
        return {}

    def prepare(self, request: Values) -> None:
        """Tries the batch sizes on some items of the first turn."""
        self._turns = [
            [_request(number, *item) for number, item in enumerate(items)] for items in request["turns"]
        ]
        times = {size: self._time(self._turns[0][:_TRIED], size) for size in BATCH_SIZES}
        self._batch_size = min(times, key=lambda size: times[size])

    def run(self, request: Values) -> Values:
        started = time.perf_counter()
        scores = self._lm._loglikelihood_tokens(
            self._turns[request.get("turn", 0)], disable_tqdm=True, override_bs=self._batch_size
        )
        seconds = time.perf_counter() - started
        return {"seconds": seconds, "losses": [-score for score, _ in scores], "batchSize": self._batch_size}

    def _time(self, requests: list[Request], size: int) -> float:
        started = time.perf_counter()
        self._lm._loglikelihood_tokens(requests, disable_tqdm=True, override_bs=size)
        return time.perf_counter() - started


def _request(number: int, prompt: list[int], continuation: list[int]) -> Request:
    return (str(number), ""), prompt, continuation


if __name__ == "__main__":
    serve(LmEvalLikelihood())
