"""Training and denoising by the backend alone: no SDK, no gRPC, no engine, each request computed where it arises."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.sides.sampling_message import sampling_spec
from bench.sides.serve import Values, serve
from bench.sides.specs import adapter_spec, base_spec, training_spec
from lad_runtime.engine.data.examples import read_examples
from lad_runtime.torch_backend.backend import TorchBackend
from lad_runtime.types.sampling import Canvas, SampleTask
from lad_runtime.types.training import LossSpec, TrainTask
from lad_runtime.types.work import Request, Work


class BareLoop:
    """`run` is asked for `training` or `sampling`; both use one adapter, as the SDK's side does."""

    def load(self, request: Values) -> Values:
        self._backend = TorchBackend(
            device="cpu", threads=request["threads"], state=Path(request["scratch"]) / "bare"
        )
        self._base = self._backend.load_base(base_spec(request["base"]), lambda progress: None)
        spec = adapter_spec(request["rank"], tuple(request["targets"]), request["seed"])
        self._adapter = self._backend.create_adapter(self._base, spec)
        return {}

    def prepare(self, request: Values) -> None:
        loss = LossSpec(supervise="all-tokens", tail=True, tail_weight=1.0, weighting="uniform", soft=None)
        self._training = training_spec(request, loss, request["batchSize"], "full")
        examples = read_examples(Path(request["data"]).read_bytes().splitlines())
        self._examples, self._report = self._backend.prepare(self._base, examples, self._training.window)
        self._canvas = Canvas(prompt=tuple(request["prompt"]), seed=request["seed"], begin=None, size=None)
        self._sampling = sampling_spec(request["spec"])

    def run(self, request: Values) -> Values:
        runs: dict[str, Callable[[], Values]] = {"training": self._train, "sampling": self._sample}
        started = time.perf_counter()
        outcome = runs[request["what"]]()
        return {"seconds": time.perf_counter() - started, **outcome}

    def _train(self) -> Values:
        work = self._backend.work(
            self._base, self._adapter, TrainTask(spec=self._training, data=(self._examples, self._report))
        )
        return {"losses": [self._drive(work).report.loss]}

    def _sample(self) -> Values:
        snapshot = self._backend.snapshot(self._adapter)
        work = self._backend.work(
            self._base, snapshot, SampleTask(canvas=self._canvas, index=0, spec=self._sampling)
        )
        return {"answers": [list(self._drive(work).canvas_ids)]}

    def _drive(self, work: Work) -> Any:
        reply: Any = None
        while True:
            try:
                item = work.send(reply)
            except StopIteration as end:
                return end.value
            reply = None  # as after an event, which nobody reads here
            if isinstance(item, Request):
                (reply,) = self._backend.compute([item])


if __name__ == "__main__":
    serve(BareLoop())
