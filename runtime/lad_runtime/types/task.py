"""What is to be computed on a base, with an adapter or without."""

from typing import ClassVar, Generic, TypeVar

from lad_runtime.types.bases import BaseInfo

OutcomeT_co = TypeVar("OutcomeT_co", covariant=True)


class Task(Generic[OutcomeT_co]):
    """A frozen value that says what is wanted; its class says what comes of it, and by its class a backend finds how to do it."""


class ReadingTask(Task[OutcomeT_co]):
    """A task that reads one state of an adapter, or the base alone, and changes neither."""

    user: ClassVar[str]  # begins the name that the base is in use by meanwhile: "prediction"

    def check(self, info: BaseInfo) -> None:
        """Raises LadError where more is asked for than a reply holds."""

    @property
    def parts(self) -> tuple[str, int]:
        """The option that lists what the task is made of, and how many there are."""
        raise NotImplementedError

    @property
    def tokens(self) -> int:
        """About what is computed at a time."""
        raise NotImplementedError
