"""Our samplers: canvases of one request each, all at once, as the engine batches them."""

from bench.sides.lad_worker import LadWorker
from bench.sides.sampling_message import sampling_spec
from bench.sides.serve import Values, serve
from lad_runtime.types.sampling import Canvas, SampleTask

_DEVIATION = 0.02
"""Of B, so that the adapter changes the answers and leaves sense in them."""


class Sampling:
    """`load` names the adapter's rank (0: the base alone), `prepare` gives every turn's prompts and says how to answer."""

    def load(self, request: Values) -> Values:
        self._worker = LadWorker(request)
        if request["rank"] == 0:
            self._adapter = None
            return self._worker.facts
        adapter = self._worker.adapter(request["rank"], deviation=_DEVIATION)
        self._adapter = self._worker.snapshot(adapter)
        return {**self._worker.facts, "adapters": [self._worker.save(adapter)]}

    def prepare(self, request: Values) -> None:
        self._turns = [
            [Canvas(prompt=tuple(ids), seed=0, begin=None, size=None) for ids in prompts]
            for prompts in request["turns"]
        ]
        self._spec = sampling_spec(request["spec"])

    def run(self, request: Values) -> Values:
        backend, base = self._worker.backend, self._worker.base
        works = [
            backend.work(base, self._adapter, SampleTask(canvas=canvas, index=index, spec=self._spec))
            for index, canvas in enumerate(self._turns[request.get("turn", 0)])
        ]
        seconds, answers = self._worker.run(works)
        return {"seconds": seconds, "answers": [list(answer.canvas_ids) for answer in answers]}

    def profile(self, request: Values) -> None:
        self._worker.profile(request["file"], lambda: self.run({}))


if __name__ == "__main__":
    serve(Sampling())
