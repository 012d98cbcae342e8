"""One forward of a denoising iteration over any number of canvases and adapters: how the time grows."""

from bench.sides.lad_worker import LadWorker
from bench.sides.serve import Values, serve
from lad_runtime.types.sampling import DrawSpec, PredictCanvas, PredictSpec, PredictTask

_RANK = 16
_DEVIATION = 0.02
_SPEC = PredictSpec(
    draw=DrawSpec(
        temperature=0.0,
        top_k=0,
        top_p=1.0,
        method="inverse-cdf",
        confidence="unfiltered",
        eos_bias=0.0,
        allow_mask=False,
    ),
    iteration=0,
    top=0,
    logits=False,
    mode="full",
    guidance_scale=0.0,
)


class Forwards:
    """`run` names how many canvases, of how many tokens (half of them the answer), and how many adapters share them."""

    def load(self, request: Values) -> Values:
        self._worker = LadWorker(request)
        self._adapters = [
            self._worker.adapter(_RANK, deviation=_DEVIATION) for _ in range(request["adapters"])
        ]
        return self._worker.facts

    def prepare(self, request: Values) -> None:
        self._ids = tuple(request["ids"])

    def run(self, request: Values) -> Values:
        canvases, tokens, adapters = request["canvases"], request["tokens"], request["adapters"]
        assert canvases % adapters == 0 and tokens <= len(self._ids)
        ids = self._ids[:tokens]
        share = tuple(
            PredictCanvas(ids=ids, answer_start=tokens // 2, seed=seed, stop_from=0)
            for seed in range(canvases // adapters)
        )
        backend, base = self._worker.backend, self._worker.base
        works = [
            backend.work(base, adapter, PredictTask(canvases=share, spec=_SPEC))
            for adapter in self._adapters[:adapters]
        ]
        seconds, _ = self._worker.run(works)
        return {"seconds": seconds, "tokens": canvases * tokens}

    def profile(self, request: Values) -> None:
        self._worker.profile(request.pop("file"), lambda: self.run(request))


if __name__ == "__main__":
    serve(Forwards())
