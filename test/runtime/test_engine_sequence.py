"""Numbered calls: once, in order, retry-safe."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Any

import pytest

from fake_backend import FakeBackend, FakeWish
from lad_runtime.engine.engine import Engine
from lad_runtime.engine.job import Job
from lad_runtime.engine.sequence import Sequence
from lad_runtime.errors import ErrorCode, LadError


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = Engine(FakeBackend())
    engine.start()
    yield engine
    engine.stop(5)


class Calls:
    """Starts works that record their order."""

    def __init__(self, engine: Engine) -> None:
        self.sequence = Sequence()
        self.order: list[Any] = []
        self.gate = threading.Event()
        self._engine = engine

    def send(self, number: int, request: Any = None, *, fails: bool = False) -> "Future[Any]":
        return self.sequence.submit(number, request, self._start(number, fails)).future

    def _start(self, number: int, fails: bool) -> Callable[[], Job]:
        def work() -> Any:
            yield FakeWish()
            assert self.gate.wait(30)
            self.order.append(number)
            if fails:
                raise LadError(ErrorCode.OUT_OF_MEMORY, "full")
            return f"reply {number}"

        return lambda: self._engine.submit(work(), sharer="a")


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
