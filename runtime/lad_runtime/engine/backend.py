"""What the engine asks of a backend, by who may call it from which thread: all that a new kind of device has to offer."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar

from lad_runtime.errors import LadError
from lad_runtime.types.adapters import AdapterSpec
from lad_runtime.types.bases import BaseInfo, BaseSpec, LoadProgress
from lad_runtime.types.data import Example, Message, PreparedExample, WindowReport, WindowSpec
from lad_runtime.types.memory import HeldMemory, Needs
from lad_runtime.types.task import Task
from lad_runtime.types.work import OutcomeT, Request, Work


@dataclass(frozen=True, kw_only=True)
class DeviceInfo:
    kind: str  # cpu | cuda
    name: str
    threads: int  # of the largest resident base, or as the caller set them
    torch_version: str
    memory_bytes: int


class ResidentBase(Protocol):
    """A frozen base on the device. The engine reads `info` and hands the rest back to the backend unread."""

    @property
    def info(self) -> BaseInfo: ...


class ResidentAdapter(Protocol):
    """An adapter on the device, with its gradients and its optimizer's state; or a snapshot, which has neither."""

    @property
    def spec(self) -> AdapterSpec: ...

    @property
    def parameter_count(self) -> int: ...

    @property
    def nbytes(self) -> int:
        """Weights, and what they are trained with."""
        ...

    @property
    def state_nbytes(self) -> int:
        """Gradients and optimizer state, those on the disk not counted."""
        ...

    @property
    def offloaded_nbytes(self) -> int:
        """Optimizer state on the disk."""
        ...

    @property
    def snapshot_nbytes(self) -> int:
        """What a snapshot taken now may come to take: 0 where there is one of the same weights."""
        ...

    @property
    def steps(self) -> int: ...


BaseT = TypeVar("BaseT", bound=ResidentBase)
AdapterT = TypeVar("AdapterT", bound=ResidentAdapter)
BaseT_contra = TypeVar("BaseT_contra", bound=ResidentBase, contravariant=True)
AdapterT_contra = TypeVar("AdapterT_contra", bound=ResidentAdapter, contravariant=True)


class Loading(Protocol[BaseT]):
    """Takes seconds to minutes, on a thread that has nothing else to do; of several bases at the same time."""

    def load_base(
        self, spec: BaseSpec, progress: Callable[[LoadProgress], None], admit: Callable[[int], None]
    ) -> BaseT:
        """`admit` is called with the bytes of the weights before any are read, and raises where they do not fit."""
        ...

    def prepare(
        self, base: BaseT, examples: Iterable[Example], window: WindowSpec
    ) -> tuple[Sequence[PreparedExample], WindowReport]:
        """Token windows; at least one, or LadError(INVALID_DATA)."""
        ...


class AnyThread(Protocol[BaseT_contra, AdapterT_contra]):
    """May be called from any thread, the engine's too, at any time: touches no tensor of an adapter, and computes no forward."""

    @property
    def token_budget(self) -> int:
        """Tokens of the flat batch at which the device is busy: requests are merged up to here."""
        ...

    def device(self) -> DeviceInfo: ...

    def describe(self, error: BaseException) -> LadError | None:
        """The typed error for one of the device's own (out of memory), or None."""
        ...

    def unload_base(self, base: BaseT_contra) -> None: ...

    def encode(self, base: BaseT_contra, texts: Sequence[str], allow_special: bool) -> list[tuple[int, ...]]:
        """Special tokens that are written out in a text are text, unless `allow_special`."""
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
        """A chat through the base's template: the text and its token ids. `allow_special` as in `encode`, for the messages."""
        ...

    def held(self) -> HeldMemory: ...

    def keep_prompts(self, nbytes: int) -> None:
        """Drops kept prompts, those used longest ago first, until they take no more than this, and never keeps more again."""
        ...

    def adapter_bytes(self, base: BaseT_contra, spec: AdapterSpec) -> int: ...

    def checkpoint_bytes(self, name: str) -> int:
        """What loading a checkpoint takes; 0 where there is none."""
        ...

    def has_checkpoint(self, name: str) -> bool: ...

    def import_bytes(self, folder: Path) -> int:
        """What importing the adapter in a folder takes, by the shapes in its files. Raises LadError(INVALID_FILE)."""
        ...

    def check(self, base: BaseT_contra, task: Task[object]) -> None:
        """Raises what is wrong with a task on this base. To be called before `work`, which checks nothing."""
        ...

    def needs(
        self, base: BaseT_contra, adapter: AdapterT_contra | None, tasks: Sequence[Task[object]]
    ) -> Needs:
        """What tasks of one class take at most, all together, by what is known before they begin."""
        ...


class EngineThread(Protocol[BaseT_contra, AdapterT]):
    """Called on the engine's thread alone, which owns the tensors of adapters and computes. Works are advanced there too."""

    def compute(self, requests: Sequence[Request[object]]) -> Sequence[object]:
        """Results of requests of one group, in order.

        Of several requests all or nothing: an exception leaves every gradient as it was. Of a single one, the work that asked
        for it sees the exception and sets its own gradients back.
        """
        ...

    def work(self, base: BaseT_contra, adapter: AdapterT | None, task: Task[OutcomeT]) -> Work[OutcomeT]:
        """How a task is gone about, which `check` has passed. Of one that reads, `adapter` never changes meanwhile."""
        ...

    def create_adapter(self, base: BaseT_contra, spec: AdapterSpec) -> AdapterT: ...

    def snapshot(self, adapter: AdapterT) -> AdapterT:
        """The weights as they are now; they share storage until the adapter's next change."""
        ...

    def offload(self, adapter: AdapterT) -> None:
        """Moves the optimizer's state to the disk, from where its next use brings it back. Raises LadError(STORAGE)."""
        ...

    def export_adapter(self, base: BaseT_contra, adapter: AdapterT, folder: Path) -> None:
        """Writes the files of PEFT's format."""
        ...

    def import_adapter(self, base: BaseT_contra, folder: Path) -> AdapterT:
        """From the files of PEFT's format."""
        ...

    def save_checkpoint(
        self, base: BaseT_contra, adapter: AdapterT, name: str, *, replace: bool = False
    ) -> str:
        """Writes adapter and optimizer to the store; returns the SHA-256 of the manifest.

        The one before it is kept too, unless it is to be replaced: what another adapter wrote is nothing to fall back on.
        """
        ...

    def delete_checkpoint(self, name: str) -> None:
        """Raises NOT_FOUND where there is none of that name."""
        ...

    def load_checkpoint(self, base: BaseT_contra, name: str) -> AdapterT: ...


class Backend(
    Loading[BaseT], AnyThread[BaseT, AdapterT], EngineThread[BaseT, AdapterT], Protocol[BaseT, AdapterT]
):
    """The three together."""


AnyBackend = Backend[Any, Any]
"""What the engine holds: it hands bases and adapters back to the backend that made them."""
