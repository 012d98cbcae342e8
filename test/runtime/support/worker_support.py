"""A worker on a real backend, in this process, and how to ask it for things."""

import gc
import threading
from pathlib import Path
from typing import Any

from lad_runtime.engine.resident.entries import AdapterEntry, BaseEntry
from lad_runtime.engine.runs.run import Run
from lad_runtime.engine.worker import Worker, make_worker
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.torch_backend.backend import TorchBackend
from lad_runtime.types.sampling import Canvas, SamplingSpec
from lad_runtime.types.training import TrainingSpec
from method_specs import schedule_spec, targeted_sequence, window_spec
from sampling_specs import refine_policy, sampling_spec
from type_specs import adapter_spec, base_spec, forward_spec, optimizer_spec, run_spec

LINES = "".join(f'{{"instruction": "{n} + 1", "output": "{n + 1}"}}\n' for n in range(20))
SEQUENCE = targeted_sequence(ids=(5, 6, 7, 8), targets=(6, 7, 8, 9), weights=(1.0,) * 4)


class Bench:
    """A worker with the base `stub`, a data set, and how to ask it for things."""

    def __init__(self, state: Path, budget_bytes: int | None = None) -> None:
        backend = TorchBackend(device="cpu", threads=1, state=state)
        self.worker: Worker = make_worker(backend, state, budget_bytes)
        state.mkdir(exist_ok=True)
        (state / "lines.jsonl").write_text(LINES)
        self.dataset_id, _ = self.worker.datasets.read_file(str(state / "lines.jsonl"))

    @property
    def accounted(self) -> int:
        gc.collect()
        return self.worker.memory.accounted_bytes

    def base(self, **options: Any) -> BaseEntry:
        return self.worker.bases.load(base_spec(name="stub", **options), lambda _: None)

    def adapter(self, base: BaseEntry, rank: int = 8) -> AdapterEntry:
        spec = adapter_spec(rank=rank, alpha=float(rank), targets=("q_proj", "v_proj"), seed=1)
        return self.worker.adapters.create(base.id, spec).result(30)

    def train(self, adapter_id: str, **options: Any) -> Run:
        return self.worker.training.start(adapter_id, self.training(**options))

    def training(self, **options: Any) -> TrainingSpec:
        return training_spec(self.dataset_id, **options)

    def sample(
        self,
        base: BaseEntry,
        adapter_id: str = "",
        *,
        first: int = 0,
        canvases: int = 1,
        tokens: int = 3,
        **options: Any,
    ) -> Run:
        """Canvases from a number on, each with another prompt of so many tokens."""
        spec = short_sampling(**options)
        rest = (5,) * (tokens - 2)
        numbers = range(first, first + canvases)
        starts = [
            Canvas(prompt=(5 + n % 50, 5 + n // 50, *rest), seed=n, begin=None, size=None) for n in numbers
        ]
        return self.worker.sampling.start(base.id, adapter_id, starts, spec)


def training_spec(dataset_id: str, **options: Any) -> TrainingSpec:
    """A run of one step."""
    return run_spec(
        **{
            "dataset_id": dataset_id,
            "window": window_spec(window=40),
            "schedule": schedule_spec(learning_rate=1e-3, warmup_steps=0),
            "steps": 1,
            "batch_size": 4,
            **options,
        }
    )


def short_sampling(**options: Any) -> SamplingSpec:
    """A run of two iterations, without frames."""
    return sampling_spec(
        **{"policy": refine_policy(iterations=2), "answer_tokens": 4, "frames": False, **options}
    )


def step(bench: Bench, adapter: AdapterEntry) -> None:
    """One forwardBackward and one optimStep, unnumbered."""
    primitives = bench.worker.primitives
    primitives.forward_backward(adapter.id, 0, (SEQUENCE,), forward_spec()).future.result(30)
    primitives.optim_step(adapter.id, 0, optimizer_spec(), 1e-3, 1.0).future.result(30)


def move_on(bench: Bench, adapter: AdapterEntry) -> None:
    """Other weights, without an optimizer."""
    resident = adapter.resident

    def move() -> None:
        resident.load_parameters({name: p.detach() + 1 for name, p in resident.parameters.items()})

    bench.worker.engine.call(move).result(30)


def budget_of(tmp_path: Path, adapters: float, rank: int = 64) -> int:
    """Bytes of the base and so many adapters."""
    probe = Bench(tmp_path / "probe")
    base = probe.base()
    without = probe.accounted
    adapter = probe.adapter(base, rank)
    probe.worker.drain(30)
    return without + int(adapters * adapter.resident.nbytes)


def paused(run: Run) -> bool:
    """Waits until the run is parked."""
    parked = threading.Event()
    forget = run.log.listen(lambda: parked.set() if run.info.state == "paused" else None)
    try:
        return run.info.state == "paused" or parked.wait(30)
    finally:
        forget()


def refusal(error: LadError) -> tuple[ErrorCode, str, str]:
    return error.code, error.option, error.value
