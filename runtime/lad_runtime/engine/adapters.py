"""Creating, copying, saving and dropping adapters."""

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

from lad_runtime.checks import check_name, check_whole
from lad_runtime.engine.backend import AnyBackend, ResidentAdapter
from lad_runtime.engine.engine import Engine
from lad_runtime.engine.memory import Asker, Memory
from lad_runtime.engine.promises import Promise
from lad_runtime.engine.registry import Registry
from lad_runtime.engine.residents import AdapterEntry, BaseEntry
from lad_runtime.engine.storage import storing
from lad_runtime.errors import ErrorCode, LadError, invalid_option
from lad_runtime.types import AdapterSpec


class Adapters:
    """What touches weights runs on the engine's thread between two micro-steps, so it never sees half an optimizer step."""

    def __init__(self, engine: Engine, backend: AnyBackend, registry: Registry, memory: Memory) -> None:
        self._engine = engine
        self._backend = backend
        self._registry = registry
        self._memory = memory

    def create(self, base_id: str, spec: AdapterSpec) -> "Future[AdapterEntry]":
        base = self._registry.base(base_id)
        check_whole("rank", spec.rank, low=1, high=base.info.max_rank)
        unknown = [target for target in spec.targets if target not in base.info.projections]
        if unknown:
            known = ", ".join(base.info.projections)
            raise invalid_option(
                "targets", unknown[0], "the base has no such projection", f"Give some of {known}."
            )
        asker = Asker(what="The adapter", option="rank", value=spec.rank, remedy="give a lower rank")
        nbytes = self._backend.adapter_bytes(base.resident, spec)
        return self._add(base, nbytes, asker, lambda: self._backend.create_adapter(base.resident, spec))

    def snapshot(self, adapter_id: str) -> "Future[AdapterEntry]":
        """Freezes the weights as they are now. They take memory of their own from the adapter's next step on."""
        entry = self._registry.adapter(adapter_id)
        asker = Asker(what="The snapshot", option="adapterId", value=adapter_id)
        return self._add(
            entry.base,
            entry.resident.snapshot_nbytes,
            asker,
            lambda: self._backend.snapshot(entry.resident),
            is_snapshot=True,
        )

    def drop(self, adapter_id: str) -> None:
        self._registry.drop_adapter(adapter_id)

    def export(self, adapter_id: str, folder: Path) -> "Future[None]":
        """Writes the adapter's files in PEFT's format into a folder."""
        entry = self._registry.adapter(adapter_id)

        def export() -> None:
            with storing("adapter"):
                self._backend.export_adapter(entry.base.resident, entry.resident, folder)

        return self._engine.call(export)

    def take_in(self, base_id: str, adapter_id: str, folder: Path) -> "Future[AdapterEntry]":
        """A new adapter from a folder in PEFT's format, whose memory has been promised. An empty id: one of the worker's own."""
        base = self._registry.base(base_id)
        asker = Asker(what="The adapter", option="files", value="")

        def make() -> ResidentAdapter:
            return self._backend.import_adapter(base.resident, folder)

        return self._add(base, 0, asker, make, adapter_id=adapter_id)

    def save_checkpoint(self, adapter_id: str, name: str) -> "Future[str]":
        """Adapter and optimizer under a name of the worker's store; the digest of the manifest."""
        check_name("name", name)
        entry = self._registry.adapter(adapter_id)
        if entry.is_snapshot:
            raise LadError(
                ErrorCode.INVALID_STATE,
                f"{adapter_id} is a snapshot, which has no optimizer.",
                option="adapterId",
                value=adapter_id,
                remedy="Save the adapter that it was taken of, or download the snapshot's files.",
            )
        asker = Asker(
            what=f"The optimizer of {adapter_id}, read back from the disk,", option="name", value=name
        )

        def save() -> str:
            with self._memory.promised(Promise(making=entry.resident.offloaded_nbytes), asker):
                return self._backend.save_checkpoint(entry.base.resident, entry.resident, name)

        return self._engine.call(save)

    def load_checkpoint(self, base_id: str, name: str) -> "Future[AdapterEntry]":
        """A new adapter with its optimizer."""
        check_name("name", name)
        base = self._registry.base(base_id)
        asker = Asker(what="The checkpoint's adapter", option="name", value=name)
        nbytes = self._backend.checkpoint_bytes(name)
        return self._add(base, nbytes, asker, lambda: self._backend.load_checkpoint(base.resident, name))

    def _add(
        self,
        base: BaseEntry,
        nbytes: int,
        asker: Asker,
        make: Callable[[], ResidentAdapter],
        *,
        is_snapshot: bool = False,
        adapter_id: str = "",
    ) -> "Future[AdapterEntry]":
        def add() -> AdapterEntry:
            with self._memory.promised(Promise(making=nbytes), asker):
                return self._registry.add_adapter(
                    base, make(), is_snapshot=is_snapshot, adapter_id=adapter_id
                )

        return self._engine.call(add)
