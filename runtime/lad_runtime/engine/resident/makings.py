"""What calls make, under ids that their clients chose: once, however often they are sent, and not at all once nobody wants it."""

import itertools
import secrets
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

from lad_runtime.checks import check_name
from lad_runtime.errors import ErrorCode, LadError

T = TypeVar("T")

Begin = Callable[[str], Future[T]]
"""Sets about making the thing of an id. It may raise; its future, cancelled before it runs, makes nothing."""

Undo = Callable[[T], Future[Any] | None]
"""Takes a thing away that may be gone already; the future, where there is one, is done when nothing is left of it."""

_KEPT = 1024
"""Things made whose calls may be sent again, and ids that were called off; of each, the oldest are forgotten first."""


class Making(Generic[T]):
    """A thing that one or several calls of the same id wait for. `future` has it, or the LadError of why there is none."""

    def __init__(self, made_id: str, request: Hashable, undo: Undo[T], lock: "threading.RLock") -> None:
        self.id = made_id
        self.request = request
        self.future: Future[T] = _pending()
        self.gone: Future[None] = _pending()  # done when there is no such thing, or none any more
        self._undo = undo
        self._waiting = 1  # calls that wait for it, or have got it
        self._undoing = False
        self._work: Future[T] | None = None
        self._lock = lock

    @property
    def leaving(self) -> bool:
        """Whether nobody wants it, so that it is on its way out."""
        return self._waiting == 0

    def leave(self) -> None:
        """One of the calls ends before its reply: the last one takes the thing with it."""
        with self._lock:
            self._waiting = max(0, self._waiting - 1)
            if self.leaving:
                self._let_go()

    def call_off(self) -> None:
        """Ends it for all calls that wait."""
        with self._lock:
            self._waiting = 0
            self._let_go()

    def join(self) -> bool:
        """Lets one more call wait for it; False where it is too late for that."""
        with self._lock:
            if self.leaving and self.future.done():
                return False
            self._waiting += 1
            return True

    def begin(self, begin: Begin[T]) -> None:
        try:
            work = begin(self.id)
        except Exception as error:
            self._fail(error)
            return
        self._work = work
        work.add_done_callback(self._made)
        with self._lock:
            if self.leaving:
                work.cancel()

    def _let_go(self) -> None:
        if self.future.done():
            self._take_away(self.future)
        elif self._work is not None:
            self._work.cancel()

    def _made(self, work: "Future[T]") -> None:
        with self._lock:
            self._work = None  # whose callback this is: together they would be a cycle
            if work.cancelled():
                self._fail(_called_off(self.id))
            elif (error := work.exception()) is not None:
                self._fail(error)
            elif self.leaving:
                self._take_away(work)
            else:
                self.future.set_result(work.result())

    def _take_away(self, made: "Future[T]") -> None:
        if self._undoing or made.exception() is not None:
            return
        self._undoing = True
        leaving = self._undo(made.result())
        if not self.future.done():
            self.future.set_exception(_called_off(self.id))
        if leaving is None:
            self.gone.set_result(None)
        else:
            leaving.add_done_callback(lambda _: self.gone.set_result(None))

    def _fail(self, error: BaseException) -> None:
        self.future.set_exception(error)
        self.gone.set_result(None)


class Makings(Generic[T]):
    """The things of one kind that calls have made or are about to. Every method may be called from any thread."""

    def __init__(self, undo: Undo[T]) -> None:
        self._undo = undo
        self._makings: OrderedDict[str, Making[T]] = OrderedDict()
        self._called_off: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.RLock()

    def make(self, option: str, given_id: str, request: Hashable, begin: Begin[T], *, kind: str) -> Making[T]:
        """Makes the thing of an id, or waits with the call that does; without an id, of one that begins with its kind.

        Raises LadError: ALREADY_EXISTS where another request has the id, CANCELLED where it was called off or dropped.
        """
        if given_id:
            check_name(option, given_id)
        with self._lock:
            if given_id in self._called_off:
                raise _called_off(given_id, option)
            known = self._makings.get(given_id)
            if known is not None and known.request != request:
                raise taken(option, given_id)
            if known is not None and known.join():
                return known
            making = Making(given_id or f"{kind}-{secrets.token_hex(6)}", request, self._undo, self._lock)
            self._makings[making.id] = making
            self._forget_old()
        known_by = weakref.ref(making)
        making.gone.add_done_callback(lambda _: self._forget(known_by()))
        if known is None:
            making.begin(begin)
        else:
            known.gone.add_done_callback(lambda _: making.begin(begin))
        return making

    def call_off(self, made_id: str) -> "Future[None] | None":
        """Sees to it that nothing is made under an id, now or by a call that is still on its way.

        The future, where such a call is known, is done when there is nothing of it any more.
        """
        with self._lock:
            self._called_off[made_id] = None
            while len(self._called_off) > _KEPT:
                self._called_off.popitem(last=False)
            making = self._makings.get(made_id)
            if making is None:
                return None
            making.call_off()
            return making.gone

    def leaving(self, made_id: str) -> "Future[None] | None":
        """Of a thing that nobody wants any more: done when there is nothing left of it."""
        with self._lock:
            making = self._makings.get(made_id)
            return making.gone if making is not None and making.leaving else None

    def _forget(self, making: Making[T] | None) -> None:
        with self._lock:
            if making is not None and self._makings.get(making.id) is making:
                del self._makings[making.id]

    def _forget_old(self) -> None:
        excess = len(self._makings) - _KEPT
        if excess > 0:
            done = (made_id for made_id, making in self._makings.items() if making.future.done())
            for made_id in list(itertools.islice(done, excess)):
                del self._makings[made_id]


def taken(option: str, given_id: str) -> LadError:
    return LadError(
        ErrorCode.ALREADY_EXISTS,
        f"{option} is {given_id}: another request has made something under that id.",
        option=option,
        value=given_id,
        remedy="Give an id of its own to whatever is made, or leave it out.",
    )


def _called_off(made_id: str, option: str = "") -> LadError:
    return LadError(
        ErrorCode.CANCELLED,
        f"{made_id} was cancelled or dropped, and is not made again.",
        option=option,
        value=made_id,
        remedy="Give another id.",
    )


def _pending() -> "Future[Any]":
    """A future that nobody who waits for it can cancel."""
    future: Future[Any] = Future()
    future.set_running_or_notify_cancel()
    return future
