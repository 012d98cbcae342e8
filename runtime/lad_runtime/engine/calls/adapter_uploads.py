"""Uploads of adapters in PEFT's format: admitted by their declared sizes, stored on the disk until they are complete."""

import hashlib
import secrets
import threading
from collections.abc import Callable, Hashable, Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from lad_runtime.checks import check_name
from lad_runtime.engine.backend import AnyBackend
from lad_runtime.engine.calls.adapters import Adapters
from lad_runtime.engine.data.storage import Transfers, storing
from lad_runtime.engine.memory.budget import Memory, Requester
from lad_runtime.engine.memory.reservations import Reservation
from lad_runtime.engine.resident.entries import AdapterEntry, BaseEntry
from lad_runtime.engine.resident.registry import Registry
from lad_runtime.errors import ErrorCode, LadError, invalid_option
from lad_runtime.types.adapters import AdapterSpec

MAX_FILES = 16
ARCHIVE = "adapter_model.pth"
"""What a file of torch.save is uploaded as, alone."""

_BESIDE_WEIGHTS = 4 << 20  # bytes for the configuration, the claims, the tensors' names and a README


class AdapterUploads:
    def __init__(
        self,
        adapters: Adapters,
        backend: AnyBackend,
        registry: Registry,
        memory: Memory,
        transfers: Transfers,
    ) -> None:
        self._adapters = adapters
        self._backend = backend
        self._registry = registry
        self._memory = memory
        self._transfers = transfers

    def begin(
        self, base_id: str, sizes: Sequence[tuple[str, int]], *, allow_other_base: bool = False
    ) -> "AdapterUpload":
        """Admits an upload by the names and bytes of its files; blocks while the engine makes room.

        Reserves the memory and holds the base until the upload ends. Raises LadError: INVALID_OPTION for files that cannot be
        an adapter of this base, OUT_OF_MEMORY with the figures, STORAGE.
        """
        base = self._registry.base(base_id)
        of_adapter = self._most_bytes(base)
        with_base = of_adapter + 4 * base.info.parameter_count if _is_archive(sizes) else of_adapter
        _check_files(sizes, with_base)
        key = f"upload-{secrets.token_hex(6)}"
        with ExitStack() as held:
            held.enter_context(self._registry.using(base, key))
            held.callback(self._memory.end, key)
            self._reserve(key, min(of_adapter, sum(nbytes for _, nbytes in sizes)))
            folder = held.enter_context(self._transfers.folder())

            def admit() -> None:
                self._reserve(key, self._backend.import_bytes(folder))

            take_in = partial(self._adapters.take_in, base_id, folder, allow_other_base=allow_other_base)
            return AdapterUpload(folder, dict(sizes), admit, take_in, held.pop_all())

    def _most_bytes(self, base: BaseEntry) -> int:
        """Of the largest adapter, whose options beside rank and targets take no memory."""
        largest = AdapterSpec(
            rank=base.info.max_rank,
            alpha=1.0,
            targets=base.info.projections,
            dropout=0.0,
            seed=0,
            use_rslora=False,
        )
        return self._backend.adapter_bytes(base.resident, largest) + _BESIDE_WEIGHTS

    def _reserve(self, key: Hashable, nbytes: int) -> None:
        requester = Requester(what="The uploaded adapter", option="files", value=f"{nbytes} bytes")
        self._memory.begin(key, Reservation(making=nbytes), requester)


class AdapterUpload:
    """An upload in progress. Use it as a context manager, which leaves nothing behind but the adapter.

    Its exit waits for calls of other threads; after it, every call raises LadError(CANCELLED).
    """

    def __init__(
        self,
        folder: Path,
        sizes: dict[str, int],
        admit: Callable[[], None],
        take_in: Callable[[str], "Future[AdapterEntry]"],
        held: ExitStack,
    ) -> None:
        self._folder = folder
        self._missing = sizes  # bytes of each file that have yet to arrive
        self._digests = {name: hashlib.sha256() for name in sizes}
        self._admit = admit
        self._take_in = take_in
        self._taking: Future[AdapterEntry] | None = None
        self._held = held
        self._ended = False
        self._lock = threading.Lock()

    def __enter__(self) -> "AdapterUpload":
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._ended = True
            if self._taking is not None:
                wait([self._taking])
            self._held.close()

    def write(self, name: str, data: bytes) -> None:
        """Appends to a file. Raises LadError: INVALID_FILE at the first byte that was not declared, STORAGE."""
        with self._not_ended():
            missing = self._missing.get(name)
            if missing is None or len(data) > missing:
                problem = "it was not declared" if missing is None else "it is longer than was declared"
                raise _not_as_declared(name, problem)
            with storing("uploaded adapter"), (self._folder / name).open("ab") as file:
                file.write(data)
            self._missing[name] = missing - len(data)
            self._digests[name].update(data)

    @property
    def content(self) -> Hashable:
        """A key that is equal for equal files, whatever the sizes of their pieces."""
        return tuple(sorted((name, digest.hexdigest()) for name, digest in self._digests.items()))

    def finish(self) -> None:
        """Reserves what the complete files need. Raises LadError: INVALID_FILE if bytes are missing, OUT_OF_MEMORY."""
        with self._not_ended():
            for name, missing in self._missing.items():
                if missing:
                    raise _not_as_declared(name, f"{missing} bytes of it are missing")
            self._admit()

    def take_in(self, adapter_id: str = "") -> "Future[AdapterEntry]":
        """Imports the finished upload. The future raises LadError(INVALID_FILE) if it is not an adapter of this base."""
        with self._not_ended():
            self._taking = self._take_in(adapter_id)
            return self._taking

    @contextmanager
    def _not_ended(self) -> Iterator[None]:
        with self._lock:
            if self._ended:
                raise LadError(ErrorCode.CANCELLED, "The upload was cancelled.")
            yield


def _is_archive(sizes: Sequence[tuple[str, int]]) -> bool:
    """Whether it is a file of torch.save, which may have the base's weights beside the adapter; they stay on the disk."""
    return [name for name, _ in sizes] == [ARCHIVE]


def _check_files(sizes: Sequence[tuple[str, int]], most: int) -> None:
    """Checks names, which become paths in the upload's own folder, and sizes."""
    if not 1 <= len(sizes) <= MAX_FILES:
        remedy = "Send adapter_config.json and its weights."
        raise invalid_option("files", len(sizes), f"an adapter has from 1 to {MAX_FILES}", remedy)
    for name, _ in sizes:
        check_name("files", name)
    if len({name for name, _ in sizes}) != len(sizes):
        raise invalid_option("files", [name for name, _ in sizes], "a name is there twice", "Send each once.")
    total = sum(nbytes for _, nbytes in sizes)
    if total > most:
        raise invalid_option(
            "files",
            f"{total} bytes",
            f"the largest adapter of this base has {most}",
            "Load it onto the base that it was trained on.",
        )


def _not_as_declared(name: str, problem: str) -> LadError:
    return LadError(
        ErrorCode.INVALID_FILE,
        f"The upload is not what it was declared to be: {name[:64]}: {problem}.",
        option="files",
        value=name,
        remedy="Send the adapter again once nothing writes to its files.",
    )
