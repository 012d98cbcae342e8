"""How tasks of one class are gone about."""

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
    """What a task is worked on with."""

    base: Base
    adapter: TrainedAdapter | None
    checkpoints: CheckpointStore
    offloads: Path

    @property
    def weights(self) -> LoraAdapter | None:
        """To read; None: the base's alone."""
        return self.adapter.adapter if self.adapter else None

    @property
    def trained(self) -> TrainedAdapter:
        assert self.adapter is not None, "a task that trains has an adapter"
        return self.adapter


def _nothing_to_check(base: Base, task: Task[object]) -> None:
    """All that can be wrong with the task was seen when it was made."""


def _nothing_beside_weights(
    base: Base, adapter: TrainedAdapter | None, tasks: Sequence[Task[object]]
) -> Needs:
    return Needs()


@dataclass(frozen=True, kw_only=True)
class TaskKind(Generic[TaskT]):
    """`check` raises LadError for what does not go with the base, `needs` says what several of the class take together."""

    task: type[TaskT]
    work: Callable[[Setting, TaskT], Work[Any]]
    check: Callable[[Base, TaskT], None] = _nothing_to_check
    needs: Callable[[Base, TrainedAdapter | None, Sequence[TaskT]], Needs] = _nothing_beside_weights
