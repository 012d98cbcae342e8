"""What calls make under ids of their clients': once, for all who wait, and not at all once nobody does."""

import gc
import weakref
from collections.abc import Callable
from concurrent.futures import Future

import pytest

from lad_runtime.engine.resident.creations import Creations, Making
from lad_runtime.errors import ErrorCode, LadError


class Workshop:
    """Begins things whose makers a test lets run, and keeps those that are not undone."""

    def __init__(self, undone: "Future[None] | None" = None) -> None:
        self.makings: Creations[str] = Creations(self._undo)
        self.begun: list[Future[str]] = []
        self.things: set[str] = set()
        self._undone = undone

    def make(self, given_id: str, request: str = "same") -> Making[str]:
        return self.makings.make("adapterId", given_id, request, self._begin, kind="adapter")

    def finish(self, thing: str, number: int = -1) -> None:
        work = self.begun[number]
        if work.set_running_or_notify_cancel():
            self.things.add(thing)
            work.set_result(thing)

    def _begin(self, made_id: str) -> "Future[str]":
        self.begun.append(Future())
        return self.begun[-1]

    def _undo(self, thing: str) -> "Future[None] | None":
        self.things.discard(thing)
        return self._undone


@pytest.fixture
def shop() -> Workshop:
    return Workshop()


def refused(call: Callable[[], object]) -> LadError:
    with pytest.raises(LadError) as caught:
        call()
    return caught.value


def test_the_same_call_again_gives_the_same_thing_while_it_is_made_and_afterwards(shop: Workshop) -> None:
    first, second = shop.make("a"), shop.make("a")
    shop.finish("thing")
    assert [making.future.result(0) for making in (first, second, shop.make("a"))] == ["thing"] * 3
    assert len(shop.begun) == 1


def test_without_an_id_every_call_makes_a_thing_of_its_own(shop: Workshop) -> None:
    first, second = shop.make(""), shop.make("")
    assert first.id != second.id and first.id.startswith("adapter-")
    assert len(shop.begun) == 2


def test_another_request_under_the_same_id_is_refused(shop: Workshop) -> None:
    shop.make("a")
    error = refused(lambda: shop.make("a", "other"))
    assert (error.code, error.option, error.value) == (ErrorCode.ALREADY_EXISTS, "adapterId", "a")


@pytest.mark.parametrize("bad", ["../a", "a b", "-a", "a" * 65])
def test_an_id_is_a_plain_name(shop: Workshop, bad: str) -> None:
    assert refused(lambda: shop.make(bad)).code is ErrorCode.INVALID_OPTION


def test_what_fails_can_be_asked_for_again(shop: Workshop) -> None:
    failed = shop.make("a")
    shop.begun[0].set_exception(LadError(ErrorCode.BUSY, "full"))
    assert refused(lambda: failed.future.result(0)).code is ErrorCode.BUSY
    again = shop.make("a", "with other options")
    shop.finish("thing")
    assert again.future.result(0) == "thing"


def test_what_cannot_even_begin_fails_the_call_alone() -> None:
    def begin(_: str) -> "Future[str]":
        raise LadError(ErrorCode.NOT_FOUND, "no base")

    makings: Creations[str] = Creations(lambda _: None)
    making = makings.make("adapterId", "a", "same", begin, kind="adapter")
    assert refused(lambda: making.future.result(0)).code is ErrorCode.NOT_FOUND
    assert makings.leaving("a") is None


def test_a_call_that_leaves_before_anything_is_done_has_nothing_made(shop: Workshop) -> None:
    shop.make("a").leave()
    shop.finish("thing")
    assert shop.begun[0].cancelled() and not shop.things


def test_a_call_that_leaves_on_the_way_has_undone_what_comes_of_it(shop: Workshop) -> None:
    making = shop.make("a")
    shop.begun[0].set_running_or_notify_cancel()
    making.leave()
    assert shop.makings.leaving("a") is making.gone and not making.gone.done()
    shop.things.add("thing")
    shop.begun[0].set_result("thing")
    assert not shop.things and making.gone.done()
    assert shop.makings.leaving("a") is None


def test_a_call_that_leaves_when_it_is_made_takes_it_along(shop: Workshop) -> None:
    making = shop.make("a")
    shop.finish("thing")
    making.leave()
    making.leave()
    assert not shop.things
    again = shop.make("a")
    shop.finish("another")
    assert again.future.result(0) == "another"


def test_of_two_calls_one_may_leave(shop: Workshop) -> None:
    making = shop.make("a")
    shop.begun[0].set_running_or_notify_cancel()
    making.leave()
    joined = shop.make("a")
    shop.things.add("thing")
    shop.begun[0].set_result("thing")
    assert joined.future.result(0) == "thing" and shop.things == {"thing"}


def test_a_call_of_an_id_whose_thing_is_on_its_way_out_waits_until_it_has_gone() -> None:
    undone: Future[None] = Future()
    shop = Workshop(undone)
    making = shop.make("a")
    shop.finish("thing")
    making.leave()
    again = shop.make("a")
    assert len(shop.begun) == 1 and not again.future.done()
    undone.set_result(None)
    shop.finish("another")
    assert making.gone.done() and again.future.result(0) == "another"


@pytest.mark.parametrize("moment", ["before", "waiting", "running", "made"])
def test_an_id_that_is_called_off_is_never_made(shop: Workshop, moment: str) -> None:
    making = None if moment == "before" else shop.make("a")
    if moment == "running":
        shop.begun[0].set_running_or_notify_cancel()
    if moment == "made":
        shop.finish("thing")
    gone = shop.makings.call_off("a")
    if moment == "running":
        shop.things.add("thing")
        shop.begun[0].set_result("thing")
    assert (gone is None) if making is None else (gone is making.gone and gone.done())
    assert not shop.things
    if moment in ("waiting", "running"):
        assert making is not None
        assert refused(lambda: making.future.result(0)).code is ErrorCode.CANCELLED
    assert refused(lambda: shop.make("a")).code is ErrorCode.CANCELLED


def test_what_is_remembered_is_bounded(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lad_runtime.engine.resident.creations._KEPT", 3)
    under_way = shop.make("first")
    for number in range(10):
        shop.make(f"id-{number}")
        shop.finish(f"thing-{number}")
        shop.makings.call_off(f"off-{number}")
    assert len(shop.makings._makings) <= 4 and len(shop.makings._called_off) == 3
    assert shop.make("first") is under_way
    assert refused(lambda: shop.make("off-9")).code is ErrorCode.CANCELLED


class Thing:
    pass


def test_what_was_made_and_let_go_is_freed_at_once() -> None:
    makings: Creations[Thing] = Creations(lambda _: None)

    def begin(_: str) -> "Future[Thing]":
        work: Future[Thing] = Future()
        work.set_result(Thing())
        return work

    gc.collect()
    gc.disable()
    try:
        seen = weakref.ref(
            makings.make("adapterId", "mine", "request", begin, kind="adapter").future.result(1)
        )
        assert seen() is not None  # a call that is sent again finds it
        makings.call_off("mine")
        assert seen() is None
    finally:
        gc.enable()
