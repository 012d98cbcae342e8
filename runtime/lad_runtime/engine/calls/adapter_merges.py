"""Checkpoints that have an adapter in their weights: computed as they are read, beside the engine's thread."""

import secrets
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

from lad_runtime.engine.backend import AnyBackend
from lad_runtime.engine.calls.adapters import Adapters
from lad_runtime.engine.memory.budget import Memory, Requester
from lad_runtime.engine.memory.reservations import Reservation
from lad_runtime.engine.resident.entries import AdapterEntry
from lad_runtime.engine.resident.registry import Registry
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.types.adapters import MergeSpec


class AdapterMerges:
    def __init__(self, adapters: Adapters, backend: AnyBackend, registry: Registry, memory: Memory) -> None:
        self._adapters = adapters
        self._backend = backend
        self._registry = registry
        self._memory = memory

    def export(self, adapter_id: str, folder: Path) -> "Future[None]":
        """Writes the adapter's present weights into a folder, for `files`; training may go on once it is done.

        Raises LadError: NOT_FOUND, INVALID_STATE for an adapter whose prompts the base alone reads, STORAGE.
        """
        _check_mergeable(self._registry.adapter(adapter_id))
        return self._adapters.export(adapter_id, folder)

    @contextmanager
    def files(
        self, adapter_id: str, exported: Path, spec: MergeSpec
    ) -> Iterator[Iterator[tuple[str, bytes]]]:
        """The checkpoint's files in pieces of at most 1 MiB, each with its file's name; read them in one thread.

        The base is held and memory reserved until the block ends. Raises LadError(OUT_OF_MEMORY) with the figures.
        """
        entry = self._registry.adapter(adapter_id)
        _check_mergeable(entry)
        base = entry.base
        requester = Requester(what="The merge", option="adapterId", value=adapter_id)
        needed = Reservation(making=self._backend.merge_bytes(base.resident, entry.resident.spec))
        user = f"merge-{secrets.token_hex(6)}"
        with self._registry.using(base, user), self._memory.reserved(needed, requester):
            yield self._backend.merge(base.resident, exported, spec)


def _check_mergeable(entry: AdapterEntry) -> None:
    claims = entry.resident.claims
    if claims is None or claims.attention != "causal-prefix":
        return
    raise LadError(
        ErrorCode.INVALID_STATE,
        f"{entry.id} was trained with attention causal-prefix, and cannot be merged: the base without the adapter reads its "
        "prompts, and the base with the adapter writes its answers, which no single checkpoint does.",
        option="adapterId",
        value=entry.id,
        remedy="Save it and use its card's program, which takes two passes, from Python; or train with attention full.",
    )
