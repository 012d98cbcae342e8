"""Creates objects under ids that clients choose: a repeated call creates nothing twice, a cancelled one leaves nothing behind."""

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
"""Starts to create the object of an id. It may raise. Cancelling its future before it runs creates nothing."""

Undo = Callable[[T], Future[Any] | None]
"""Removes an object, which may be gone already. If removal takes time, it returns a future that is done at its end."""

_KEPT = 1024
"""How many created objects, and how many cancelled ids, are remembered for repeated calls; the oldest are forgotten first."""


class Making(Generic[T]):
    """The creation of one object, which one or several calls of its id wait for. `future` is the object or a LadError."""

    def __init__(self, made_id: str, request: Hashable, undo: Undo[T], lock: "threading.RLock") -> None:
        self.id = made_id
        self.request = request
        self.future: Future[T] = _pending()
        self.gone: Future[None] = _pending()  # done when creation has failed or the object is removed
        self._undo = undo
        self._waiting = 1  # calls that wait for the object or have received it
        self._removing = False
        self._work: Future[T] | None = None
        self._lock = lock

    @property
    def leaving(self) -> bool:
        """Whether no call wants the object any more, so that it is being removed."""
        return self._waiting == 0

    def leave(self) -> None:
        """Tells that a call ended before its reply. After the last one the object is removed."""
        with self._lock:
            self._waiting = max(0, self._waiting - 1)
            if self.leaving:
                self._abandon()

    def call_off(self) -> None:
        """Cancels the creation for all calls that wait."""
        with self._lock:
            self._waiting = 0
            self._abandon()

    def join(self) -> bool:
        """Adds a waiting call; returns False if the object is being removed already."""
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

    def _abandon(self) -> None:
        if self.future.done():
            self._remove(self.future)
        elif self._work is not None:
            self._work.cancel()

    def _made(self, work: "Future[T]") -> None:
        with self._lock:
            self._work = None  # the future holds this callback: keeping both would be a reference cycle
            if work.cancelled():
                self._fail(_called_off(self.id))
            elif (error := work.exception()) is not None:
                self._fail(error)
            elif self.leaving:
                self._remove(work)
            else:
                self.future.set_result(work.result())

    def _remove(self, made: "Future[T]") -> None:
        if self._removing or made.exception() is not None:
            return
        self._removing = True
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


class Creations(Generic[T]):
    """The objects of one kind that calls create or have created. Every method may be called from any thread."""

    def __init__(self, undo: Undo[T]) -> None:
        self._undo = undo
        self._makings: OrderedDict[str, Making[T]] = OrderedDict()
        self._called_off: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.RLock()

    def make(self, option: str, given_id: str, request: Hashable, begin: Begin[T], *, kind: str) -> Making[T]:
        """Creates the object of an id, or joins the call that does. Without an id it chooses one that begins with `kind`.

        Raises LadError: ALREADY_EXISTS if another request has used the id, CANCELLED if the id was cancelled or dropped.
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
        """Cancels an id: nothing is created under it, not even by a call that has yet to arrive.

        If a call with that id is known, it returns a future that is done when its object is removed.
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
        """If an object is being removed, a future that is done when it is gone."""
        with self._lock:
            making = self._makings.get(made_id)
            return making.gone if making is not None and making.leaving else None

    def forget(self, made_id: str) -> None:
        """Forgets who made an object that is gone: the id is free again."""
        with self._lock:
            self._makings.pop(made_id, None)

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
    """A future that its waiters cannot cancel."""
    future: Future[Any] = Future()
    future.set_running_or_notify_cancel()
    return future
