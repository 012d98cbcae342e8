"""The worker's memory on a real backend: what is accounted, what is given back, and who is refused."""

import gc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lad_runtime.engine.residents import AdapterEntry, BaseEntry
from lad_runtime.engine.runs import Run
from lad_runtime.engine.worker import Worker, make_worker
from lad_runtime.torch_backend.backend import TorchBackend
from lad_runtime.types import (
    AdapterSpec,
    BaseSpec,
    Canvas,
    LossSpec,
    NoiseSpec,
    OptimizerSpec,
    SamplingSpec,
    ScheduleSpec,
    TrainingSpec,
    WindowSpec,
)

LINES = "".join(f'{{"instruction": "{n} + 1", "output": "{n + 1}"}}\n' for n in range(20))


class Bench:
    """A worker with the base `stub`, a data set, and how to ask it for things."""

    def __init__(self, state: Path, budget_bytes: int | None = None) -> None:
        backend = TorchBackend(device="cpu", threads=1, state=state)
        self.worker: Worker = make_worker(backend, state, budget_bytes)
        (state / "lines.jsonl").write_text(LINES)
        self.dataset_id, _ = self.worker.datasets.read_file(str(state / "lines.jsonl"))

    @property
    def accounted(self) -> int:
        gc.collect()
        return self.worker.memory.accounted_bytes

    def base(self, **options: Any) -> BaseEntry:
        return self.worker.bases.load(BaseSpec(name="stub", **options), lambda _: None)

    def adapter(self, base: BaseEntry, rank: int = 8) -> AdapterEntry:
        spec = AdapterSpec(rank=rank, alpha=float(rank), targets=("q_proj", "v_proj"), seed=1)
        return self.worker.adapters.create(base.id, spec).result(30)

    def train(self, adapter_id: str, **options: Any) -> Run:
        return self.worker.training.start(adapter_id, self.training(**options))

    def training(self, **options: Any) -> TrainingSpec:
        return TrainingSpec(
            **{
                "dataset_id": self.dataset_id,
                "window": WindowSpec(window=40),
                "noise": NoiseSpec(),
                "loss": LossSpec(),
                "optimizer": OptimizerSpec(),
                "schedule": ScheduleSpec(learning_rate=1e-3, warmup_steps=0),
                "steps": 1,
                "batch_size": 4,
                **options,
            }
        )

    def sample(self, base: BaseEntry, adapter_id: str = "", canvases: int = 1, **options: Any) -> Run:
        spec = SamplingSpec(
            **{"mode": "refine", "answer_tokens": 4, "iterations": 2, "frames": False, **options}
        )
        starts = [Canvas(prompt=(5, 6, 7 + index), seed=index) for index in range(canvases)]
        return self.worker.sampling.start(base.id, adapter_id, starts, spec)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path)
    yield bench
    bench.worker.drain(30)


def test_an_adapter_that_was_trained_and_sampled_leaves_nothing_when_it_is_dropped(bench: Bench) -> None:
    base = bench.base()
    before = bench.accounted
    adapter_id = bench.adapter(base).id
    for run in (bench.train(adapter_id), bench.sample(base, adapter_id)):
        assert run.wait(30) and run.info.state == "finished"
    assert bench.accounted > before
    bench.worker.adapters.drop(adapter_id)
    assert bench.accounted == before


def test_a_base_that_was_sampled_leaves_nothing_when_it_is_unloaded(bench: Bench) -> None:
    base = bench.base()
    runs = [bench.sample(base, canvases=3, attention="causal-prefix"), bench.sample(base, mode="ar")]
    assert all(run.wait(30) and run.info.state == "finished" for run in runs)
    base_id = base.id
    del base
    bench.worker.bases.unload(base_id)
    assert bench.accounted == 0
