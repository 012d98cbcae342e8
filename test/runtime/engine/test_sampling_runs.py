"""Sampling runs in the engine: many canvases, one end."""

import threading
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from fake_backend import FakeAdapter, FakeBackend, FakeBase, FakeRequest, base_info
from lad_runtime.engine.runs.run import Run
from lad_runtime.engine.scheduler.job import Job
from lad_runtime.engine.worker import Worker, make_worker
from lad_runtime.types.sampling import AnswerEvent, Canvas
from sampling_specs import refine_policy, sampling_spec
from type_specs import adapter_spec, base_spec

CANVASES = 40


@pytest.fixture
def backend() -> FakeBackend:
    return FakeBackend(gate=threading.Event())


@pytest.fixture
def worker(backend: FakeBackend, tmp_path: Path) -> Iterator[Worker]:
    worker = make_worker(backend, tmp_path)
    worker.registry.add_base(base_spec(name="fake"), FakeBase(info=base_info(id="fake")))
    yield worker
    worker.engine.stop(5)


@pytest.fixture
def cancelled(monkeypatch: pytest.MonkeyPatch) -> list[Job]:
    """Every job that was asked to end, as often as it was."""
    asked: list[Job] = []
    cancel = Job.cancel
    monkeypatch.setattr(Job, "cancel", lambda job: (asked.append(job), cancel(job)))
    return asked


def start(worker: Worker, *, failing: bool = False) -> Run:
    """A run that is in its first computation; `failing`: one canvas's computation fails."""
    canvases = [
        Canvas(prompt=(1, 2), seed=seed, begin=None, size=None) for seed in range(100, 100 + CANVASES)
    ]
    if failing:
        canvases[5] = Canvas(prompt=(1, 2), seed=13, begin=None, size=None)
    spec = sampling_spec(policy=refine_policy(iterations=1000), answer_tokens=4, frames=False)
    return worker.sampling.start("fake", "", canvases, spec)


def test_a_canvas_that_fails_ends_its_run_and_every_other_canvas_is_cancelled_once(
    worker: Worker, backend: FakeBackend, cancelled: list[Job]
) -> None:
    run = start(worker, failing=True)
    assert backend.gate is not None
    backend.gate.set()
    assert run.wait(30)
    assert run.info.state == "failed"
    worker.engine.call(lambda: None).result(30)
    assert len(cancelled) == len(set(cancelled)) == CANVASES


def test_a_run_that_is_cancelled_cancels_every_canvas_and_does_not_once_more_for_each_that_ends(
    worker: Worker, backend: FakeBackend, cancelled: list[Job]
) -> None:
    run = start(worker)
    assert backend.gate is not None and backend.computing.wait(30)
    run.cancel()
    backend.gate.set()
    assert run.wait(30)
    assert run.info.state == "cancelled"
    worker.engine.call(lambda: None).result(30)
    assert len(cancelled) <= 2 * CANVASES


def training(adapter: FakeAdapter, steps: int) -> Generator[Any, Any, None]:
    for _ in range(steps):
        yield FakeRequest(tokens=64, group="gradient")
        adapter.steps += 1


def test_a_request_beside_a_training_run_waits_for_the_micro_step_in_hand_and_samples_what_that_left(
    worker: Worker, backend: FakeBackend
) -> None:
    adapter = FakeAdapter(spec=adapter_spec(rank=4, alpha=4, targets=("q_proj",)))
    entry = worker.registry.add_adapter(worker.registry.base("fake"), adapter, is_snapshot=False)
    trainer = worker.engine.submit(training(adapter, 100), tenant="trainer")
    assert backend.gate is not None and backend.computing.wait(30)
    spec = sampling_spec(policy=refine_policy(iterations=4), answer_tokens=2, frames=False)
    canvases = [Canvas(prompt=(1, 2), seed=seed, begin=None, size=None) for seed in (1, 2)]
    run = worker.sampling.start("fake", entry.id, canvases, spec)
    assert len(backend.batches) == 1
    backend.gate.set()
    assert run.wait(30)
    trainer.cancel()
    assert [batch[0].group for batch in backend.batches[:5]] == ["gradient"] + ["fake"] * 4
    answers = [logged.event for logged in run.log.read(0) if isinstance(logged.event, AnswerEvent)]
    assert [answer.ids for answer in answers] == [(1, 1), (1, 1)]
