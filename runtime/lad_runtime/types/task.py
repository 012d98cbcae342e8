"""What is to be computed on a base, with an adapter or without."""

from abc import ABC, abstractmethod
from typing import ClassVar, Generic, TypeVar

from lad_runtime.types.bases import BaseInfo

OutcomeT_co = TypeVar("OutcomeT_co", covariant=True)


class Task(Generic[OutcomeT_co]):
    """A computation to do. Its class fixes the type of its result, and a backend looks up the implementation by its class."""


class ReadingTask(Task[OutcomeT_co], ABC):
    """A task that reads one state of an adapter, or the base alone, and changes neither."""

    user: ClassVar[str]  # names who uses the base meanwhile, such as "prediction"

    def check(self, info: BaseInfo) -> None:
        """Raises LadError if the reply would be larger than a message may be."""

    @property
    @abstractmethod
    def parts(self) -> tuple[str, int]:
        """The option that lists what the task is made of, and how many there are."""

    @property
    @abstractmethod
    def tokens(self) -> int:
        """About what is computed at a time."""
