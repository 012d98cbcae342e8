"""Tensors belong to the engine's thread: what other threads ask for is answered by numbers that it has published."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from torch.overrides import TorchFunctionMode

from lad_runtime.types.evaluation import CausalLikelihood, ScoreItem, ScoreTask
from lad_runtime.types.sampling import PredictCanvas, PredictTask
from sampling_specs import predict_spec
from type_specs import forward_spec, optimizer_spec
from worker_support import SEQUENCE, Bench, paused, step


class NoTensors(TorchFunctionMode):
    """While it is on, whatever this thread does with a tensor is an error: reading `.grad` or `.nbytes` as much as computing."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        raise AssertionError(
            f"{getattr(func, '__name__', func)} of a tensor, on {threading.current_thread().name}"
        )


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path / "state")
    yield bench
    bench.worker.drain(30)


def test_a_tensor_is_seen_wherever_this_thread_touches_one(bench: Bench) -> None:
    base, adapter = bench.base(), bench.adapter(bench.base())
    parameters = bench.worker.engine.call(lambda: adapter.resident.parameters).result(30)
    with NoTensors():
        for look in (
            lambda t: t.grad,
            lambda t: t.nbytes,
            lambda t: t.untyped_storage(),
            lambda t: t.numel(),
        ):
            with pytest.raises(AssertionError, match="of a tensor"):
                look(next(iter(parameters.values())))
        with pytest.raises(AssertionError, match="of a tensor"):
            _ = base.resident.model.head.shape


def test_what_any_thread_may_ask_touches_no_tensor_of_adapters_in_every_state(
    bench: Bench, tmp_path: Path
) -> None:
    worker, base = bench.worker, bench.base()
    idle, stepped, training, parked, read = (bench.adapter(base) for _ in range(5))
    step(bench, stepped)
    worker.primitives.forward_backward(stepped.id, 0, (SEQUENCE,), forward_spec()).future.result(30)
    run = bench.train(training.id, steps=100_000)
    pausing = bench.train(parked.id, steps=100_000)
    pausing.pause()
    assert paused(pausing)
    worker.adapters.snapshot(read.id).result(30)
    sampled = bench.sample(base, read.id, canvases=3, attention="prefix")
    with NoTensors():
        for _ in range(200):
            assert worker.memory.accounted_bytes > 0
            assert worker.memory.offloaded_bytes > 0
            assert [entry.info.nbytes for entry in worker.registry.adapters if entry.info.nbytes]
            assert all(run.info for run in worker.runs.all())
        worker.backend.keep_prompts(0)
        assert sampled.wait(30)
        for adapter_id in ("", idle.id, training.id):
            assert bench.sample(base, adapter_id, canvases=2).wait(30)
        worker.adapters.snapshot(training.id).result(30)
        worker.adapters.save_checkpoint(stepped.id, "stepped").result(30)
        worker.adapters.load_checkpoint(base.id, "stepped").result(30)
        exported = tmp_path / "exported"
        exported.mkdir()
        worker.adapters.export(idle.id, exported).result(30)
        worker.adapters.take_in(base.id, exported).result(30)
        for task in (SCORE, PREDICT):
            worker.tasks.submit(base.id, training.id, task).future.result(30)
        step(bench, idle)
        worker.training.resume(pausing)
        worker.adapters.drop(read.id)
        for each in (run, pausing):
            each.cancel()
            assert each.wait(30)


def test_an_adapters_tensors_are_out_of_reach_of_every_other_thread(bench: Bench) -> None:
    adapter = bench.adapter(bench.base()).resident
    view = bench.worker.engine.call(adapter.snapshot).result(30)
    for touch in (
        lambda: adapter.parameters,
        lambda: view.parameters,
        adapter.clear_gradients,
        adapter.gradients,
    ):
        with pytest.raises(AssertionError, match="touched what belongs to another thread"):
            touch()
    with pytest.raises(AssertionError, match="touched what belongs to another thread"):
        adapter.optimizer_for(optimizer_spec())


def test_a_caches_tensors_are_written_by_the_thread_that_made_it_alone(bench: Bench) -> None:
    model = bench.base().resident.model
    cache = bench.worker.engine.call(lambda: model.cache(2)).result(30)
    keys = cache.read(0)[0]
    with pytest.raises(AssertionError, match="touched what belongs to another thread"):
        cache.write(0, keys, keys)


PREDICT = PredictTask(
    canvases=(PredictCanvas(ids=(5, 6, 7, 8), answer_start=2, seed=0, stop_from=0),), spec=predict_spec()
)
SCORE = ScoreTask(
    items=(ScoreItem(prompt=(5, 6), continuation=(7, 8), key=0),),
    mode="causal",
    likelihood=CausalLikelihood(),
)
