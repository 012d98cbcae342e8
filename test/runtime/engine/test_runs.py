"""Runs and their logs of events."""

import threading
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lad_runtime.engine.runs.event_log import EventLog
from lad_runtime.engine.runs.run import Run
from lad_runtime.engine.runs.runs import Runs
from lad_runtime.engine.scheduler.job import Job
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.types.runs import RunCancelled
from lad_runtime.types.sampling import Edit, FrameEvent
from lad_runtime.types.sampling_state import MAX_MEMORY, SamplingState

EDIT = Edit(position=0, old=1, new=2, confidence=0.5, remasked=False, kept=False)


def frame(edits: int = 10, state: SamplingState | None = None) -> FrameEvent:
    return FrameEvent(
        canvas=0, iteration=0, iterations=1, edits=(EDIT,) * edits, answer=(1, 2), masked=0, state=state
    )


def seqs(log: EventLog, from_seq: int = 0) -> list[int]:
    return [logged.seq for logged in log.read(from_seq)]


def test_events_are_numbered_from_0_and_read_from_any_number_on() -> None:
    log = EventLog()
    for name in "abc":
        log.append(name)
    assert [(logged.seq, logged.event) for logged in log.read(1)] == [(1, "b"), (2, "c")]
    assert log.read(3) == []
    assert [logged.seq for logged in log.read(0, limit=2)] == [0, 1]


def test_a_number_beyond_the_next_event_is_refused() -> None:
    log = EventLog()
    log.append("a")
    with pytest.raises(LadError, match="fromSeq is 5: the run has 1 events so far") as refused:
        log.read(5)
    assert refused.value.code is ErrorCode.INVALID_OPTION


def test_an_overgrown_log_drops_old_frames_and_keeps_everything_else_and_the_newest() -> None:
    log = EventLog(max_weight=1000)
    log.append("first")
    for _ in range(500):
        log.append(frame())
    log.append("last")
    kept = log.read(0, limit=1000)
    assert kept[0].event == "first"
    assert [logged.seq for logged in kept[-3:]] == [499, 500, 501]
    assert 10 < len(kept) < 100
    assert log.weight <= 1000


def test_what_a_policy_remembers_weighs_in_a_frame() -> None:
    """200 bytes weigh 1, and each number takes the 8 of its place in a tuple."""
    state = replace(SamplingState.all_masked(2, 5), memory=(7,) * MAX_MEMORY)
    light, heavy = EventLog(), EventLog()
    light.append(frame(0))
    heavy.append(frame(0, state))
    assert heavy.weight - light.weight >= 8 * MAX_MEMORY // 200


def test_a_log_that_outgrows_its_bound_without_frames_says_from_where_it_can_be_read() -> None:
    log = EventLog(max_weight=100)
    for number in range(50):
        log.append(number)
    with pytest.raises(LadError, match="no longer keeps this run's events before") as refused:
        log.read(0)
    assert refused.value.code is ErrorCode.INVALID_STATE
    oldest = int(refused.value.remedy.split()[2])
    assert [logged.event for logged in log.read(oldest)] == list(range(oldest, 50))


@given(st.lists(st.integers(0, 60), max_size=120))
def test_the_log_stays_bounded_and_ends_with_the_newest_event(sizes: list[int]) -> None:
    log = EventLog(max_weight=300)
    for size in sizes:
        log.append(frame(size) if size % 2 else "durable")
    assert log.weight <= 300
    if sizes:
        assert seqs(log, log.next_seq - 1) == [len(sizes) - 1]


def test_a_closed_log_takes_no_more() -> None:
    log = EventLog()
    log.append("end", last=True)
    log.append("late")
    assert seqs(log) == [0]
    assert log.closed


def test_listeners_are_called_for_each_event_until_they_are_forgotten() -> None:
    log = EventLog()
    calls: list[int] = []
    forget = log.listen(lambda: calls.append(log.next_seq))
    log.append("a")
    forget()
    log.append("b")
    assert calls == [1]


def test_a_run_ends_once_and_frees_what_it_used_before_its_end_is_seen() -> None:
    freed = threading.Event()
    run = Run("training", "base", "adapter", freed.set)
    seen: list[bool] = []
    run.log.listen(lambda: seen.append(freed.is_set()))
    run.finish("done")
    run.fail(LadError(ErrorCode.INTERNAL, "late"))
    assert seen == [True]
    assert run.info.state == "finished"
    assert run.wait(0)
    assert [logged.event for logged in run.log.read(0)] == ["done"]


def test_a_run_that_fails_cancels_its_jobs_and_those_that_it_gets_later() -> None:
    def job() -> Job:
        return Job(iter(()), "tenant", 1.0, lambda _: None, lambda *_: None)  # type: ignore[arg-type]

    run, first, late = Run("sampling", "base", "", lambda: None), job(), job()
    run.attach(first)
    run.fail(LadError(ErrorCode.INTERNAL, "broken"))
    run.attach(late)
    assert first.cancelling and late.cancelling


def test_a_run_that_raises_cancelled_ends_as_cancelled_after_its_steps() -> None:
    run = Run("training", "base", "adapter", lambda: None)
    run.fail(LadError(ErrorCode.CANCELLED, "stop"), steps=7)
    assert run.info.state == "cancelled"
    assert run.info.error is None
    assert run.log.read(0)[0].event == RunCancelled(steps=7)


def test_old_ended_runs_are_forgotten_and_open_ones_are_not() -> None:
    runs = Runs(kept_ended=2)
    open_run = Run("sampling", "base", "", lambda: None)
    runs.add(open_run)
    ended = []
    for _ in range(4):
        run = Run("sampling", "base", "", lambda: None)
        run.finish("done")
        runs.add(run)
        ended.append(run)
    runs.add(Run("sampling", "base", "", lambda: None))
    assert runs.get(open_run.id) is open_run
    assert runs.get(ended[-1].id) is ended[-1]
    with pytest.raises(LadError, match=f"There is no run {ended[0].id}") as refused:
        runs.get(ended[0].id)
    assert refused.value.code is ErrorCode.NOT_FOUND
