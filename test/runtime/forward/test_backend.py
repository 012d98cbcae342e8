"""The torch backend under the engine: what runs at the same time changes no bit of anybody's result."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from lad_runtime.engine.data.examples import read_examples
from lad_runtime.engine.scheduler.engine import Engine
from lad_runtime.engine.worker import Worker, make_worker
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.torch_backend import backend as backend_module
from lad_runtime.torch_backend.adapters.trained_adapter import TrainedAdapter
from lad_runtime.torch_backend.backend import TorchBackend
from lad_runtime.torch_backend.forward.base import Base
from lad_runtime.torch_backend.forward.bound_work import BoundRequest, placed
from lad_runtime.torch_backend.forward.requests import LogitsRequest
from lad_runtime.torch_backend.kernels import device as device_module
from lad_runtime.torch_backend.kernels.device import (
    cores,
    memory_bytes,
    memory_error,
    open_device,
    threads_for,
)
from lad_runtime.torch_backend.model.replays import Replays
from lad_runtime.torch_backend.model.segment import Segment
from lad_runtime.types.data import WindowReport
from lad_runtime.types.primitives import ForwardBackwardTask, TargetedSequence
from lad_runtime.types.sampling import Canvas, SampleTask
from lad_runtime.types.training import TrainingSpec, TrainTask
from lad_runtime.types.work import Request
from method_specs import lad_noise, loss_spec, schedule_spec, targeted_sequence, window_spec
from sampling_specs import ar_policy, draw_spec, llada_policy, refine_policy, remask_policy, sampling_spec
from type_specs import adapter_spec, base_spec, forward_spec, optimizer_spec, run_spec

LINES = [b'{"instruction": "%d + %d", "output": "%d"}' % (n, n, 2 * n) for n in range(12)]
WINDOW = window_spec(window=24)
RANKS = (1, 4, 7)


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> TorchBackend:
    return TorchBackend(device="cpu", threads=1, state=tmp_path_factory.mktemp("state"))


@pytest.fixture(scope="module")
def base(backend: TorchBackend) -> Iterator[Base]:
    base = backend.load_base(base_spec(name="stub"), lambda _: None)
    yield base
    backend.unload_base(base)


@pytest.fixture(scope="module")
def prepared(backend: TorchBackend, base: Base) -> tuple[Any, WindowReport]:
    return backend.prepare(base, read_examples(LINES), WINDOW)


def test_a_base_is_loaded_in_a_thread_that_ends_so_that_no_team_of_openmp_threads_stays(
    backend: TorchBackend,
) -> None:
    seen: set[threading.Thread] = set()
    backend.unload_base(
        backend.load_base(base_spec(name="tiny"), lambda _: seen.add(threading.current_thread()))
    )
    assert len(seen) == 1
    assert threading.current_thread() not in seen
    assert not seen.pop().is_alive()


class ShortOfMemory:
    """Runs out of memory where a recorded forward is to be replayed."""

    def record(self, compute: Callable[[], Tensor]) -> "ShortOfMemory":
        return self

    def replay(self) -> Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory")


def test_memory_of_recorded_forwards_is_given_back_where_a_computation_runs_out_and_it_is_computed_again(
    backend: TorchBackend, base: Base
) -> None:
    segment = Segment(ids=torch.tensor([3, 4, 5]))
    bound = BoundRequest(base=base, request=LogitsRequest(segments=(segment,), rows=(torch.arange(3),)))
    (wanted,) = backend.compute([bound])
    recorder, base.model.replays = base.model.replays, Replays(ShortOfMemory())
    try:
        given = [backend.compute([bound])[0] for _ in range(2)]
    finally:
        base.model.replays = recorder
    assert all(torch.equal(one[0], wanted[0]) for one in given)


def test_a_computation_that_runs_out_of_memory_fails_where_there_is_none_to_give_back(
    backend: TorchBackend, base: Base, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run_out(*_: object) -> None:
        tried.append(True)
        raise torch.OutOfMemoryError("CUDA out of memory")

    tried: list[bool] = []
    monkeypatch.setattr(backend_module, "compute", run_out)
    segment = Segment(ids=torch.tensor([3, 4, 5]))
    request = LogitsRequest(segments=(segment,), rows=(torch.arange(3),))
    with pytest.raises(torch.OutOfMemoryError):
        backend.compute([BoundRequest(base=base, request=request)])
    assert len(tried) == 1


class Gated:
    """A backend that holds its first batch until everybody has arrived, and remembers how many requests it merged."""

    def __init__(self, backend: TorchBackend) -> None:
        self.token_budget = backend.token_budget
        self.describe = backend.describe
        self.merged: list[int] = []
        self.gate = threading.Event()
        self._backend = backend

    def compute(self, requests: Any) -> Any:
        self.gate.wait(20)
        self.merged.append(len(requests))
        return self._backend.compute(requests)


@pytest.fixture
def gated(backend: TorchBackend) -> Gated:
    return Gated(backend)


@pytest.fixture
def engine(gated: Gated) -> Iterator[Engine]:
    engine = Engine(gated)
    engine.start()
    yield engine
    gated.gate.set()
    engine.stop(20)


def adapter(backend: TorchBackend, base: Base, rank: int) -> TrainedAdapter:
    return backend.create_adapter(
        base, adapter_spec(rank=rank, alpha=rank, targets=("q_proj", "v_proj"), seed=rank)
    )


def training(seed: int, micro_batch_tokens: int = 2048) -> TrainingSpec:
    return run_spec(
        dataset_id="",
        window=WINDOW,
        noise=lad_noise(),
        loss=loss_spec(),
        optimizer=optimizer_spec(),
        schedule=schedule_spec(learning_rate=1e-2, warmup_steps=0),
        steps=5,
        batch_size=4,
        micro_batch_tokens=micro_batch_tokens,
        seed=seed,
    )


def alone(work: Any, backend: TorchBackend) -> tuple[list[Any], Any]:
    """A work's events and outcome, without an engine."""
    events, answer = [], None
    while True:
        try:
            item = work.send(answer)
        except StopIteration as end:
            return events, end.value
        if isinstance(item, Request):
            (answer,) = backend.compute([item])
        else:
            events.append(item)
            answer = None


def weights(trained: TrainedAdapter) -> dict[str, torch.Tensor]:
    return {name: parameter.detach().clone() for name, parameter in trained.parameters.items()}


@pytest.mark.parametrize("micro_batch_tokens", [2048, 48])
def test_adapters_trained_side_by_side_equal_each_alone_bit_for_bit(
    micro_batch_tokens: int,
    backend: TorchBackend,
    base: Base,
    prepared: tuple[Any, WindowReport],
    engine: Engine,
    gated: Gated,
) -> None:
    expected = []
    for rank in RANKS:
        lone = adapter(backend, base, rank)
        spec = training(rank, micro_batch_tokens)
        alone(backend.work(base, lone, TrainTask(spec=spec, data=prepared)), backend)
        expected.append(weights(lone))
    together = [engine.call(lambda rank=rank: adapter(backend, base, rank)).result(30) for rank in RANKS]
    jobs = [
        engine.submit(
            backend.work(base, one, TrainTask(spec=training(rank, micro_batch_tokens), data=prepared)),
            tenant=rank,
        )
        for rank, one in zip(RANKS, together, strict=True)
    ]
    gated.gate.set()
    for job in jobs:
        assert job.future.result(30).steps == 5
    assert max(gated.merged) == 3
    for one, lone_weights in zip(together, expected, strict=True):
        for name, values in engine.call(lambda one=one: weights(one)).result(30).items():
            assert torch.equal(values, lone_weights[name]), name


def test_canvases_sampled_in_company_equal_each_alone_token_for_token(
    backend: TorchBackend, base: Base, engine: Engine, gated: Gated
) -> None:
    def snapshot() -> TrainedAdapter:
        trained = adapter(backend, base, 4)
        for parameter in trained.parameters.values():
            parameter.data.add_(torch.linspace(-0.3, 0.3, parameter.numel()).view_as(parameter))
        return trained.snapshot()

    policies = [
        (remask_policy(iterations=4), True),
        (refine_policy(iterations=4), False),
        (llada_policy(iterations=4), True),
        (ar_policy(), False),
        (remask_policy(iterations=4), False),
    ]
    requests = [
        (
            Canvas(prompt=tuple(range(65, 70 + n)), seed=n, begin=None, size=None),
            sampling_spec(policy=policy, answer_tokens=5 + 3 * n, draw=draw_spec(temperature=1.0)),
            adapted,
        )
        for n, (policy, adapted) in enumerate(policies)
    ]

    def works(frozen: TrainedAdapter) -> list[Any]:
        return [
            backend.work(base, frozen if adapted else None, SampleTask(canvas=canvas, index=0, spec=spec))
            for canvas, spec, adapted in requests
        ]

    expected = [alone(work, backend) for work in works(snapshot())]
    events: list[list[Any]] = [[] for _ in requests]
    jobs = [
        engine.submit(work, tenant=index, on_event=events[index].append)
        for index, work in enumerate(works(engine.call(snapshot).result(30)))
    ]
    gated.gate.set()
    outcomes = [job.future.result(30) for job in jobs]
    assert max(gated.merged) == len(requests)
    assert list(zip(events, outcomes, strict=True)) == expected


def sequence(*ids: int) -> TargetedSequence:
    return targeted_sequence(ids=ids, targets=ids, weights=(1.0,) * len(ids))


def gradient_of(one: TargetedSequence) -> ForwardBackwardTask:
    return ForwardBackwardTask(sequences=(one,), forward=forward_spec())


def test_a_merged_batch_that_fails_leaves_every_gradient_as_it_was(
    backend: TorchBackend, base: Base, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = [adapter(backend, base, rank) for rank in (2, 3)]
    alone(backend.work(base, two[0], gradient_of(sequence(1, 2, 3))), backend)
    before = [trained.gradients().tensors for trained in two]
    requests = [next(backend.work(base, trained, gradient_of(sequence(4, 5, 6)))) for trained in two]

    def out_of_memory(*_: Any, **__: Any) -> Any:
        raise torch.OutOfMemoryError("out of memory")

    monkeypatch.setattr("lad_runtime.torch_backend.forward.compute.weighted_cross_entropy", out_of_memory)
    with pytest.raises(torch.OutOfMemoryError):
        backend.compute(requests)
    for trained, gradients in zip(two, before, strict=True):
        for name, gradient in trained.gradients().tensors.items():
            known = gradients[name]
            assert gradient is known is None or torch.equal(gradient, known)  # type: ignore[arg-type]


def test_a_batch_of_two_bases_is_never_merged(backend: TorchBackend, base: Base) -> None:
    other = backend.load_base(base_spec(name="stub", seed=1), lambda _: None)
    canvas = Canvas(prompt=(65,), seed=0, begin=None, size=None)
    spec = sampling_spec(policy=refine_policy(iterations=1), answer_tokens=4)
    first, second = (
        next(backend.work(which, None, SampleTask(canvas=canvas, index=0, spec=spec)))
        for which in (base, other)
    )
    assert isinstance(first, BoundRequest) and isinstance(first.request, LogitsRequest)
    assert first.group != second.group
    assert first.tokens == 5
    backend.unload_base(other)


def test_a_placed_work_passes_errors_results_and_closing_on() -> None:
    seen: list[Any] = []
    prepared_times = 0

    def prepare() -> None:
        nonlocal prepared_times
        prepared_times += 1

    def inner() -> Any:
        try:
            seen.append((yield "event"))
            try:
                yield "second"
            except ValueError as error:
                seen.append(error)
            yield "third"
        finally:
            seen.append("closed")

    work = placed(None, inner(), prepare)  # type: ignore[arg-type]
    assert next(work) == "event"
    assert work.send("answer") == "second"
    error = ValueError()
    assert work.throw(error) == "third"
    work.close()
    assert seen == ["answer", error, "closed"]
    assert prepared_times == 3


def test_a_checkpoint_of_another_base_is_refused(backend: TorchBackend, base: Base) -> None:
    backend.save_checkpoint(base, adapter(backend, base, 2), "mine")
    other = backend.load_base(base_spec(name="stub", seed=1), lambda _: None)
    with pytest.raises(LadError, match="Checkpoint mine is of base stub") as refused:
        backend.load_checkpoint(other, "mine")
    assert refused.value.code is ErrorCode.INVALID_STATE
    backend.unload_base(other)


def test_a_loss_that_the_noise_does_not_allow_is_refused_before_data_is_prepared(
    tmp_path: Path, backend: TorchBackend
) -> None:
    worker = started(backend, tmp_path)
    base_id = worker.bases.load(base_spec(name="stub"), lambda _: None).id
    spec = adapter_spec(rank=2, alpha=2, targets=("q_proj",))
    adapter_id = worker.adapters.create(base_id, spec).result(10).id
    wrong = run_spec(
        **{**vars(training(1)), "loss": loss_spec(weighting="inverse-time"), "dataset_id": "0" * 64}
    )
    with pytest.raises(LadError, match="weighting"):
        worker.training.start(adapter_id, wrong)
    worker.drain(5)


def started(backend: TorchBackend, state: Path) -> Worker:
    return make_worker(backend, state)


def test_running_out_of_memory_has_a_name_and_other_errors_have_not() -> None:
    for error in (
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:119] DefaultCPUAllocator: can't allocate memory"),
    ):
        known = memory_error(error)
        assert known is not None and known.code is ErrorCode.OUT_OF_MEMORY
    assert memory_error(RuntimeError("shapes differ")) is None


def test_a_tensor_beyond_all_memory_is_an_error_of_that_name(backend: TorchBackend) -> None:
    with pytest.raises(RuntimeError) as raised:
        torch.empty(1 << 60)
    known = backend.describe(raised.value)
    assert known is not None and known.code is ErrorCode.OUT_OF_MEMORY


def test_small_models_get_one_thread_and_large_ones_every_core() -> None:
    assert threads_for(8_864) == 1
    assert threads_for(2_000_000) == threads_for(134_500_000) == cores() >= 1


def test_a_containers_limits_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_module, "_CGROUP", tmp_path)
    machine = memory_bytes(torch.device("cpu"))
    (tmp_path / "memory.max").write_text("max\n")
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert memory_bytes(torch.device("cpu")) == machine
    (tmp_path / "memory.max").write_text("1048576\n")
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    assert memory_bytes(torch.device("cpu")) == 1048576
    assert cores() == 1


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a CUDA device")
def test_a_device_the_machine_does_not_have_is_refused() -> None:
    with pytest.raises(LadError, match="device is cuda"):
        open_device("cuda")
