"""Who asks a backend for what from which thread: the engine's own for what computes, never that one for what takes long."""

import threading
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from fake_backend import FakeBackend
from lad_runtime.engine.backend import AnyThread, Backend, EngineThread, Loading
from lad_runtime.engine.memory.budget import Requester
from lad_runtime.engine.memory.reservations import Reservation
from lad_runtime.engine.worker import Worker, make_worker
from lad_runtime.types.data import Message
from lad_runtime.types.evaluation import CausalLikelihood, ScoreItem, ScoreTask
from lad_runtime.types.inspection import InspectDatasetRequest
from lad_runtime.types.sampling import Canvas, PredictCanvas, PredictTask
from method_specs import lad_noise, loss_spec, window_spec
from sampling_specs import predict_spec
from type_specs import adapter_spec, base_spec, forward_spec, merge_spec, optimizer_spec
from worker_support import LINES, SEQUENCE, short_sampling, training_spec

ENGINE = "lad-engine"


class Watched:
    """A backend that notes the thread of each call, and of each stretch of its works."""

    def __init__(self, backend: FakeBackend) -> None:
        self.threads: dict[str, set[str]] = defaultdict(set)
        self._backend = backend

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._backend, name)
        if not callable(value):
            self._note(name)
            return value

        def call(*arguments: Any, **options: Any) -> Any:
            self._note(name)
            result = value(*arguments, **options)
            return self._watched(result) if name == "work" else result

        return call

    def _watched(self, work: Generator[Any, Any, Any]) -> Generator[Any, Any, Any]:
        reply = None
        while True:
            self._note("work")
            try:
                step = work.send(reply)
            except StopIteration as end:
                return end.value
            reply = yield step

    def _note(self, name: str) -> None:
        self.threads[name].add(threading.current_thread().name)


@pytest.fixture
def backend() -> Watched:
    return Watched(FakeBackend())


@pytest.fixture
def worker(backend: Watched, tmp_path: Path) -> Iterator[Worker]:
    worker = make_worker(backend, tmp_path / "state")  # type: ignore[arg-type]
    yield worker
    worker.drain(30)


def members(protocol: type) -> set[str]:
    return {name for name in vars(protocol) if not name.startswith("_")}


def everything_that_a_worker_does(worker: Worker, folder: Path) -> None:
    base = worker.bases.load(base_spec(name="fake"), lambda _: None)
    worker.bases.encode(base.id, ["text"], False)
    worker.bases.decode(base.id, [[65]], False)
    worker.bases.render(base.id, [Message(role="user", content="hello")], True, False)
    (folder / "lines.jsonl").write_text(LINES)
    dataset, _ = worker.datasets.read_file(str(folder / "lines.jsonl"))
    inspection = InspectDatasetRequest(
        base_id=base.id,
        dataset_id=dataset,
        window=window_spec(window=64),
        noise=lad_noise(),
        loss=loss_spec(),
        seed=0,
        noised_examples=4,
        shown_examples=1,
    )
    worker.inspections.inspect(base, inspection, lambda: False)
    spec = adapter_spec(rank=4, alpha=4, targets=("q_proj",))
    adapter = worker.adapters.create(base.id, spec).result(30)
    train = training_spec(dataset, steps=3, checkpoint="run")
    runs = [
        worker.training.start(adapter.id, train),
        worker.sampling.start(
            base.id, adapter.id, [Canvas(prompt=(5,), seed=1, begin=None, size=None)], short_sampling()
        ),
    ]
    assert all(run.wait(30) and run.info.state == "finished" for run in runs)
    primitives, window = worker.primitives, train.window
    primitives.forward_backward(adapter.id, 1, (SEQUENCE,), forward_spec()).future.result(30)
    primitives.optim_step(adapter.id, 2, optimizer_spec(), 1e-3, 1.0).future.result(30)
    primitives.validate(
        base.id, adapter.id, dataset, window, lad_noise(), loss_spec(), 0, 0, "full", "prompt", 0
    ).future.result(30)
    canvas = PredictCanvas(ids=(5, 6), answer_start=1, seed=0, stop_from=0)
    item = ScoreItem(prompt=(5,), continuation=(6,), key=0)
    for task in (
        PredictTask(canvases=(canvas,), spec=predict_spec()),
        ScoreTask(items=(item,), mode="causal", likelihood=CausalLikelihood()),
    ):
        worker.tasks.submit(base.id, adapter.id, task).future.result(30)
    worker.adapters.snapshot(adapter.id).result(30)
    worker.adapters.save_checkpoint(adapter.id, "saved").result(30)
    worker.adapters.checkpoints()
    worker.adapters.load_checkpoint(base.id, "saved").result(30)
    worker.adapters.delete_checkpoint("saved").result(30)
    (folder / "adapter").mkdir()
    worker.adapters.export(adapter.id, folder / "adapter").result(30)
    with worker.merges.files(adapter.id, folder / "adapter", merge_spec()) as pieces:
        assert next(pieces)
    files = sorted((folder / "adapter").iterdir())
    with worker.uploads.begin(base.id, [(file.name, 1) for file in files]) as upload:
        for file in files:
            upload.write(file.name, b"x")
        upload.finish()
        upload.take_in().result(30)
    adapter.resident.state_nbytes = worker.memory.budget_bytes * 9 // 10
    requester = Requester(what="A test", option="none", value=0)
    with worker.memory.reserved(Reservation(making=worker.memory.budget_bytes // 5), requester):
        assert worker.memory.offloaded_bytes
    refuse: Callable[[], None] = lambda: (_ for _ in ()).throw(ArithmeticError())  # noqa: E731
    assert worker.engine.call(refuse).exception(30)
    unused = worker.bases.load(base_spec(name="unused"), lambda _: None)
    worker.bases.unload(unused.id)


def test_what_computes_is_called_on_the_engines_thread_and_what_takes_long_on_any_other(
    worker: Worker, backend: Watched, tmp_path: Path
) -> None:
    everything_that_a_worker_does(worker, tmp_path)
    threads = backend.threads
    assert threads.keys() == members(EngineThread) | members(AnyThread) | members(Loading)
    for name in members(EngineThread):
        assert threads[name] == {ENGINE}, name
    for name in members(Loading):
        assert ENGINE not in threads[name], name
    for name in members(AnyThread) - {"describe"}:
        assert threads[name] - {ENGINE}, f"{name} could be the engine's alone"


def test_every_method_of_a_backend_belongs_to_one_kind_of_thread() -> None:
    kinds = [members(kind) for kind in (Loading, AnyThread, EngineThread)]
    assert sum(map(len, kinds)) == len(set.union(*kinds)) > 20
    assert not members(Backend)
