"""The worker's memory on a real backend: what is accounted, what is given back, and who is refused."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lad_runtime.engine.memory.sizes import told_apart
from lad_runtime.engine.resident.entries import AdapterEntry
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.torch_backend.adapters.trained_adapter import TrainedAdapter
from lad_runtime.types.evaluation import CausalLikelihood, ScoreItem, ScoreTask
from lad_runtime.types.memory import TrainingNeeds
from lad_runtime.types.primitives import ForwardBackwardTask, OptimStepTask
from lad_runtime.types.sampling import PredictCanvas, PredictTask
from lad_runtime.types.training import TrainTask
from method_specs import lad_noise, loss_spec, window_spec
from sampling_specs import ar_policy, draw_spec, predict_spec, refine_policy
from type_specs import forward_spec, optimizer_spec
from worker_support import SEQUENCE, Bench, budget_of, move_on, paused, refusal, step

Starter = Callable[[int], Bench]


def training_needs(bench: Bench, adapter: AdapterEntry) -> TrainingNeeds:
    """Of the run that `bench.train` starts."""
    task = TrainTask(spec=bench.training())
    needs = bench.worker.backend.needs(adapter.base.resident, adapter.resident, [task]).training
    assert needs is not None
    return needs


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Starter]:
    """Starts a worker with a budget; it is drained at the end, whatever becomes of the test."""
    started: list[Bench] = []

    def begin(budget_bytes: int) -> Bench:
        started.append(Bench(tmp_path / "bench", budget_bytes))
        return started[-1]

    yield begin
    for each in started:
        each.worker.drain(30)


@pytest.fixture
def bench(start: Starter) -> Bench:
    return start(1 << 30)


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
    runs = [bench.sample(base, canvases=3, attention="causal-prefix"), bench.sample(base, policy=ar_policy())]
    assert all(run.wait(30) and run.info.state == "finished" for run in runs)
    base_id = base.id
    del base
    bench.worker.bases.unload(base_id)
    assert bench.accounted == 0


@pytest.mark.parametrize("kind", ["prediction", "score", "validation"])
def test_a_base_that_a_request_reads_is_not_unloaded_before_its_end(bench: Bench, kind: str) -> None:
    base, gate = bench.base(), threading.Event()
    worker = bench.worker
    worker.engine.call(lambda: gate.wait(30))
    if kind == "prediction":
        canvas = PredictCanvas(ids=(5, 6, 7), answer_start=1, seed=0, stop_from=0)
        job = worker.tasks.submit(base.id, "", PredictTask(canvases=(canvas,), spec=predict_spec()))
    elif kind == "score":
        item = ScoreItem(prompt=(5, 6), continuation=(7,), key=0)
        job = worker.tasks.submit(
            base.id, "", ScoreTask(items=(item,), mode="causal", likelihood=CausalLikelihood())
        )
    else:
        window, dataset_id = window_spec(window=40), bench.dataset_id
        job = worker.primitives.validate(
            base.id, "", dataset_id, window, lad_noise(), loss_spec(), 0, 4, "full", "prompt", 0
        )
    with pytest.raises(LadError, match=f"is used by {kind}-") as refused:
        worker.bases.unload(base.id)
    assert refused.value.code is ErrorCode.INVALID_STATE
    gate.set()
    job.future.result(30)
    worker.bases.unload(base.id)


def test_kept_prompts_give_way_to_whoever_needs_their_room(tmp_path: Path, start: Starter) -> None:
    probe = Bench(tmp_path / "probe")
    base = probe.base()
    needs = training_needs(probe, probe.adapter(base))
    budget = probe.accounted + needs.state + needs.activations + 1000
    probe.worker.drain(30)

    bench = start(budget)
    base = bench.base()
    adapter_id = bench.adapter(base).id
    before = bench.accounted

    def sample_many() -> None:
        for first in range(0, 200, 40):
            run = bench.sample(base, first=first, canvases=40, tokens=60, attention="causal-prefix")
            assert run.wait(30)

    sample_many()
    assert 0 < bench.accounted - before <= budget - before
    assert bench.train(adapter_id).wait(30)
    sample_many()
    assert bench.accounted <= budget


def test_sizes_are_told_in_a_unit_that_shows_their_difference() -> None:
    assert told_apart(3 << 20, 9 << 20, 8 << 20) == ("3.0 MiB", "9.0 MiB", "8.0 MiB")
    assert told_apart(2048, (8 << 20) + 2048, 8 << 20) == ("2.0 KiB", "8,194.0 KiB", "8,192.0 KiB")
    assert told_apart(1, 5, 4) == ("1 bytes", "5 bytes", "4 bytes")


def test_a_refused_training_names_the_option_and_its_value(start: Starter) -> None:
    bench = start(100_000)
    base = bench.base()
    adapter_id = bench.adapter(base).id
    with pytest.raises(LadError, match=r"The training of .* needs .* MiB") as refused:
        bench.train(adapter_id, micro_batch_tokens=80)
    assert refusal(refused.value) == (ErrorCode.OUT_OF_MEMORY, "microBatchTokens", "80")
    with pytest.raises(LadError, match=r"The adapter needs .* MiB") as refused:
        bench.adapter(base, rank=512)
    assert refusal(refused.value) == (ErrorCode.OUT_OF_MEMORY, "rank", "512")


def test_what_a_run_is_refused_is_refused_as_a_loop_of_primitives_too(tmp_path: Path, start: Starter) -> None:
    budget = budget_of(tmp_path, 1.5)
    bench = start(budget)
    adapter = bench.adapter(bench.base(), rank=64)
    before = bench.accounted
    with pytest.raises(LadError, match="The training of adapter-"):
        bench.train(adapter.id)
    with pytest.raises(LadError, match="forwardBackward of adapter-") as refused:
        step(bench, adapter)
    assert refusal(refused.value) == (ErrorCode.OUT_OF_MEMORY, "microBatchTokens", "2048")
    with pytest.raises(LadError, match="optimStep of adapter-") as refused:
        bench.worker.primitives.optim_step(adapter.id, 0, optimizer_spec(), 1e-3, 1.0).future.result(30)
    assert refusal(refused.value) == (ErrorCode.OUT_OF_MEMORY, "optimizer", "adamw")
    assert bench.accounted == before


def test_primitives_need_what_they_come_to_hold(bench: Bench) -> None:
    adapter = bench.adapter(bench.base())
    backend, weights = bench.worker.backend, adapter.resident.nbytes
    base, sequences = adapter.base.resident, (SEQUENCE,)
    for kept in (0, weights):
        task = ForwardBackwardTask(sequences=sequences, forward=forward_spec())
        needs = backend.needs(base, adapter.resident, [task]).training
        assert needs is not None and needs.state == weights and needs.activations > kept
        bench.worker.primitives.forward_backward(adapter.id, 0, sequences, forward_spec()).future.result(30)
        assert adapter.resident.state_nbytes == needs.state
    step = OptimStepTask(optimizer=optimizer_spec(), learning_rate=1e-3, max_gradient_norm=1.0)
    needs = backend.needs(base, adapter.resident, [step]).training
    assert needs is not None
    bench.worker.primitives.optim_step(adapter.id, 0, optimizer_spec(), 1e-3, 1.0).future.result(30)
    assert adapter.resident.state_nbytes == needs.state - weights  # whose gradients are cleared


def test_an_optimizer_is_read_back_for_a_checkpoint_only_where_it_fits(
    tmp_path: Path, start: Starter
) -> None:
    bench = start(budget_of(tmp_path, 2.5))
    adapter = bench.adapter(bench.base(), rank=64)
    resident = adapter.resident

    def to_disk() -> None:
        resident.optimizer_for(optimizer_spec())
        bench.worker.backend.offload(resident)

    bench.worker.engine.call(to_disk).result(30)
    with pytest.raises(LadError, match=r"The optimizer of adapter-.*, read back") as refused:
        bench.worker.adapters.save_checkpoint(adapter.id, "first").result(30)
    assert refusal(refused.value) == (ErrorCode.OUT_OF_MEMORY, "name", "first")
    assert resident.optimizer_nbytes == 0


def test_weights_that_sampling_reads_are_accounted_when_their_adapter_has_moved_on(bench: Bench) -> None:
    base = bench.base()
    adapter = bench.adapter(base)
    step(bench, adapter)
    before, weights = bench.accounted, adapter.resident.nbytes - adapter.resident.state_nbytes
    runs = []
    for _ in range(3):
        runs.append(bench.sample(base, adapter.id, policy=refine_policy(iterations=10**6, early_stop=False)))
        step(bench, adapter)
    assert bench.accounted == before + 3 * weights
    for run in runs:
        run.cancel()
        run.wait(30)
    assert bench.accounted == before


def test_a_request_to_read_weights_that_may_move_on_waits_while_there_is_no_room(
    tmp_path: Path, start: Starter
) -> None:
    budget = budget_of(tmp_path, 2.5)
    bench = start(budget)
    base = bench.base()
    adapter = bench.adapter(base, rank=64)
    reading = bench.sample(base, adapter.id, policy=refine_policy(iterations=10**6, early_stop=False))
    assert bench.sample(base, adapter.id).wait(30)  # of the same weights
    move_on(bench, adapter)
    with pytest.raises(LadError, match="The request's snapshot of adapter-") as refused:
        bench.sample(base, adapter.id)
    assert refusal(refused.value) == (ErrorCode.BUSY, "adapterId", adapter.id)
    assert refused.value.retry_after_ms > 0 and bench.accounted <= budget
    reading.cancel()
    assert reading.wait(30)
    assert bench.sample(base, adapter.id).wait(30)


def test_room_for_what_a_step_copies_for_a_snapshot_is_kept_while_the_snapshot_lives(
    tmp_path: Path, start: Starter
) -> None:
    bench = start(budget_of(tmp_path, 2.5))
    base = bench.base()
    adapter = bench.adapter(base, rank=64)
    snapshot = bench.worker.adapters.snapshot(adapter.id).result(30)
    with pytest.raises(LadError, match="The adapter needs"):
        bench.adapter(base, rank=64)
    move_on(bench, adapter)
    with pytest.raises(LadError, match="The adapter needs"):
        bench.adapter(base, rank=64)
    bench.worker.adapters.drop(snapshot.id)
    del snapshot
    bench.adapter(base, rank=64)


def test_canvases_whose_caches_can_never_fit_are_refused_and_those_that_can_wait(start: Starter) -> None:
    bench = start(2_000_000)
    base = bench.base()
    endless = {"policy": ar_policy(), "answer_tokens": 1000, "draw": draw_spec(eos_bias=-float("inf"))}
    with pytest.raises(LadError, match="What the request's canvases attend to needs") as refused:
        bench.sample(base, canvases=20, **endless)
    assert refusal(refused.value) == (ErrorCode.OUT_OF_MEMORY, "canvases", "20")
    assert "fewer canvases" in refused.value.remedy
    running = bench.sample(base, canvases=10, **endless)
    with pytest.raises(LadError) as refused:
        bench.sample(base, canvases=10, **endless)
    assert refusal(refused.value) == (ErrorCode.BUSY, "canvases", "10")
    running.cancel()
    assert running.wait(30)
    again = bench.sample(base, canvases=10, **endless)
    assert not again.info.error
    again.cancel()
    assert again.wait(30)
    assert bench.accounted < 100_000


def test_a_run_that_is_resumed_before_it_has_parked_is_promised_its_memory_once(
    tmp_path: Path, start: Starter, monkeypatch: pytest.MonkeyPatch
) -> None:
    probe = Bench(tmp_path / "probe")
    adapter = probe.adapter(probe.base())
    needs = training_needs(probe, adapter)
    budget = probe.accounted + needs.state + needs.activations
    probe.worker.drain(30)

    bench = start(budget)
    adapter = bench.adapter(bench.base())
    run = bench.train(adapter.id, steps=100_000)
    run.pause()
    bench.worker.training.resume(run)
    assert not run.pausing
    writing, offload = threading.Event(), TrainedAdapter.offload

    def slow(trained: TrainedAdapter, folder: Path) -> None:
        offload(trained, folder)
        writing.set()
        time.sleep(0.1)

    monkeypatch.setattr(TrainedAdapter, "offload", slow)
    run.pause()
    assert writing.wait(30)
    bench.worker.training.resume(run)
    with pytest.raises(LadError, match="The adapter needs"):  # the run is reserved all there is
        bench.adapter(adapter.base)
    run.pause()
    assert paused(run)
    bench.worker.adapters.drop(bench.adapter(adapter.base).id)
    run.cancel()
    assert run.wait(30)


def test_a_disk_that_fails_makes_no_room_and_is_not_what_the_refused_are_told(
    tmp_path: Path, start: Starter
) -> None:
    budget = budget_of(tmp_path, 3.5)
    (tmp_path / "bench").mkdir()
    (tmp_path / "bench" / "optimizers").write_text("in the way")
    bench = start(budget)
    adapter = bench.adapter(bench.base(), rank=64)
    resident = adapter.resident
    bench.worker.engine.call(lambda: resident.optimizer_for(optimizer_spec())).result(30)
    with pytest.raises(LadError, match="The adapter needs") as refused:
        bench.adapter(adapter.base, rank=64)
    assert refused.value.code is ErrorCode.OUT_OF_MEMORY
    assert resident.optimizer_nbytes > 0


def test_a_base_is_held_as_often_as_something_of_one_id_uses_it(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "state")
    base, registry = bench.base(), bench.worker.registry
    registry.hold(base, "same")  # an adapter's
    registry.hold(base, "same")  # a run's
    registry.release(base, "same")
    with pytest.raises(LadError, match="is used by same"):
        registry.drop_base(base.id)
    registry.release(base, "same")
    registry.drop_base(base.id)
    bench.worker.drain(30)
