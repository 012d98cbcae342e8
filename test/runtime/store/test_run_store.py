"""The record of runs: what one worker keeps, the next one finds."""

import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kept_runs import events_of, kept_run, logged, run_info, step_event, training_recipe
from lad_runtime.engine.store.database import VERSION
from lad_runtime.engine.store.retention import forget_old
from lad_runtime.engine.store.run_store import RunStore
from lad_runtime.engine.store.values import read, written
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.method.noises.lad import LadNoise
from lad_runtime.types.runs import LoggedEvent, RunCancelled, RunPaused, RunRecipe, RunResumed
from lad_runtime.types.sampling import AnswerEvent, Canvas, Edit, FrameEvent, SamplingOutcome
from lad_runtime.types.training import TrainingSpec
from lad_runtime.types.training_events import CheckpointEvent, StepEvent, TrainingOutcome
from method_specs import lad_noise
from sampling_specs import POLICY_BUILDERS, sampling_spec

ALL = 1 << 40


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path)


def same(a: LoggedEvent, b: LoggedEvent) -> bool:
    """Equal, NaN included."""
    return repr(a) == repr(b)


def test_a_run_that_was_left_under_way_is_found_interrupted_with_all_its_events(tmp_path: Path) -> None:
    told = kept_run(tmp_path, steps=5)
    store = RunStore(tmp_path)
    (info,) = store.all()
    assert info == replace(
        run_info("run-1"),
        state="interrupted",
        steps=5,
        next_seq=len(told),
        metrics_path=str((tmp_path / "runs/run-1/metrics.jsonl").resolve()),
    )
    found = store.events("run-1", 0, ALL, 1000)
    assert all(same(*pair) for pair in zip(found, told, strict=True))
    assert [each.seq for each in store.events("run-1", 3, 7, 2)] == [3, 4]
    assert [each.seq for each in store.events("run-1", 5, 7, 9)] == [5, 6]
    assert repr(store.recipe("run-1")) == repr(training_recipe())


def test_a_checkpoint_to_go_on_from_is_one_of_the_runs_own_name(store: RunStore) -> None:
    store.add(run_info("run-1", checkpoint="own"), training_recipe())
    best, own = logged([CheckpointEvent(step=0, name="lowest"), CheckpointEvent(step=2, name="own")])
    store.keep("run-1", best, at_once=True)
    assert not store.has_checkpoint("run-1")
    store.keep("run-1", own, at_once=True)
    assert store.has_checkpoint("run-1")


@pytest.mark.parametrize(
    ("event", "state"),
    [
        (
            TrainingOutcome(steps=1, report=None, validation=None, seconds=1.0, tokens_per_second=2.0),
            "finished",
        ),
        (SamplingOutcome(canvases=1, seconds=0.5), "finished"),
        (RunCancelled(steps=3), "cancelled"),
        (LadError(ErrorCode.DIVERGED, "No number.", option="loss", value=3, remedy="Less."), "failed"),
        (RunPaused(steps=2), "interrupted"),
        (RunResumed(steps=2), "interrupted"),
    ],
)
def test_the_next_worker_finds_a_run_as_its_last_event_left_it(
    tmp_path: Path, event: Any, state: str
) -> None:
    store = RunStore(tmp_path)
    store.add(run_info("run-1"), training_recipe())
    store.keep("run-1", LoggedEvent(seq=0, time=1.0, event=event), at_once=True)
    info = RunStore(tmp_path).find("run-1")
    assert info is not None and info.state == state
    if isinstance(event, LadError):
        assert info.error is not None
        assert (
            info.error.code,
            info.error.message,
            info.error.option,
            info.error.value,
            info.error.remedy,
        ) == (*(event.code, event.message, event.option, event.value, event.remedy),)
    else:
        assert info.error is None


def test_frames_are_not_kept_and_answers_are(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    recipe = replace(
        training_recipe(),
        training=None,
        sampling=sampling_spec(answer_tokens=4),
        canvases=(Canvas(prompt=(1, 2), seed=None, begin=None, size=None),),
    )
    store.add(run_info("run-1", kind="sampling"), recipe)
    edit = Edit(position=0, old=1, new=2, confidence=0.5, remasked=False, kept=False)
    frame = FrameEvent(
        canvas=0, iteration=0, iterations=1, edits=(edit,), answer=(1, 2), masked=0, state=None
    )
    answer = AnswerEvent(
        canvas=0, ids=(1,), canvas_ids=(1, 2), text="\ud800é", iterations=3, stopped="settled", pinned=()
    )
    for each in logged([frame, answer, SamplingOutcome(canvases=1, seconds=1.0)]):
        store.keep("run-1", each)
    store.close()
    assert [each.seq for each in store.events("run-1", 0, ALL, 9)] == [1, 2]
    assert store.events("run-1", 0, ALL, 9)[0].event == answer
    assert store.recipe("run-1") == recipe


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 9), st.integers(1, 9))
def test_a_rewound_run_has_the_events_of_its_first_steps_and_no_other(
    tmp_path_factory: pytest.TempPathFactory, step: int, steps: int
) -> None:
    state = tmp_path_factory.mktemp("state")
    told = kept_run(state, steps=steps)
    store = RunStore(state)
    store.rewind("run-1", step, "base-2", training_recipe())
    kept = [each.event for each in store.events("run-1", 0, ALL, 1000)]
    expected = [each.event for each in told] if step > steps else events_of(step) if step else []
    assert repr(kept) == repr(expected)
    info = store.find("run-1")
    assert info is not None and (info.steps, info.base_id, info.next_seq) == (step, "base-2", len(told))
    store.close()


def test_a_deleted_run_is_gone_with_its_files_and_what_it_still_tells(tmp_path: Path) -> None:
    kept_run(tmp_path, "run-1")
    kept_run(tmp_path, "run-2")
    store = RunStore(tmp_path)
    store.delete("run-1")
    store.keep("run-1", LoggedEvent(seq=99, time=1.0, event=step_event(9)), at_once=True)
    assert store.find("run-1") is None
    assert store.events("run-1", 0, ALL, 9) == []
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["run-2"]


def test_the_oldest_runs_go_beyond_a_number_or_a_size_and_those_under_way_stay(tmp_path: Path) -> None:
    for number in range(5):
        kept_run(tmp_path, f"run-{number}")
    database = sqlite3.connect(tmp_path / "runs.sqlite")
    database.execute("UPDATE runs SET state = CASE id WHEN 'run-0' THEN 'running' ELSE 'finished' END")
    (nbytes,) = database.execute("SELECT bytes FROM runs WHERE id = 'run-4'").fetchone()
    removed: list[str] = []
    forget_old(database, removed.append, kept_runs=3)
    assert removed == ["run-1"]
    forget_old(database, removed.append, kept_bytes=2 * nbytes)
    assert removed == ["run-1", "run-2"]
    forget_old(database, removed.append, kept_bytes=0)
    assert removed == ["run-1", "run-2", "run-3"]  # the newest stays, however long
    assert database.execute("SELECT id FROM runs ORDER BY number").fetchall() == [("run-0",), ("run-4",)]


def test_however_many_answers_are_sampled_no_training_run_is_forgotten_for_them(tmp_path: Path) -> None:
    for name in ("training-0", "training-1", *(f"sampling-{number}" for number in range(6))):
        kept_run(tmp_path, name)
    database = sqlite3.connect(tmp_path / "runs.sqlite")
    database.execute("UPDATE runs SET state = 'finished', kind = substr(id, 1, instr(id, '-') - 1)")
    (nbytes,) = database.execute("SELECT bytes FROM runs WHERE id = 'training-0'").fetchone()
    removed: list[str] = []
    forget_old(database, removed.append, kept_runs=2)
    assert removed == ["sampling-3", "sampling-2", "sampling-1", "sampling-0"]
    forget_old(database, removed.append, kept_bytes=nbytes)
    assert removed[4:] == ["sampling-4", "training-0"]


def test_an_interrupted_training_run_is_kept_beyond_every_bound_and_an_interrupted_sampling_run_is_not(
    tmp_path: Path,
) -> None:
    for number in range(6):
        kept_run(tmp_path, f"run-{number}")
    database = sqlite3.connect(tmp_path / "runs.sqlite")
    database.execute("UPDATE runs SET state = CASE WHEN number <= 4 THEN 'interrupted' ELSE 'finished' END")
    database.execute("UPDATE runs SET kind = 'sampling' WHERE id IN ('run-2', 'run-3')")
    removed: list[str] = []
    forget_old(database, removed.append, kept_runs=1, kept_bytes=0)
    assert removed == ["run-2", "run-4"]
    kept = database.execute("SELECT id FROM runs ORDER BY number").fetchall()
    assert kept == [("run-0",), ("run-1",), ("run-3",), ("run-5",)]


def test_a_full_disk_refuses_a_new_training_run_and_what_runs_is_kept_once_there_is_room(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = RunStore(tmp_path)
    store.add(run_info("run-1"), training_recipe())
    limit = "PRAGMA max_page_count = {}"
    store._writer.write(lambda database: database.execute(limit.format(1)).fetchall())
    told = logged(events_of(200))
    for each in told:
        store.keep("run-1", each, at_once=each.seq == 150)
    assert "runs go on, but are not kept for now" in caplog.text
    with pytest.raises(LadError, match="record of runs: database or disk is full") as full:
        store.add(run_info("run-2"), training_recipe(checkpoint="x" * 60))
        for number in range(3, 60):
            store.add(run_info(f"run-{number}"), training_recipe())
    assert full.value.code is ErrorCode.STORAGE and "Make room" in full.value.remedy
    store._writer._connection.execute(limit.format(1 << 20)).fetchall()
    store._writer.write(lambda _: None)  # behind those that failed, which are then made
    store.close()
    found = RunStore(tmp_path).events("run-1", 0, ALL, 1000)
    assert all(same(*pair) for pair in zip(found, told, strict=True))


def test_a_change_that_cannot_be_made_leaves_the_others(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    store.add(run_info("run-1"), training_recipe())

    def broken(_: Any) -> None:
        raise ZeroDivisionError

    store._writer.submit(broken)
    store.keep("run-1", LoggedEvent(seq=0, time=1.0, event=step_event(1)))
    store.close()
    assert len(store.events("run-1", 0, ALL, 9)) == 1


@pytest.mark.parametrize(
    ("statement", "code", "text"),
    [
        (
            f"PRAGMA user_version = {VERSION + 1}",
            ErrorCode.VERSION_MISMATCH,
            f"version {VERSION + 1}, which is newer",
        ),
        ("PRAGMA application_id = 7", ErrorCode.STORAGE, "is damaged (it is not a record of runs)"),
    ],
)
def test_a_record_of_another_program_or_a_newer_version_is_refused(
    tmp_path: Path, statement: str, code: ErrorCode, text: str
) -> None:
    kept_run(tmp_path)
    database = sqlite3.connect(tmp_path / "runs.sqlite")
    database.execute(statement)
    database.commit()
    database.close()
    with pytest.raises(LadError) as refused:
        RunStore(tmp_path)
    assert refused.value.code is code
    assert text in refused.value.message and "runs.sqlite" in refused.value.message
    assert refused.value.remedy


@settings(deadline=None, max_examples=25)
@given(st.integers(0, 200_000), st.binary(min_size=1, max_size=300))
@example(3626, b"\x00\x80")  # within the text of a table's definition, which SQLite's message quotes
def test_a_record_with_bytes_overwritten_is_whole_or_refused_by_name(
    tmp_path_factory: pytest.TempPathFactory, at: int, damage: bytes
) -> None:
    state = tmp_path_factory.mktemp("state")
    kept_run(state, steps=30)
    path = state / "runs.sqlite"
    database = sqlite3.connect(path)
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    content = bytearray(path.read_bytes())
    at %= len(content)
    content[at : at + len(damage)] = damage[: len(content) - at]
    path.write_bytes(content)
    try:
        store = RunStore(state)
        for info in store.all():
            store.events(info.id, 0, ALL, 1000)
        store.close()
    except LadError as error:
        assert error.code in (ErrorCode.STORAGE, ErrorCode.VERSION_MISMATCH)
        assert error.remedy


def test_specifications_of_every_kind_come_back_as_they_were() -> None:
    for build in POLICY_BUILDERS.values():
        recipe = replace(
            training_recipe(), sampling=sampling_spec(policy=build(), answer_tokens=8, frames=False)
        )
        assert read(RunRecipe, written(recipe)) == recipe


def test_what_another_version_has_written_is_refused_and_a_default_fills_in() -> None:
    spec = training_recipe().training
    text = written(spec)
    assert read(TrainingSpec, text) == spec
    for other in (text.replace('"steps"', '"paces"'), text.replace('"kind":"lad"', '"kind":"later"')):
        with pytest.raises(LadError, match="another version of lad") as refused:
            read(TrainingSpec, other)
        assert refused.value.code is ErrorCode.VERSION_MISMATCH
    assert read(StepEvent, written(step_event(1)).replace('"step":1', '"later":2,"step":1')).step == 1
    assert read(LadNoise, written(lad_noise())) == lad_noise()
