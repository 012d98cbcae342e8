"""How the tasks of one class are checked, measured and computed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from lad_runtime.torch_backend.adapters.checkpoint import CheckpointStore
from lad_runtime.torch_backend.adapters.trained_adapter import TrainedAdapter
from lad_runtime.torch_backend.forward.base import Base
from lad_runtime.torch_backend.model.lora import LoraAdapter
from lad_runtime.types.memory import Needs
from lad_runtime.types.task import Task
from lad_runtime.types.work import Work

TaskT = TypeVar("TaskT", bound=Task[Any])


@dataclass(frozen=True, kw_only=True)
class Setting:
    """The base, adapter and folders that a task's work uses."""

    base: Base
    adapter: TrainedAdapter | None
    checkpoints: CheckpointStore
    offloads: Path

    @property
    def weights(self) -> LoraAdapter | None:
        """The adapter to read; None: the base alone."""
        return self.adapter.adapter if self.adapter else None

    @property
    def trained(self) -> TrainedAdapter:
        assert self.adapter is not None, "a task that trains has an adapter"
        return self.adapter


def _nothing_to_check(base: Base, task: Task[object]) -> None:
    """The `check` of a task whose own constructor checks everything."""


def _nothing_beside_weights(
    base: Base, adapter: TrainedAdapter | None, tasks: Sequence[Task[object]]
) -> Needs:
    return Needs()


@dataclass(frozen=True, kw_only=True)
class TaskKind(Generic[TaskT]):
    """`check` raises LadError if a task is not valid on a base; `needs` is the memory of several tasks together."""

    task: type[TaskT]
    work: Callable[[Setting, TaskT], Work[Any]]
    check: Callable[[Base, TaskT], None] = _nothing_to_check
    needs: Callable[[Base, TrainedAdapter | None, Sequence[TaskT]], Needs] = _nothing_beside_weights
