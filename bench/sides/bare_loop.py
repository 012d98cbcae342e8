"""Training and denoising by the backend alone: no SDK, no gRPC, no engine, each request computed where it arises."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.sides.noise import NOISE
from bench.sides.serve import Values, serve
from lad_runtime.engine.data.examples import read_examples
from lad_runtime.torch_backend.backend import TorchBackend
from lad_runtime.types.adapters import AdapterSpec
from lad_runtime.types.bases import BaseSpec
from lad_runtime.types.data import WindowSpec
from lad_runtime.types.sampling import Canvas, SamplingSpec
from lad_runtime.types.training import (
    LossSpec,
    OptimizerSpec,
    ScheduleSpec,
    TrainingControl,
    TrainingSpec,
)
from lad_runtime.types.work import Work


class BareLoop:
    """`run` is asked for `training` or `sampling`; both use one adapter, as the SDK's side does."""

    def load(self, request: Values) -> Values:
        self._backend = TorchBackend(
            device="cpu", threads=request["threads"], state=Path(request["scratch"]) / "bare"
        )
        self._base = self._backend.load_base(BaseSpec(name=request["base"]), lambda progress: None)
        spec = AdapterSpec(
            rank=request["rank"],
            alpha=float(request["rank"]),
            targets=tuple(request["targets"]),
            seed=request["seed"],
        )
        self._adapter = self._backend.create_adapter(self._base, spec)
        return {}

    def prepare(self, request: Values) -> None:
        window = WindowSpec(window=request["window"])
        examples = read_examples(Path(request["data"]).read_bytes().splitlines())
        self._examples, self._report = self._backend.prepare(self._base, examples, window)
        self._training = TrainingSpec(
            dataset_id="bench",
            window=window,
            noise=NOISE,
            loss=LossSpec(supervise="all-tokens", tail=True, weighting="uniform"),
            optimizer=OptimizerSpec(),
            schedule=ScheduleSpec(learning_rate=request["learningRate"], warmup_steps=0, decay="constant"),
            steps=request["steps"],
            batch_size=request["batchSize"],
            seed=request["seed"],
        )
        self._canvas = Canvas(prompt=tuple(request["prompt"]), seed=request["seed"])
        self._sampling = SamplingSpec(
            mode="refine",
            answer_tokens=request["answerTokens"],
            iterations=request["iterations"],
            early_stop=False,
        )

    def run(self, request: Values) -> Values:
        runs: dict[str, Callable[[], Values]] = {"training": self._train, "sampling": self._sample}
        started = time.perf_counter()
        outcome = runs[request["what"]]()
        return {"seconds": time.perf_counter() - started, **outcome}

    def _train(self) -> Values:
        work = self._backend.train(
            self._base, self._adapter, self._examples, self._report, self._training, None, TrainingControl()
        )
        return {"losses": [self._drive(work).report.loss]}

    def _sample(self) -> Values:
        snapshot = self._backend.snapshot(self._adapter)
        work = self._backend.sample(self._base, snapshot, self._canvas, 0, self._sampling)
        return {"answers": [list(self._drive(work).canvas_ids)]}

    def _drive(self, work: Work) -> Any:
        reply: Any = None
        while True:
            try:
                item = work.send(reply)
            except StopIteration as end:
                return end.value
            is_request = hasattr(item, "group")  # else an event, which nobody reads here
            reply = self._backend.compute([item])[0] if is_request else None


if __name__ == "__main__":
    serve(BareLoop())
