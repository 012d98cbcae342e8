"""The worker's memory as a budget: what is held and reserved, and who is refused for lack of it."""

import logging
import threading
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from lad_runtime.engine.backend import AnyBackend, ResidentAdapter
from lad_runtime.engine.memory.reservations import Reservation, committed
from lad_runtime.engine.memory.sizes import told_apart
from lad_runtime.engine.resident.entries import AdapterEntry
from lad_runtime.engine.resident.registry import Registry
from lad_runtime.engine.scheduler.engine import Engine
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.types.work import OutcomeT, Work

DEFAULT_SHARE = 0.8
"""Of the device's memory, where no budget is given: the rest is for temporaries, the interpreter and other programs."""

_RETRY_AFTER_MS = 500
_log = logging.getLogger("lad.memory")


@dataclass(frozen=True, kw_only=True)
class Requester:
    """Who wants memory, as a refusal tells it: the option that it comes from, and what the caller can do about it."""

    what: str  # begins the sentence: "The adapter"
    option: str
    value: object
    remedy: str = ""  # an imperative of its own beside the general ones: "give a lower rank"
    waits: bool = False  # worth trying again when other requests have ended


class Memory:
    """Admits what fits the budget together with all that is held and reserved already; everything that grows asks first.

    Kept prompts take what is left over. Where something does not fit, they give way at once, then the optimizer states of
    adapters that nobody trains are moved to the disk, those that were used longest ago before others. Every method may be
    called from any thread.
    """

    def __init__(
        self, backend: AnyBackend, registry: Registry, engine: Engine, budget_bytes: int | None
    ) -> None:
        self.budget_bytes = budget_bytes or int(DEFAULT_SHARE * backend.device().memory_bytes)
        self._backend = backend
        self._registry = registry
        self._engine = engine
        self._reservations: dict[Hashable, Reservation] = {}
        self._lock = threading.RLock()

    @property
    def accounted_bytes(self) -> int:
        """Bytes of what is held now."""
        return self._backend.held().nbytes

    @property
    def offloaded_bytes(self) -> int:
        """Bytes of optimizer states on the disk."""
        return sum(adapter.resident.offloaded_nbytes for adapter in self._registry.adapters)

    def begin(self, key: Hashable, reservation: Reservation, requester: Requester) -> None:
        """Reserves memory until `end`, instead of what was reserved under the same key.

        Raises LadError, what was reserved before unchanged: OUT_OF_MEMORY, with the figures; BUSY where the requester can wait and
        there will be room once other requests have ended.
        """
        if reservation != Reservation() and not self._enter(key, reservation):
            self._engine.call(lambda: self._make_room(key, reservation, requester)).result()

    def end(self, key: Hashable) -> None:
        """Takes a reservation back; a key that has none is fine."""
        with self._lock:
            if self._reservations.pop(key, None) is not None:
                self._leave_to_prompts(self._committed(self._reservations))

    @contextmanager
    def reserved(self, reservation: Reservation, requester: Requester) -> Iterator[None]:
        """`begin` and `end` around something."""
        key = object()
        self.begin(key, reservation, requester)
        try:
            yield
        finally:
            self.end(key)

    def within(self, reservation: Reservation, requester: Requester, work: Work[OutcomeT]) -> Work[OutcomeT]:
        """The work with a reservation from its beginning to its end; it fails at once with what `begin` raises."""
        with self.reserved(reservation, requester):
            return (yield from work)

    def begin_snapshot(self, key: Hashable, entry: AdapterEntry) -> None:
        """`begin` for a snapshot that a request will read; to be ended when it has been taken."""
        what = f"The request's snapshot of {entry.id}"
        requester = Requester(what=what, option="adapterId", value=entry.id, waits=True)
        self.begin(key, Reservation(snapshot_of=entry.resident), requester)

    def snapshot(self, entry: AdapterEntry) -> ResidentAdapter:
        """The weights of an adapter as they are now, for a request to read; on the engine's thread. Raises as `begin`."""
        key = object()
        self.begin_snapshot(key, entry)
        try:
            return self._backend.snapshot(entry.resident)
        finally:
            self.end(key)

    def _enter(self, key: Hashable, reservation: Reservation) -> bool:
        """Enters a reservation into the books, unless that exceeds the budget."""
        with self._lock:
            total = self._committed({**self._reservations, key: reservation})
            if total > self.budget_bytes:
                return False
            self._reservations[key] = reservation
            self._leave_to_prompts(total)
            return True

    def _leave_to_prompts(self, total: int) -> None:
        """Gives kept prompts what nobody else wants."""
        self._backend.keep_prompts(max(0, self.budget_bytes - total))

    def _committed(self, reservations: dict[Hashable, Reservation]) -> int:
        return committed(reservations.values(), self._backend.held(), self._backend.token_budget)

    def _make_room(self, key: Hashable, reservation: Reservation, requester: Requester) -> None:
        """On the engine's thread, so that nothing is half-way through a step."""
        for entry in self._idle(reservation.adapter):
            if self._enter(key, reservation):
                return
            try:
                self._backend.offload(entry.resident)
            except LadError as error:
                _log.warning("%s keeps its optimizer in memory: %s", entry.id, error.message)
        if not self._enter(key, reservation):
            raise self._refusal(key, reservation, requester)

    def _idle(self, asking: ResidentAdapter | None) -> list[AdapterEntry]:
        idle = [
            entry
            for entry in self._registry.adapters
            if entry.resident.state_nbytes
            and entry.resident is not asking
            and not entry.trained_by
            and not entry.calls.busy
        ]
        return sorted(idle, key=lambda entry: entry.last_used)

    def _refusal(self, key: Hashable, reservation: Reservation, requester: Requester) -> LadError:
        with self._lock:
            total = self._committed({**self._reservations, key: reservation})
        later = requester.waits and self._lasting() + reservation.nbytes <= self.budget_bytes
        needs, makes, budget = told_apart(reservation.nbytes, total, self.budget_bytes)
        first = "Try again when other requests have ended" if later else "Drop adapters, snapshots or bases"
        remedies = [
            first,
            "end or pause runs",
            *([requester.remedy] if requester.remedy else []),
            "or start the worker with a larger memoryBudgetBytes.",
        ]
        return LadError(
            ErrorCode.BUSY if later else ErrorCode.OUT_OF_MEMORY,
            f"{requester.what} needs {needs}, which makes {makes} in all: the worker's budget is {budget}.",
            option=requester.option,
            value=requester.value,
            remedy=", ".join(remedies),
            retry_after_ms=_RETRY_AFTER_MS if later else 0,
        )

    def _lasting(self) -> int:
        """Bytes of what does not end by itself: snapshots that were taken by name, and not by a request, among them."""
        held = self._backend.held()
        named = sum(entry.resident.nbytes for entry in self._registry.adapters if entry.is_snapshot)
        return held.lasting + min(held.snapshots, named)
