"""The resident bases, adapters and snapshots, and their users."""

import itertools
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from lad_runtime.engine.backend import ResidentAdapter, ResidentBase
from lad_runtime.engine.resident.creations import taken
from lad_runtime.engine.resident.entries import AdapterEntry, BaseEntry
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.types.bases import BaseSpec


class Registry:
    """Finds bases, adapters and snapshots by id. An unknown id raises LadError(NOT_FOUND)."""

    def __init__(self) -> None:
        self._bases: dict[str, BaseEntry] = {}
        self._adapters: dict[str, AdapterEntry] = {}
        self._lock = threading.RLock()

    @property
    def bases(self) -> list[BaseEntry]:
        with self._lock:
            return list(self._bases.values())

    @property
    def adapters(self) -> list[AdapterEntry]:
        with self._lock:
            return list(self._adapters.values())

    def add_base(self, spec: BaseSpec, resident: ResidentBase) -> BaseEntry:
        """Adds a base under the id that the backend gave it. If another load of the base has that id, a number is added."""
        with self._lock:
            given = resident.info.id
            ids = (given if number == 1 else f"{given}-{number}" for number in itertools.count(1))
            free = next(base_id for base_id in ids if base_id not in self._bases)
            entry = BaseEntry(id=free, spec=replace(spec, hub_token=""), resident=resident)
            self._bases[entry.id] = entry
        return entry

    def find_base(self, spec: BaseSpec) -> BaseEntry | None:
        """The resident base that was loaded with an equal specification, hub token aside."""
        wanted = replace(spec, hub_token="")
        with self._lock:
            return next((b for b in self._bases.values() if b.spec == wanted), None)

    def base(self, base_id: str) -> BaseEntry:
        with self._lock:
            if base_id not in self._bases:
                raise _not_found("base", "baseId", base_id, "Load it first.")
            return self._bases[base_id]

    def drop_base(self, base_id: str) -> None:
        """Raises LadError(INVALID_STATE) while adapters or runs use it."""
        with self._lock:
            entry = self.base(base_id)
            if entry.uses:
                raise LadError(
                    ErrorCode.INVALID_STATE,
                    f"Base {base_id} is used by {', '.join(sorted(entry.uses)[:5])}.",
                    option="baseId",
                    value=base_id,
                    remedy="Drop its adapters and snapshots and end its runs first.",
                )
            del self._bases[base_id]

    @contextmanager
    def using(self, base: BaseEntry, user: str) -> Iterator[None]:
        """Keeps a base from being dropped. Raises LadError(NOT_FOUND) if it was dropped already."""
        self.hold(base, user)
        try:
            yield
        finally:
            self.release(base, user)

    def hold(self, base: BaseEntry, user: str) -> None:
        with self._lock:
            self.base(base.id).uses[user] += 1

    def release(self, base: BaseEntry, user: str) -> None:
        with self._lock:
            base.uses.subtract([user])
            base.uses = +base.uses

    def add_adapter(
        self,
        base: BaseEntry,
        resident: ResidentAdapter,
        *,
        is_snapshot: bool,
        is_created: bool = False,
        adapter_id: str = "",
    ) -> AdapterEntry:
        """Adds an adapter or snapshot, under a random id if none is given. Raises LadError(ALREADY_EXISTS) for a taken id."""
        kind = "snapshot" if is_snapshot else "adapter"
        entry = AdapterEntry(
            id=adapter_id or f"{kind}-{secrets.token_hex(6)}",
            base=base,
            resident=resident,
            is_snapshot=is_snapshot,
            is_created=is_created,
        )
        with self._lock:
            if entry.id in self._adapters:
                raise taken(f"{kind}Id", entry.id)
            self.hold(base, entry.id)
            self._adapters[entry.id] = entry
        return entry

    def adapter(self, adapter_id: str) -> AdapterEntry:
        with self._lock:
            if adapter_id not in self._adapters:
                raise _not_found("adapter", "adapterId", adapter_id, "Create or load it first.")
            return self._adapters[adapter_id]

    def has_adapter(self, adapter_id: str) -> bool:
        with self._lock:
            return adapter_id in self._adapters

    def users(self, base_id: str) -> set[str]:
        """Ids of the runs, adapters and snapshots that use a base; empty if there is no such base."""
        with self._lock:
            base = self._bases.get(base_id)
            return set(base.uses) if base is not None else set()

    def trainer(self, adapter_id: str) -> str:
        """The id of the run that trains an adapter; empty if there is no such run or adapter."""
        with self._lock:
            adapter = self._adapters.get(adapter_id)
            return adapter.trained_by if adapter is not None else ""

    def weights(self, base_id: str, adapter_id: str) -> tuple[BaseEntry, AdapterEntry | None]:
        """The weights to sample or score with: a base, and an adapter or snapshot of it (None for an empty id)."""
        with self._lock:
            base = self.base(base_id)
            if not adapter_id:
                return base, None
            adapter = self.adapter(adapter_id)
        if adapter.base is not base:
            raise LadError(
                ErrorCode.INVALID_STATE,
                f"Adapter {adapter_id} belongs to base {adapter.base.id}, not to {base_id}.",
                option="adapterId",
                value=adapter_id,
                remedy="Use it with the base that it was created on.",
            )
        return base, adapter

    def trainable(self, adapter_id: str) -> AdapterEntry:
        """An adapter that may be trained. Raises LadError(INVALID_STATE) for a snapshot, or while a run trains it."""
        with self._lock:
            entry = self.adapter(adapter_id)
            if entry.is_snapshot:
                raise LadError(
                    ErrorCode.INVALID_STATE,
                    f"{adapter_id} is a snapshot, whose weights never change.",
                    option="adapterId",
                    value=adapter_id,
                    remedy="Train the adapter that it was taken of.",
                )
            if entry.trained_by:
                raise LadError(
                    ErrorCode.INVALID_STATE,
                    f"Adapter {adapter_id} is being trained by {entry.trained_by}.",
                    option="adapterId",
                    value=adapter_id,
                    remedy="Wait for that run or cancel it; the adapter can be sampled meanwhile.",
                )
            entry.last_used = time.monotonic()
            return entry

    def claim(self, entry: AdapterEntry, run_id: str) -> None:
        """Reserves an adapter for a training run. Raises LadError(INVALID_STATE) while anything else changes it."""
        with self._lock:
            self.trainable(entry.id)
            if entry.calls.busy:
                raise LadError(
                    ErrorCode.INVALID_STATE,
                    f"Calls of forwardBackward or optimStep for adapter {entry.id} are under way.",
                    option="adapterId",
                    value=entry.id,
                    remedy="Await their replies first.",
                )
            entry.trained_by = run_id

    def unclaim(self, entry: AdapterEntry) -> None:
        with self._lock:
            entry.trained_by = ""

    def drop_adapter(self, adapter_id: str) -> None:
        """Drops an adapter and cancels its calls. Raises LadError(INVALID_STATE) while a run trains it."""
        with self._lock:
            entry = self.adapter(adapter_id)
            if not entry.is_snapshot:
                self.trainable(adapter_id)
            self.release(entry.base, adapter_id)
            del self._adapters[adapter_id]
        entry.calls.close()  # outside the lock: a call takes it when it starts


def _not_found(kind: str, option: str, value: str, remedy: str) -> LadError:
    return LadError(
        ErrorCode.NOT_FOUND,
        f"There is no {kind} {value or '(empty)'} on this worker.",
        option=option,
        value=value,
        remedy=remedy,
    )
