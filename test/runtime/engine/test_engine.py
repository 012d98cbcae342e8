"""The engine's thread: merging, fairness, cancelling, failing."""

import threading
import time
import weakref
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from fake_backend import FakeBackend, FakeRequest
from lad_runtime.engine.scheduler.engine import Engine
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.types.work import Event, Park


@dataclass(frozen=True)
class Told(Event):
    value: float


@pytest.fixture
def backend() -> FakeBackend:
    return FakeBackend()


@pytest.fixture
def engine(backend: FakeBackend) -> Iterator[Engine]:
    engine = Engine(backend)
    engine.start()
    yield engine
    engine.stop(5)


def counting(steps: int, **request: Any) -> Generator[Any, Any, float]:
    """Asks for +1 so many times; each number is an event too."""
    value = 0.0
    for _ in range(steps):
        value = yield FakeRequest(value=value, **request)
        yield Told(value)
    return value


def failure(job: Any) -> LadError:
    error = job.future.exception(30)
    assert isinstance(error, LadError)
    return error


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_a_work_gets_its_results_and_its_events_are_told_in_order(engine: Engine) -> None:
    events: list[Any] = []
    job = engine.submit(counting(3), tenant="a", on_event=events.append)
    assert job.future.result(30) == 3
    assert events == [Told(1), Told(2), Told(3)]
    assert job.computed == 3


def test_requests_of_one_group_are_computed_in_one_batch_within_the_token_budget(
    engine: Engine, backend: FakeBackend
) -> None:
    backend.gate = threading.Event()
    first = engine.submit(counting(1), tenant="first")
    assert backend.computing.wait(30)
    jobs = [engine.submit(counting(1, tokens=24), tenant=index) for index in range(5)]
    jobs.append(engine.submit(counting(1, tokens=8, group="other"), tenant="other"))
    backend.gate.set()
    for job in [first, *jobs]:
        assert job.future.result(30) == 1
    sizes = [[(request.group, request.tokens) for request in batch] for batch in backend.batches]
    assert sizes == [
        [("fake", 8)],
        [("fake", 24)] * 2,
        [("fake", 24)] * 2,
        [("fake", 24)],
        [("other", 8)],
    ]


def test_a_request_above_the_budget_is_computed_alone(engine: Engine, backend: FakeBackend) -> None:
    assert engine.submit(counting(1, tokens=1000), tenant="a").future.result(30) == 1
    assert [len(batch) for batch in backend.batches] == [1]


def test_a_short_request_is_not_held_up_by_a_long_one(engine: Engine, backend: FakeBackend) -> None:
    backend.seconds = 0.001
    long = engine.submit(counting(1000, tokens=64), tenant="long")
    wait_until(lambda: long.computed > 3)
    short = engine.submit(counting(5, tokens=64), tenant="short")
    assert short.future.result(30) == 5
    assert long.computed < 40
    long.cancel()


def test_a_sharer_of_many_works_gets_one_turn_not_one_for_each(engine: Engine) -> None:
    begin = threading.Event()
    engine.call(begin.wait)
    crowd = [engine.submit(counting(3, tokens=64), tenant="crowd") for _ in range(10)]
    lonely = engine.submit(counting(3, tokens=64), tenant="lonely")
    computed: list[int] = []
    lonely.future.add_done_callback(lambda _: computed.append(sum(job.computed for job in crowd)))
    begin.set()
    lonely.future.result(30)
    wait_until(lambda: bool(computed))
    assert computed[0] <= 6
    for job in crowd:
        assert job.future.result(30) == 3


def test_a_cancelled_work_ends_after_the_computation_in_hand(engine: Engine, backend: FakeBackend) -> None:
    closed = threading.Event()

    def work() -> Generator[Any, Any, None]:
        try:
            while True:
                yield FakeRequest()
        finally:
            closed.set()

    backend.gate = threading.Event()
    job = engine.submit(work(), tenant="a")
    assert backend.computing.wait(30)
    job.cancel()
    backend.gate.set()
    assert failure(job).code is ErrorCode.CANCELLED
    assert closed.is_set()
    assert len(backend.batches) == 1


def test_a_work_that_only_tells_events_can_be_cancelled_too(engine: Engine) -> None:
    def chatter() -> Generator[Any, Any, None]:
        while True:
            yield Told(0)

    job = engine.submit(chatter(), tenant="a")
    time.sleep(0.01)
    job.cancel()
    assert failure(job).code is ErrorCode.CANCELLED


def parking(parks: int) -> Generator[Any, Any, str]:
    for _ in range(parks):
        yield FakeRequest()
        yield Park()
    return "resumed"


def test_a_parked_work_waits_until_it_is_resumed_or_cancelled(engine: Engine) -> None:
    parked = [engine.submit(parking(1), tenant=index) for index in range(3)]
    wait_until(lambda: len(engine._parked) == 3)
    parked[0].resume()
    assert parked[0].future.result(30) == "resumed"
    parked[1].cancel()
    assert failure(parked[1]).code is ErrorCode.CANCELLED
    assert not parked[2].future.done()
    engine.stop(5)
    assert failure(parked[2]).code is ErrorCode.CANCELLED


def test_a_work_that_is_resumed_before_it_parks_goes_on_as_soon_as_it_has(
    engine: Engine, backend: FakeBackend
) -> None:
    backend.gate = threading.Event()
    job = engine.submit(parking(1), tenant="a")
    assert backend.computing.wait(30)
    job.resume()
    backend.gate.set()
    assert job.future.result(30) == "resumed"


def test_of_many_waiting_works_the_cancelled_ones_end_and_the_others_go_on(
    engine: Engine, backend: FakeBackend
) -> None:
    backend.gate = threading.Event()
    jobs = [engine.submit(counting(2, tokens=8), tenant=index % 3) for index in range(60)]
    assert backend.computing.wait(30)
    for job in jobs[1::2]:
        job.cancel()
    backend.gate.set()
    assert [job.future.result(30) for job in jobs[2::2]] == [2] * 29
    assert {failure(job).code for job in jobs[1::2]} == {ErrorCode.CANCELLED}


def test_cancelling_what_has_ended_changes_nothing(engine: Engine) -> None:
    job = engine.submit(counting(1), tenant="a")
    assert job.future.result(30) == 1
    job.cancel()
    assert job.future.result(30) == 1


def test_a_work_that_raises_fails_alone_and_its_text_stays_inside(engine: Engine) -> None:
    def broken() -> Generator[Any, Any, None]:
        yield FakeRequest()
        raise ValueError("/secret/path")

    bad, good = engine.submit(broken(), tenant="bad"), engine.submit(counting(4), tenant="good")
    error = failure(bad)
    assert error.code is ErrorCode.INTERNAL
    assert "secret" not in str(error)
    assert good.future.result(30) == 4


def test_of_a_merged_batch_that_fails_only_the_culprit_does(engine: Engine, backend: FakeBackend) -> None:
    backend.gate = threading.Event()
    blocker = engine.submit(counting(1), tenant="blocker")
    assert backend.computing.wait(30)
    good = [engine.submit(counting(2), tenant=index) for index in range(3)]
    bad = engine.submit(counting(2, fails=ArithmeticError("full")), tenant="bad")
    backend.gate.set()
    assert failure(bad).code is ErrorCode.OUT_OF_MEMORY
    assert [job.future.result(30) for job in [blocker, *good]] == [1, 2, 2, 2]


def test_a_failed_computation_is_raised_inside_the_work(engine: Engine) -> None:
    def careful() -> Generator[Any, Any, str]:
        try:
            yield FakeRequest(fails=MemoryError())
        except LadError as error:
            return error.code.value
        return "computed"

    assert engine.submit(careful(), tenant="a").future.result(30) == "out-of-memory"


def test_what_a_failed_computation_held_is_let_go(engine: Engine) -> None:
    import gc
    import weakref

    class Tensor:
        pass

    kept: list[weakref.ref[Tensor]] = []

    def hungry() -> Generator[Any, Any, None]:
        tensor = Tensor()
        kept.append(weakref.ref(tensor))
        yield FakeRequest()
        raise MemoryError

    job = engine.submit(hungry(), tenant="a")
    assert failure(job).code is ErrorCode.OUT_OF_MEMORY
    gc.collect()
    assert kept[0]() is None


def test_calls_run_between_computations_on_the_engine_thread(engine: Engine) -> None:
    assert engine.call(lambda: threading.current_thread().name).result(30) == "lad-engine"
    with pytest.raises(LadError, match="unexpectedly"):
        engine.call(lambda: 1 / 0 if False else int("x")).result(30)


def test_a_stopped_engine_cancels_its_work_and_takes_no_more(backend: FakeBackend) -> None:
    engine = Engine(backend)
    engine.start()
    backend.seconds = 0.001
    job = engine.submit(counting(10_000), tenant="a")
    engine.stop(5)
    assert failure(job).code is ErrorCode.CANCELLED
    with pytest.raises(LadError, match="stopping"):
        engine.submit(counting(1), tenant="a")
    with pytest.raises(LadError, match="stopping"):
        engine.call(lambda: None)


def test_the_queue_is_bounded(engine: Engine, backend: FakeBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lad_runtime.engine.scheduler.admission._MAX_JOBS", 3)
    backend.gate = threading.Event()
    jobs = engine.submit_all([counting(1) for _ in range(3)], tenant="a")
    with pytest.raises(LadError) as refused:
        engine.submit(counting(1), tenant="b")
    assert refused.value.code is ErrorCode.BUSY and refused.value.retry_after_ms >= 50
    backend.gate.set()
    assert [job.future.result(30) for job in jobs] == [1, 1, 1]
    assert engine.submit(counting(1), tenant="b").future.result(30) == 1


def test_the_queue_is_bounded_in_tokens_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lad_runtime.engine.scheduler.admission._MAX_BATCHES", 2)
    backend = FakeBackend(gate=threading.Event())
    engine = Engine(backend)
    engine.start()
    large = engine.submit(counting(1, tokens=200), tenant="a", tokens=200)
    with pytest.raises(LadError, match=r"1 pieces of work of 200 tokens wait .* up to 128 tokens") as refused:
        engine.submit(counting(1), tenant="b", tokens=8)
    assert refused.value.code is ErrorCode.BUSY and refused.value.retry_after_ms >= 50
    assert backend.gate is not None
    backend.gate.set()
    assert large.future.result(30) == 1
    backend.gate.clear()
    small = engine.submit_all([counting(1) for _ in range(2)], tenant="b", tokens=[40, 40])
    small.append(engine.submit(counting(1), tenant="b", tokens=40))  # fits: the large one no longer counts
    backend.gate.set()
    assert [job.future.result(30) for job in small] == [1, 1, 1]
    engine.stop(5)


def test_a_newcomer_does_not_wait_until_all_works_of_a_large_request_have_begun(engine: Engine) -> None:
    told: list[str] = []

    def one(name: str) -> Generator[Any, Any, None]:
        told.append(f"{name} begins")
        yield FakeRequest()
        told.append(f"{name} ends")

    begin = threading.Event()
    engine.call(begin.wait)
    many = engine.submit_all([one("one of many") for _ in range(2000)], tenant="many", tokens=[8] * 2000)
    newcomer = engine.submit(one("newcomer"), tenant="newcomer")
    begin.set()
    for job in (*many, newcomer):
        job.future.result(30)
    ended = told.index("newcomer ends")
    assert told[:ended].count("one of many begins") < 300
    assert told.count("one of many ends") == 2000


def test_works_that_fill_one_batch_begin_before_anything_that_comes_after_them(engine: Engine) -> None:
    told: list[str] = []

    def one(name: str) -> Generator[Any, Any, None]:
        told.append(name)
        yield FakeRequest()

    begin = threading.Event()
    engine.call(begin.wait)
    jobs = engine.submit_all([one("first") for _ in range(9)], tenant="a", tokens=[8] * 9)
    engine.call(lambda: told.append("call"))
    begin.set()
    for job in jobs:
        job.future.result(30)
    assert told == [*["first"] * 8, "call", "first"]  # 64 tokens are a batch


def test_a_newcomer_does_not_wait_until_a_thousand_cancelled_jobs_are_closed(engine: Engine) -> None:
    told: list[str] = []

    def held(step: float = 0) -> Generator[Any, Any, None]:
        try:
            while True:
                step = yield FakeRequest(value=step)
        finally:
            told.append("closed")

    jobs = engine.submit_all([held() for _ in range(2000)], tenant="many", tokens=[8] * 2000)
    wait_until(lambda: all(isinstance(job.request, FakeRequest) for job in jobs))
    begin = threading.Event()
    engine.call(begin.wait)
    for job in jobs:
        job.cancel()
    newcomer = engine.submit(counting(1), tenant="newcomer", on_event=told.append)
    begin.set()
    newcomer.future.result(30)
    for job in jobs:
        assert failure(job).code is ErrorCode.CANCELLED
    assert told[: told.index(Told(1))].count("closed") < 600


def test_a_job_that_is_cancelled_before_it_begins_never_does(engine: Engine) -> None:
    told: list[str] = []

    def one() -> Generator[Any, Any, None]:
        told.append("begins")
        yield FakeRequest()

    begin = threading.Event()
    engine.call(begin.wait)
    jobs = engine.submit_all([one() for _ in range(200)], tenant="a", tokens=[8] * 200)
    for job in jobs[100:]:
        job.cancel()
    begin.set()
    for job in jobs[100:]:
        assert failure(job).code is ErrorCode.CANCELLED
    for job in jobs[:100]:
        job.future.result(30)
    assert len(told) == 100


def test_calls_that_take_long_take_turns_with_works(engine: Engine) -> None:
    work = engine.submit(counting(50), tenant="a")
    ran: list[int] = []

    def slow() -> None:
        time.sleep(0.03)
        ran.append(work.computed)

    calls = [engine.call(slow) for _ in range(6)]
    for call in calls:
        call.result(30)
    work.future.result(30)
    assert len(set(ran)) > 3  # batches were computed between them


def test_an_idle_engine_holds_nothing_of_what_it_did(engine: Engine) -> None:
    class Made:
        pass

    seen = weakref.ref(engine.call(Made).result(30))
    engine.call(lambda: None).result(30)
    assert seen() is None
