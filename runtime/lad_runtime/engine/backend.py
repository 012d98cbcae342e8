"""The protocols that a backend implements, one for each set of threads that may call it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from lad_runtime.errors import LadError
from lad_runtime.types.adapters import AdapterClaims, AdapterSpec, MergeSpec, StoredCheckpoint
from lad_runtime.types.bases import BaseInfo, BaseSpec, LoadProgress
from lad_runtime.types.data import CutExample, Example, Message, PreparedExample, WindowReport, WindowSpec
from lad_runtime.types.memory import HeldMemory, Needs
from lad_runtime.types.task import Task
from lad_runtime.types.work import OutcomeT, Request, Work


@dataclass(frozen=True, kw_only=True)
class DeviceInfo:
    kind: str  # cpu | cuda
    name: str
    threads: int  # as set by the caller, or else chosen for the largest resident base
    torch_version: str
    memory_bytes: int


class ResidentBase(Protocol):
    """A frozen base on the device. The engine reads `info` alone and passes the object back to the backend."""

    @property
    def info(self) -> BaseInfo: ...


class ResidentAdapter(Protocol):
    """An adapter on the device with its gradients and optimizer state, or a snapshot, which has neither."""

    @property
    def spec(self) -> AdapterSpec: ...

    @property
    def parameter_count(self) -> int: ...

    @property
    def nbytes(self) -> int:
        """Bytes of weights, gradients and optimizer state."""
        ...

    @property
    def state_nbytes(self) -> int:
        """Bytes of gradients and optimizer state in memory; state on the disk is not counted."""
        ...

    @property
    def offloaded_nbytes(self) -> int:
        """Bytes of optimizer state on the disk."""
        ...

    @property
    def snapshot_nbytes(self) -> int:
        """The most bytes that a snapshot taken now may need; 0 if a snapshot of the same weights exists."""
        ...

    @property
    def steps(self) -> int: ...

    @property
    def claims(self) -> AdapterClaims | None:
        """How it was trained last; None if it never was, or if its files did not say."""
        ...


BaseT = TypeVar("BaseT", bound=ResidentBase)
AdapterT = TypeVar("AdapterT", bound=ResidentAdapter)
BaseT_contra = TypeVar("BaseT_contra", bound=ResidentBase, contravariant=True)
AdapterT_contra = TypeVar("AdapterT_contra", bound=ResidentAdapter, contravariant=True)


class Loading(Protocol[BaseT]):
    """Slow calls, which take seconds to minutes. Each runs on a thread of its own; several may run at the same time."""

    def load_base(
        self, spec: BaseSpec, progress: Callable[[LoadProgress], None], admit: Callable[[int], None]
    ) -> BaseT:
        """Loads a base. Before it reads any weights it calls `admit` with their bytes, which raises if they do not fit."""
        ...

    def prepare(
        self, base: BaseT, examples: Iterable[Example], window: WindowSpec
    ) -> tuple[Sequence[PreparedExample], WindowReport]:
        """Renders examples and cuts them to token windows. Raises LadError(INVALID_DATA) if no window is left."""
        ...

    def cut(self, base: BaseT, examples: Iterable[Example], window: WindowSpec) -> Iterator[CutExample]:
        """The same one example after another, those that are dropped too."""
        ...

    def merge(self, base: BaseT, exported: Path, spec: MergeSpec) -> Iterator[tuple[str, bytes]]:
        """The files of a checkpoint of the base with an adapter in its weights, in pieces of at most 1 MiB, a file after another.

        The adapter is what `export_adapter` has written into `exported`. A name stands with each piece. The thread that takes the
        pieces computes them. Raises LadError(INVALID_OPTION) for values that `spec.dtype` cannot hold.
        """
        ...


class AnyThread(Protocol[BaseT_contra, AdapterT_contra]):
    """Calls that any thread may make at any time. They touch no tensor of an adapter and compute no forward."""

    @property
    def token_budget(self) -> int:
        """The most tokens of a batch of merged requests: about the number that keeps the device busy."""
        ...

    def device(self) -> DeviceInfo: ...

    def describe(self, error: BaseException) -> LadError | None:
        """Translates an error of the device, such as out of memory; None for any other error."""
        ...

    def unload_base(self, base: BaseT_contra) -> None: ...

    def encode(
        self, base: BaseT_contra, texts: Sequence[str], allow_special: bool, add_special: bool = False
    ) -> list[tuple[int, ...]]:
        """Encodes texts. A special token's name in a text is encoded as plain text, unless `allow_special`.

        `add_special` adds the tokens that the tokenizer itself puts around a text.
        """
        ...

    def decode(
        self, base: BaseT_contra, sequences: Sequence[Sequence[int]], keep_special: bool
    ) -> list[str]: ...

    def render(
        self,
        base: BaseT_contra,
        messages: Sequence[Message],
        add_generation_prompt: bool,
        allow_special: bool,
    ) -> tuple[str, tuple[int, ...]]:
        """Applies the base's chat template; returns the text and its token ids. `allow_special` is as in `encode`."""
        ...

    def held(self) -> HeldMemory: ...

    def keep_prompts(self, nbytes: int) -> None:
        """Limits the memory of cached prompts to `nbytes` from now on, and evicts the least recently used above it."""
        ...

    def adapter_bytes(self, base: BaseT_contra, spec: AdapterSpec) -> int: ...

    def checkpoints(self) -> list[StoredCheckpoint]:
        """The latest of each name in the store, by name."""
        ...

    def checkpoint_bytes(self, name: str) -> int:
        """Bytes that loading a checkpoint takes; 0 if it does not exist."""
        ...

    def has_checkpoint(self, name: str) -> bool: ...

    def merge_bytes(self, base: BaseT_contra, spec: AdapterSpec) -> int:
        """The most bytes that `merge` of such an adapter holds at once."""
        ...

    def import_bytes(self, folder: Path) -> int:
        """Bytes that importing an adapter takes, from the shapes in its files. Raises LadError(INVALID_FILE)."""
        ...

    def check(self, base: BaseT_contra, task: Task[object]) -> None:
        """Raises LadError if a task is not valid on this base. Must be called before `work`, which checks nothing."""
        ...

    def needs(
        self, base: BaseT_contra, adapter: AdapterT_contra | None, tasks: Sequence[Task[object]]
    ) -> Needs:
        """The most memory that tasks of one class take together, estimated before they begin."""
        ...


class EngineThread(Protocol[BaseT_contra, AdapterT]):
    """Calls for the engine's thread alone. It owns the tensors of adapters, computes, and advances all work."""

    def compute(self, requests: Sequence[Request[object]]) -> Sequence[object]:
        """Computes requests of one group in one batch; returns their results in order.

        If a batch of several requests raises, every gradient is as it was before. If a single request raises, the work that
        asked for it receives the exception and restores its own gradients.
        """
        ...

    def work(self, base: BaseT_contra, adapter: AdapterT | None, task: Task[OutcomeT]) -> Work[OutcomeT]:
        """The work of a checked task. The `adapter` of a reading task must not change while the work runs."""
        ...

    def create_adapter(self, base: BaseT_contra, spec: AdapterSpec) -> AdapterT: ...

    def snapshot(self, adapter: AdapterT) -> AdapterT:
        """Freezes the present weights. The snapshot shares the adapter's storage until the adapter changes."""
        ...

    def offload(self, adapter: AdapterT) -> None:
        """Moves the optimizer state to the disk; its next use loads it back. Raises LadError(STORAGE)."""
        ...

    def export_adapter(
        self, base: BaseT_contra, adapter: AdapterT, folder: Path, *, with_card: bool = False
    ) -> None:
        """Writes the adapter in PEFT's format; `with_card`, with where its base is on this machine and how it is used."""
        ...

    def import_adapter(self, base: BaseT_contra, folder: Path, *, allow_other_base: bool = False) -> AdapterT:
        """Reads an adapter in PEFT's format, with its claims where its files have them.

        Raises LadError: INVALID_FILE, and INVALID_STATE where it claims to be of another base, unless that is allowed.
        """
        ...

    def save_checkpoint(
        self, base: BaseT_contra, adapter: AdapterT, name: str, *, replace: bool = False
    ) -> str:
        """Writes adapter and optimizer to the store; returns the SHA-256 of the manifest.

        The previous checkpoint of that name is kept as a fallback. `replace` deletes it, since another adapter wrote it.
        """
        ...

    def delete_checkpoint(self, name: str) -> None:
        """Raises LadError(NOT_FOUND) if there is no checkpoint of that name."""
        ...

    def load_checkpoint(self, base: BaseT_contra, name: str) -> AdapterT: ...


class Backend(
    Loading[BaseT], AnyThread[BaseT, AdapterT], EngineThread[BaseT, AdapterT], Protocol[BaseT, AdapterT]
):
    """A complete backend."""


AnyBackend = Backend[Any, Any]
"""The engine's type for a backend: it passes bases and adapters back to the backend that made them."""
