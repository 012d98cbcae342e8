"""Numbered calls: once, in order, retry-safe."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import pytest

from fake_backend import FakeBackend, FakeRequest
from lad_runtime.engine.resident.numbered_calls import Call, Sequence
from lad_runtime.engine.scheduler.engine import Engine
from lad_runtime.engine.scheduler.job import Job
from lad_runtime.errors import ErrorCode, LadError


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = Engine(FakeBackend())
    engine.start()
    yield engine
    engine.stop(5)


class Calls:
    """Starts works that record their order."""

    def __init__(self, engine: Engine, grace_seconds: float = 30) -> None:
        self.sequence = Sequence(grace_seconds)
        self.order: list[Any] = []
        self.gate = threading.Event()
        self._engine = engine

    def call(self, number: int, request: Any = None) -> Call:
        return self.sequence.submit(number, request, self._start(number, False))

    def send(self, number: int, request: Any = None, *, fails: bool = False) -> "Future[Any]":
        return self.sequence.submit(number, request, self._start(number, fails)).future

    def _start(self, number: int, fails: bool) -> Callable[[], Job]:
        def work() -> Any:
            while not self.gate.is_set():
                yield FakeRequest()
            self.order.append(number)
            if fails:
                raise LadError(ErrorCode.OUT_OF_MEMORY, "full")
            return f"reply {number}"

        return lambda: self._engine.submit(work(), tenant="a")


@pytest.fixture
def calls(engine: Engine) -> Calls:
    calls = Calls(engine)
    calls.gate.set()
    return calls


def test_calls_are_computed_in_the_order_of_their_numbers(calls: Calls) -> None:
    calls.gate.clear()
    replies = [calls.send(number) for number in (1, 2, 3)]
    calls.gate.set()
    assert [reply.result(30) for reply in replies] == ["reply 1", "reply 2", "reply 3"]
    assert calls.order == [1, 2, 3]


def test_the_same_number_again_gets_the_same_reply_and_is_not_computed_twice(calls: Calls) -> None:
    calls.gate.clear()
    first, while_computing = calls.send(1), calls.send(1)
    calls.gate.set()
    assert first.result(30) == while_computing.result(30) == "reply 1"
    assert calls.send(1).result(30) == "reply 1"
    assert calls.order == [1]


def test_a_gap_names_both_numbers(calls: Calls) -> None:
    calls.send(1).result(30)
    with pytest.raises(LadError, match=r"sequence is 4, but the adapter's next number is 2") as refused:
        calls.send(4)
    assert refused.value.code is ErrorCode.INVALID_STATE


def test_a_number_that_came_with_another_request_is_refused(calls: Calls) -> None:
    calls.send(1, "this").result(30)
    with pytest.raises(LadError, match="another request"):
        calls.send(1, "that")


def test_a_failed_call_leaves_its_number_free_and_fails_those_behind_it(calls: Calls) -> None:
    calls.gate.clear()
    replies = [calls.send(1), calls.send(2, fails=True), calls.send(3)]
    calls.gate.set()
    assert replies[0].result(30) == "reply 1"
    with pytest.raises(LadError, match="full"):
        replies[1].result(30)
    with pytest.raises(LadError, match="number 2 before it failed"):
        replies[2].result(30)
    assert calls.send(2).result(30) == "reply 2"
    assert calls.send(3).result(30) == "reply 3"
    assert calls.order == [1, 2, 2, 3]


def test_unnumbered_calls_keep_their_place_and_are_never_remembered(calls: Calls) -> None:
    calls.gate.clear()
    replies = [calls.send(0), calls.send(1), calls.send(0)]
    calls.gate.set()
    assert [reply.result(30) for reply in replies] == ["reply 0", "reply 1", "reply 0"]
    assert calls.order == [0, 1, 0]


def test_an_old_reply_is_forgotten_with_a_clear_error(calls: Calls) -> None:
    for number in range(1, 120):
        calls.send(number).result(30)
    with pytest.raises(LadError, match="sequence is 1, and the reply to it is no longer kept"):
        calls.send(1)
    assert calls.send(119).result(30) == "reply 119"


def test_too_many_waiting_calls_are_refused(calls: Calls) -> None:
    calls.gate.clear()
    replies = [calls.send(number) for number in range(1, 66)]
    with pytest.raises(LadError) as refused:
        calls.send(66)
    assert refused.value.code is ErrorCode.BUSY and refused.value.retry_after_ms >= 50
    calls.gate.set()
    assert replies[-1].result(30) == "reply 65"
    assert calls.send(66).result(30) == "reply 66"


def error_of(call: Call) -> LadError:
    error = call.future.exception(30)
    assert isinstance(error, LadError)
    return error


def test_an_unnumbered_call_ends_with_its_caller_whether_it_waits_or_is_computed(calls: Calls) -> None:
    calls.gate.clear()
    computed, waiting, stays = (calls.call(0) for _ in range(3))
    waiting.leave()
    assert error_of(waiting).code is ErrorCode.CANCELLED
    computed.leave()
    assert error_of(computed).code is ErrorCode.CANCELLED
    calls.gate.set()
    assert stays.future.result(30) == "reply 0"
    assert calls.order == [0]


def test_a_numbered_call_goes_on_for_who_comes_back_for_its_reply(engine: Engine) -> None:
    calls = Calls(engine, grace_seconds=0.3)
    first = calls.call(1)
    first.leave()
    again = calls.call(1)
    assert again is first
    time.sleep(0.6)
    assert not first.future.done()
    calls.gate.set()
    assert again.future.result(30) == "reply 1"
    assert calls.order == [1]


def test_numbered_calls_that_nobody_came_back_for_are_cancelled_and_their_numbers_free(
    engine: Engine,
) -> None:
    calls = Calls(engine, grace_seconds=0.2)
    first, second = calls.call(1), calls.call(2)
    second.leave()
    time.sleep(0.5)
    assert not first.future.done()  # somebody waits for the first still, and the second builds on it
    first.leave()
    assert error_of(first).code is error_of(second).code is ErrorCode.CANCELLED
    calls.gate.set()
    assert calls.sequence.last == 0
    assert calls.send(1, "another").result(30) == "reply 1"
    assert calls.order == [1]


def test_a_call_that_another_builds_on_is_not_given_up_while_somebody_waits_for_that(engine: Engine) -> None:
    calls = Calls(engine, grace_seconds=0.2)
    first, second = calls.call(1), calls.call(2)
    first.leave()
    time.sleep(0.5)
    calls.gate.set()
    assert second.future.result(30) == "reply 2"
    assert calls.order == [1, 2]


def test_a_closed_sequence_cancels_what_waits_and_what_is_computed_and_takes_in_no_more(calls: Calls) -> None:
    calls.gate.clear()
    under_way = [calls.call(number) for number in (1, 2, 0, 3)]
    calls.sequence.close()
    assert {error_of(call).code for call in under_way} == {ErrorCode.CANCELLED}
    with pytest.raises(LadError) as refused:
        calls.call(1)
    assert refused.value.code is ErrorCode.CANCELLED
    calls.gate.set()
    assert not calls.sequence.busy and calls.order == []


def test_leaving_a_call_that_has_ended_changes_nothing(calls: Calls) -> None:
    ended = calls.call(1)
    assert ended.future.result(30) == "reply 1"
    ended.leave()
    assert calls.call(1).future.result(30) == "reply 1"
    assert calls.send(2).result(30) == "reply 2"
