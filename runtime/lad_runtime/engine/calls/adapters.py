"""Creating, copying, saving and dropping adapters."""

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path

from lad_runtime.checks import check_name, check_whole
from lad_runtime.engine.backend import AnyBackend, ResidentAdapter
from lad_runtime.engine.data.storage import storing
from lad_runtime.engine.memory.budget import Memory, Requester
from lad_runtime.engine.memory.reservations import Reservation
from lad_runtime.engine.resident.checkpoint_names import CheckpointNames, Writer
from lad_runtime.engine.resident.creations import Creations
from lad_runtime.engine.resident.entries import AdapterEntry, BaseEntry
from lad_runtime.engine.resident.registry import Registry
from lad_runtime.engine.scheduler.engine import Engine
from lad_runtime.errors import ErrorCode, LadError, invalid_option
from lad_runtime.types.adapters import AdapterSpec, StoredCheckpoint


class Adapters:
    """Whatever reads or writes weights runs on the engine's thread between two micro-steps, never within an optimizer step.

    A new adapter gets the given id, or a random one. `makings` has the calls that create adapters.
    """

    def __init__(
        self,
        engine: Engine,
        backend: AnyBackend,
        registry: Registry,
        memory: Memory,
        names: CheckpointNames,
    ) -> None:
        self.makings: Creations[AdapterEntry] = Creations(self._take_back)
        self._engine = engine
        self._backend = backend
        self._registry = registry
        self._memory = memory
        self._names = names

    def create(self, base_id: str, spec: AdapterSpec, adapter_id: str = "") -> "Future[AdapterEntry]":
        base = self._registry.base(base_id)
        check_whole("rank", spec.rank, low=1, high=base.info.max_rank)
        unknown = [target for target in spec.targets if target not in base.info.projections]
        if unknown:
            known = ", ".join(base.info.projections)
            raise invalid_option(
                "targets", unknown[0], "the base has no such projection", f"Give some of {known}."
            )
        requester = Requester(what="The adapter", option="rank", value=spec.rank, remedy="give a lower rank")
        nbytes = self._backend.adapter_bytes(base.resident, spec)
        return self._add(
            base,
            nbytes,
            requester,
            lambda: self._backend.create_adapter(base.resident, spec),
            adapter_id,
            is_created=True,
        )

    def snapshot(self, adapter_id: str, snapshot_id: str = "") -> "Future[AdapterEntry]":
        """Freezes the present weights. The snapshot takes memory of its own once the adapter makes its next step."""
        entry = self._registry.adapter(adapter_id)
        requester = Requester(what="The snapshot", option="adapterId", value=adapter_id)
        return self._add(
            entry.base,
            entry.resident.snapshot_nbytes,
            requester,
            lambda: self._backend.snapshot(entry.resident),
            snapshot_id,
            is_snapshot=True,
        )

    def drop(self, adapter_id: str) -> None:
        """Drops an adapter or snapshot. A call under way, or a later one, creates none under this id.

        Raises LadError: INVALID_STATE while a run trains it, NOT_FOUND if no call has asked for this id yet.
        """
        try:
            self._registry.drop_adapter(adapter_id)
        except LadError as error:
            if error.code is not ErrorCode.NOT_FOUND or self.makings.call_off(adapter_id) is None:
                raise
        else:
            self.makings.call_off(adapter_id)

    def export(self, adapter_id: str, folder: Path, *, with_card: bool = False) -> "Future[None]":
        """Writes the adapter's files in PEFT's format into a folder; `with_card`, as they are kept and passed on."""
        entry = self._registry.adapter(adapter_id)

        def export() -> None:
            with storing("adapter"):
                self._backend.export_adapter(entry.base.resident, entry.resident, folder, with_card=with_card)

        return self._engine.call(export)

    def take_in(
        self, base_id: str, folder: Path, adapter_id: str = "", *, allow_other_base: bool = False
    ) -> "Future[AdapterEntry]":
        """Imports an adapter from a folder in PEFT's format; its memory is reserved already. An empty id: a random one.

        `allow_other_base` allows one whose files say that it was trained on another base.
        """
        base = self._registry.base(base_id)
        requester = Requester(what="The adapter", option="files", value="")

        def make() -> ResidentAdapter:
            return self._backend.import_adapter(base.resident, folder, allow_other_base=allow_other_base)

        return self._add(base, 0, requester, make, adapter_id)

    def save_checkpoint(self, adapter_id: str, name: str, *, overwrite: bool = False) -> "Future[str]":
        """Saves adapter and optimizer under a name in the worker's store; the future is the manifest's digest.

        `overwrite` allows it to replace a checkpoint of another adapter or of an earlier worker.
        """
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
        requester = Requester(
            what=f"The optimizer of {adapter_id}, read back from the disk,", option="name", value=name
        )

        def save(replace: bool) -> str:
            with self._memory.reserved(Reservation(making=entry.resident.offloaded_nbytes), requester):
                digest = self._backend.save_checkpoint(
                    entry.base.resident, entry.resident, name, replace=replace
                )
            self._names.wrote(name, adapter_id)
            return digest

        writer = Writer(adapter_id=adapter_id)
        replace = self._names.claim_for_save(name, writer, overwrite=overwrite)
        try:
            saving = self._engine.call(lambda: save(replace))
        except LadError:
            self._names.release(name, writer)
            raise
        saving.add_done_callback(lambda _: self._names.release(name, writer))
        return saving

    def checkpoints(self) -> list[StoredCheckpoint]:
        """Reads the disk; any thread may call it."""
        return self._backend.checkpoints()

    def delete_checkpoint(self, name: str) -> "Future[None]":
        """Raises LadError: NOT_FOUND if there is none, INVALID_STATE while it has a writer."""
        check_name("name", name)

        def delete() -> None:
            with self._names.deleting(name):
                self._backend.delete_checkpoint(name)

        return self._engine.call(delete)

    def load_checkpoint(self, base_id: str, name: str, adapter_id: str = "") -> "Future[AdapterEntry]":
        """Makes a new adapter, with its optimizer, from a checkpoint."""
        check_name("name", name)
        base = self._registry.base(base_id)
        requester = Requester(what="The checkpoint's adapter", option="name", value=name)
        nbytes = self._backend.checkpoint_bytes(name)
        return self._add(
            base, nbytes, requester, lambda: self._backend.load_checkpoint(base.resident, name), adapter_id
        )

    def _add(
        self,
        base: BaseEntry,
        nbytes: int,
        requester: Requester,
        make: Callable[[], ResidentAdapter],
        adapter_id: str,
        *,
        is_snapshot: bool = False,
        is_created: bool = False,
    ) -> "Future[AdapterEntry]":
        def add() -> AdapterEntry:
            with self._memory.reserved(Reservation(making=nbytes), requester):
                return self._registry.add_adapter(
                    base, make(), is_snapshot=is_snapshot, is_created=is_created, adapter_id=adapter_id
                )

        return self._engine.call(add)

    def _take_back(self, entry: AdapterEntry) -> None:
        """Drops an adapter whose creating calls were all cancelled, unless it is gone or being trained already."""
        with suppress(LadError):
            self._registry.drop_adapter(entry.id)
