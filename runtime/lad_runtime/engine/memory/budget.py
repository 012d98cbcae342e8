"""The worker's memory budget: counts held and reserved bytes, and rejects requests that exceed it."""

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
"""The default budget as a share of the device's memory. The rest is for temporaries, the interpreter and other programs."""

_RETRY_AFTER_MS = 500
_log = logging.getLogger("lad.memory")


@dataclass(frozen=True, kw_only=True)
class Requester:
    """Describes a request for memory in the error of a refusal: the option behind it, and the caller's remedy."""

    what: str  # begins the sentence: "The adapter"
    option: str
    value: object
    remedy: str = ""  # an imperative that is added to the general remedies: "give a lower rank"
    waits: bool = False  # the caller can try again when other requests have ended


class Memory:
    """Admits a reservation if it fits the budget together with everything held and reserved. Everything that grows asks first.

    Cached prompts use the rest of the budget. If a reservation does not fit, cached prompts are evicted first. Then the
    optimizer states of adapters that are not being trained move to the disk, least recently used first. Every method may be
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
        """Bytes held now."""
        return self._backend.held().nbytes

    @property
    def offloaded_bytes(self) -> int:
        """Bytes of optimizer states on the disk."""
        return sum(adapter.resident.offloaded_nbytes for adapter in self._registry.adapters)

    def begin(self, key: Hashable, reservation: Reservation, requester: Requester) -> None:
        """Reserves memory until `end`, in place of an earlier reservation under the same key.

        Raises LadError and keeps the earlier reservation: BUSY if the requester can wait and there will be room when other
        requests have ended, else OUT_OF_MEMORY with the figures.
        """
        if reservation != Reservation() and not self._admit(key, reservation):
            self._engine.call(lambda: self._make_room(key, reservation, requester)).result()

    def end(self, key: Hashable) -> None:
        """Releases the reservation of a key, if there is one."""
        with self._lock:
            if self._reservations.pop(key, None) is not None:
                self._resize_prompt_cache(self._committed(self._reservations))

    @contextmanager
    def reserved(self, reservation: Reservation, requester: Requester) -> Iterator[None]:
        """Holds a reservation for the duration of a block."""
        key = object()
        self.begin(key, reservation, requester)
        try:
            yield
        finally:
            self.end(key)

    def within(self, reservation: Reservation, requester: Requester, work: Work[OutcomeT]) -> Work[OutcomeT]:
        """Runs work under a reservation; fails at once with the error of `begin`."""
        with self.reserved(reservation, requester):
            return (yield from work)

    def begin_snapshot(self, key: Hashable, entry: AdapterEntry) -> None:
        """Reserves memory for the snapshot that a request will read. Call `end` once the snapshot is taken."""
        what = f"The request's snapshot of {entry.id}"
        requester = Requester(what=what, option="adapterId", value=entry.id, waits=True)
        self.begin(key, Reservation(snapshot_of=entry.resident), requester)

    def snapshot(self, entry: AdapterEntry) -> ResidentAdapter:
        """Freezes an adapter's present weights for a request. Call on the engine's thread. Raises as `begin`."""
        key = object()
        self.begin_snapshot(key, entry)
        try:
            return self._backend.snapshot(entry.resident)
        finally:
            self.end(key)

    def _admit(self, key: Hashable, reservation: Reservation) -> bool:
        """Records a reservation and returns true, unless it exceeds the budget."""
        with self._lock:
            total = self._committed({**self._reservations, key: reservation})
            if total > self.budget_bytes:
                return False
            self._reservations[key] = reservation
            self._resize_prompt_cache(total)
            return True

    def _resize_prompt_cache(self, total: int) -> None:
        """Gives cached prompts the rest of the budget."""
        self._backend.keep_prompts(max(0, self.budget_bytes - total))

    def _committed(self, reservations: dict[Hashable, Reservation]) -> int:
        return committed(reservations.values(), self._backend.held(), self._backend.token_budget)

    def _make_room(self, key: Hashable, reservation: Reservation, requester: Requester) -> None:
        """Moves idle optimizers to the disk until the reservation fits. Runs on the engine's thread, between two steps."""
        for entry in self._idle(reservation.adapter):
            if self._admit(key, reservation):
                return
            try:
                self._backend.offload(entry.resident)
            except LadError as error:
                _log.warning("%s keeps its optimizer in memory: %s", entry.id, error.message)
        if not self._admit(key, reservation):
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
        """Bytes that stay until a caller drops them, named snapshots included; snapshots taken by requests are not."""
        held = self._backend.held()
        named = sum(entry.resident.nbytes for entry in self._registry.adapters if entry.is_snapshot)
        return held.lasting + min(held.snapshots, named)
