"""The LLaDA sampler of ZHZisZZ/dllm on its own bidirectional Llama, all prompts in one batch."""

import time
from types import SimpleNamespace

import torch

from bench.references.checkout import import_from, skip_packages
from bench.sides.serve import Values, serve

_PACKAGES = ("dllm", "dllm.core", "dllm.pipelines", "dllm.pipelines.a2d", "dllm.pipelines.a2d.models")


class DllmSampling:
    """Temperature 0, the most confident masks first; `iterations` steps over one block."""

    def load(self, request: Values) -> Values:
        torch.set_num_threads(request["threads"])
        skip_packages(request["against"], _PACKAGES)
        samplers = import_from(request["against"], "dllm.core.samplers")
        llama = import_from(request["against"], "dllm.pipelines.a2d.models.llama.modeling_llama")
        model = llama.A2DLlamaLMHeadModel.from_pretrained(request["folder"], dtype=torch.float32).eval()
        tokenizer = SimpleNamespace(
            mask_token_id=request["maskTokenId"],
            eos_token_id=request["eosTokenId"],
            bos_token_id=request["eosTokenId"],
        )
        self._sampler = samplers.MDLMSampler(model=model, tokenizer=tokenizer)
        self._config = samplers.MDLMSamplerConfig
        return {}

    def prepare(self, request: Values) -> None:
        self._turns = request["turns"]
        self._answer_tokens = request["answerTokens"]
        self._settings = self._config(
            max_new_tokens=request["answerTokens"],
            block_size=request["answerTokens"],
            steps=request["iterations"],
        )

    def run(self, request: Values) -> Values:
        prompts = self._turns[request["turn"]]
        started = time.perf_counter()
        canvases = self._sampler.sample(prompts, self._settings).tolist()
        seconds = time.perf_counter() - started
        answers = [
            canvas[len(prompt) : len(prompt) + self._answer_tokens]
            for prompt, canvas in zip(prompts, canvases, strict=True)
        ]
        return {"seconds": seconds, "answers": answers}


if __name__ == "__main__":
    serve(DllmSampling())
