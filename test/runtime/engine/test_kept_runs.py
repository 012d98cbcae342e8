"""Runs that outlive their worker. A worker that is left with its run paused stands for a killed one: it writes nothing any more."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from kept_runs import run_info, step_event, training_recipe
from lad_runtime.engine.runs.event_log import EventLog
from lad_runtime.engine.runs.run import Run
from lad_runtime.engine.runs.runs import Runs
from lad_runtime.engine.store.run_store import RunStore
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.types.runs import LoggedEvent, RunCancelled, RunInterrupted, RunResumed
from lad_runtime.types.training_events import CheckpointEvent, StepEvent, TrainingStarted
from type_specs import validation_spec
from worker_support import Bench, paused

STEPS = 12


class Left:
    """A worker that has left a run under way, the next one of its state folder, and the weights that the run should come to."""

    def __init__(self, state: Path, before: Any = lambda bench: None, **options: Any) -> None:
        self.state = state
        self.first = Bench(state)
        before(self.first)
        adapter = self.first.adapter(self.first.base())
        self.run = self.first.train(adapter.id, **{"steps": STEPS, **options})
        started = threading.Event()
        forget = self.run.log.listen(lambda: started.set() if self.run.info.steps >= 1 else None)
        assert self.run.info.steps >= 1 or started.wait(60)
        forget()
        self.run.pause()
        assert paused(self.run) and 1 <= self.run.info.steps < options.get("steps", STEPS)
        self.run.record(self.run.log.read(self.run.log.next_seq - 1)[0].event, at_once=True)  # all is written
        self.adapter_id = adapter.id
        self.next = Bench(state)

    def expected(self) -> dict[str, torch.Tensor]:
        """The weights that a run of a worker that stays comes to."""
        bench = Bench(self.state / "stays")
        adapter = bench.adapter(bench.base())
        assert bench.train(adapter.id, steps=STEPS).wait(60)
        return weights(bench, adapter.id)

    def resumed(self) -> dict[str, torch.Tensor]:
        run = self.next.worker.resuming.resume(self.run.id)
        assert run.wait(60)
        assert run.info.state == "finished", run.info.error
        return weights(self.next, self.adapter_id)


def weights(bench: Bench, adapter_id: str) -> dict[str, torch.Tensor]:
    resident = bench.worker.registry.adapter(adapter_id).resident
    read = bench.worker.engine.call(lambda: {n: p.detach().clone() for n, p in resident.parameters.items()})
    return read.result(30)


def equal(a: dict[str, torch.Tensor], b: dict[str, torch.Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def all_events(run: Run) -> list[Any]:
    """Those that are kept alone, and then those in memory."""
    read: list[LoggedEvent] = []
    while page := run.log.read(read[-1].seq + 1 if read else 0):
        read += page
    return [logged.event for logged in read]


@pytest.fixture
def left(tmp_path: Path) -> Iterator[Left]:
    made = Left(tmp_path)
    yield made
    made.next.worker.drain(30)


def refused_resume(left: Left) -> LadError:
    """The error of a resume after which everything is as before: interrupted, its adapter not there."""
    with pytest.raises(LadError) as refused:
        left.next.worker.resuming.resume(left.run.id)
    info = left.next.worker.runs.get(left.run.id).info
    assert (info.state, info.error and info.error.code) == ("interrupted", refused.value.code)
    stored = RunStore(left.next.worker.datasets._folder.parent).find(left.run.id)
    assert stored is not None and stored.state == "interrupted"
    return refused.value


def test_a_new_adapters_run_without_checkpoints_begins_again_to_the_same_weights(left: Left) -> None:
    assert equal(left.resumed(), left.expected())
    events = all_events(left.next.worker.runs.get(left.run.id))
    assert events[0] == RunResumed(steps=0)
    assert [event.step for event in events if isinstance(event, StepEvent)] == [*range(1, STEPS + 1)]


def test_a_run_goes_on_from_its_checkpoint_to_the_same_weights_and_losses(tmp_path: Path) -> None:
    left = Left(tmp_path, checkpoint="best", checkpoint_every_steps=1)
    before = left.run.info.steps
    assert equal(left.resumed(), left.expected())
    events = all_events(left.next.worker.runs.get(left.run.id))
    assert [event.from_step for event in events if isinstance(event, TrainingStarted)] == [0, before]
    assert [event.step for event in events if isinstance(event, StepEvent)] == [*range(1, STEPS + 1)]
    left.next.worker.drain(30)


def test_a_worker_that_ends_leaves_runs_that_wait_to_be_resumed_interrupted_and_does_not_wait(
    left: Left,
) -> None:
    runs, training = left.next.worker.runs, left.next.worker.training
    waiting = runs.about_to_go_on(left.run.id)
    assert waiting is not None and waiting.info.state == "queued"
    training.drain(1e9)  # it would wait for so long
    with pytest.raises(LadError, match="stopping"):
        left.next.worker.resuming._go_on(waiting)
    assert waiting.info.state == "interrupted"
    assert not left.next.worker.registry.bases


def test_all_are_resumed_one_after_another(left: Left) -> None:
    left.next.worker.resuming.resume_all()
    run = left.next.worker.runs.get(left.run.id)
    assert run.info.state != "interrupted"
    assert run.wait(60)
    assert run.info.state == "finished"
    assert equal(weights(left.next, left.adapter_id), left.expected())


def test_a_run_that_was_to_write_over_a_checkpoint_does_not_go_on_from_it(tmp_path: Path) -> None:
    def write_old(bench: Bench) -> None:
        other = bench.adapter(bench.base())
        assert bench.train(other.id, steps=STEPS, checkpoint="best").wait(60)

    left = Left(tmp_path, write_old, checkpoint="best", overwrite=True)
    assert equal(left.resumed(), left.expected())
    events = all_events(left.next.worker.runs.get(left.run.id))
    assert [event.from_step for event in events if isinstance(event, TrainingStarted)] == [0]
    left.next.worker.drain(30)


def test_the_checkpoint_of_a_best_validation_is_none_to_go_on_from_and_is_written_over_by_its_own_run_alone(
    tmp_path: Path,
) -> None:
    def write_old(bench: Bench) -> None:
        other = bench.adapter(bench.base())
        assert bench.train(other.id, steps=STEPS, checkpoint="own").wait(60)

    dataset_id = Bench(tmp_path / "other").dataset_id
    validation = validation_spec(dataset_id=dataset_id, max_examples=2, every_steps=1, keep_best="lowest")
    left = Left(tmp_path / "state", write_old, checkpoint="own", overwrite=True, validation=validation)
    assert left.next.worker.backend.has_checkpoint("lowest")
    assert equal(left.resumed(), left.expected())
    run = left.next.worker.runs.get(left.run.id)
    events = all_events(run)
    assert [event.from_step for event in events if isinstance(event, TrainingStarted)] == [0]
    kept = [event.step for event in events if isinstance(event, CheckpointEvent) and event.name == "lowest"]
    assert kept[0] == 0 and kept[-1] == events[-1].best.step

    another = left.next.adapter(left.next.base())
    for name, code in (("lowest", ErrorCode.ALREADY_EXISTS), ("own", ErrorCode.ALREADY_EXISTS)):
        with pytest.raises(LadError) as refused:
            left.next.train(another.id, validation=replace(validation, keep_best=name))
        assert (refused.value.code, refused.value.option) == (code, "validation.keepBest")
        assert "Set validation.keepBest.overwrite to replace it" in refused.value.remedy
    again = replace(validation, overwrite_best=True)
    assert left.next.train(another.id, validation=again).wait(60)
    left.next.worker.drain(30)


def test_an_adapter_of_that_id_is_in_the_way_until_it_is_dropped(left: Left) -> None:
    base = left.next.base()
    spec = left.first.worker.registry.adapter(left.adapter_id).resident.spec
    left.next.worker.adapters.create(base.id, spec, left.adapter_id).result(30)
    refused = refused_resume(left)
    assert refused.code is ErrorCode.ALREADY_EXISTS and "Drop that adapter" in refused.remedy
    left.next.worker.registry.drop_adapter(left.adapter_id)
    assert equal(left.resumed(), left.expected())


def test_without_its_data_it_is_refused_and_leaves_no_adapter(left: Left, tmp_path: Path) -> None:
    for file in (tmp_path / "datasets").glob("*.jsonl"):
        file.rename(tmp_path / "elsewhere")
    left.next.worker.datasets._forget(left.next.dataset_id)
    assert refused_resume(left).code is ErrorCode.NOT_FOUND
    assert not left.next.worker.registry.has_adapter(left.adapter_id)


def test_a_base_of_another_revision_is_refused(left: Left, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = left.next.worker.runs._store.recipe  # type: ignore[union-attr]

    def other(run_id: str) -> Any:
        return replace(recipe(run_id), base_revision="another")

    monkeypatch.setattr(left.next.worker.runs._store, "recipe", other)
    refused = refused_resume(left)
    assert refused.code is ErrorCode.INVALID_STATE and "of revision another" in refused.message


def test_a_record_that_cannot_be_cut_leaves_the_run_interrupted(
    left: Left, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise LadError(ErrorCode.STORAGE, "No room.", remedy="Make some.")

    monkeypatch.setattr(left.next.worker.runs._store, "rewind", full)
    assert refused_resume(left).code is ErrorCode.STORAGE
    assert not left.next.worker.registry.has_adapter(left.adapter_id)
    monkeypatch.undo()
    assert equal(left.resumed(), left.expected())


def test_a_run_under_way_is_not_deleted_and_an_ended_one_is(left: Left) -> None:
    with pytest.raises(LadError, match="Cancel it first") as refused:
        left.first.worker.runs.delete(left.run.id)
    assert refused.value.code is ErrorCode.INVALID_STATE
    left.next.worker.runs.delete(left.run.id)
    with pytest.raises(LadError, match="There is no run"):
        left.next.worker.runs.get(left.run.id)
    with pytest.raises(LadError, match="There is no run"):
        left.next.worker.runs.delete(left.run.id)


def kept(runs: Runs, run_id: str) -> Run:
    run = Run("training", "base", "adapter", lambda: None, run_id, recipe=training_recipe())
    runs.add(run)
    return run


@pytest.mark.parametrize(
    ("code", "state"),
    [
        (ErrorCode.CANCELLED, "interrupted"),
        (ErrorCode.UNAVAILABLE, "interrupted"),
        (ErrorCode.DIVERGED, "failed"),
    ],
)
def test_what_a_workers_end_ends_is_interrupted_and_what_fails_by_itself_has_failed(
    tmp_path: Path, code: ErrorCode, state: str
) -> None:
    runs = Runs(store=RunStore(tmp_path))
    run = kept(runs, "run-1")
    run.record(step_event(1))
    runs.leave()
    run.fail(LadError(code, "ended"))
    runs.close()
    found = Runs(store=RunStore(tmp_path)).get("run-1")
    assert (found.info.state, found.info.steps) == (state, 1)
    assert found.ended


def test_a_run_that_was_cancelled_before_the_workers_end_is_cancelled(tmp_path: Path) -> None:
    runs = Runs(store=RunStore(tmp_path))
    run = kept(runs, "run-1")
    run.cancel()
    runs.leave()
    run.fail(LadError(ErrorCode.CANCELLED, "ended"), steps=3)
    runs.close()
    found = Runs(store=RunStore(tmp_path)).get("run-1")
    assert found.info.state == "cancelled"
    assert [logged.event for logged in found.log.read(0)] == [RunCancelled(steps=3)]
    with pytest.raises(LadError, match="is over: it cannot be paused"):
        found.pause()
    with pytest.raises(LadError) as taken:
        kept(Runs(store=RunStore(tmp_path)), "run-1")
    assert taken.value.code is ErrorCode.ALREADY_EXISTS


def test_events_that_memory_has_dropped_are_read_where_they_are_kept(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    store.add(run_info("run-1"), training_recipe())
    log = EventLog(max_weight=100)
    log.append(step_event(1))
    log.keep_with(
        lambda logged, at_once: store.keep("run-1", logged, at_once=at_once),
        lambda from_seq, below, limit: store.events("run-1", from_seq, below, limit),
    )
    for step in range(2, 51):
        log.append(step_event(step), at_once=step == 50)
    assert not log.has_in_memory(0) and log.has_in_memory(49)
    read: list[LoggedEvent] = []
    while events := log.read(read[-1].seq + 1 if read else 0, limit=7):
        read += events
    assert [logged.seq for logged in read] == [*range(50)]
    assert [logged.event.step for logged in read] == [*range(1, 51)]  # type: ignore[union-attr]


def test_a_number_is_given_once_however_often_a_run_is_interrupted(tmp_path: Path) -> None:
    numbers: list[int] = []
    runs = Runs(store=RunStore(tmp_path))
    run = kept(runs, "run-1")
    for life in range(3):
        for step in range(1, 5):
            run.record(step_event(2 * life + step), at_once=True)
        numbers += [e.seq for e in run.log.read(numbers[-1] + 1 if numbers else 0)]
        runs = Runs(store=RunStore(tmp_path))
        last = runs.get("run-1").log.read(numbers[-1] + 1)
        assert [logged.event for logged in last] == [RunInterrupted(steps=2 * life + 4)]
        numbers.append(last[0].seq)
        going = runs.about_to_go_on("run-1")
        assert going is not None and runs.about_to_go_on("run-1") is None
        assert going.info.state == "queued"
        runs.go_on(going, "base-2", 2 * life + 2)
        run = going
    assert numbers == sorted(set(numbers))
    log = run.log.read(0, limit=100)
    steps = [logged.event.step for logged in log if isinstance(logged.event, StepEvent)]
    assert steps == [1, 2, 3, 4, 5, 6]
