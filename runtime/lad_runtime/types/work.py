"""What a piece of work and the engine say to each other."""

from abc import ABC, abstractmethod
from collections.abc import Generator, Hashable
from typing import Generic, TypeVar

ResultT = TypeVar("ResultT")
ResultT_co = TypeVar("ResultT_co", covariant=True)
OutcomeT = TypeVar("OutcomeT")


class Request(ABC, Generic[ResultT_co]):
    """A computation that a piece of work asks for; its class says of what type the result is.

    Requests of equal `group` may share one flat batch.
    """

    @property
    @abstractmethod
    def tokens(self) -> int:
        """Rows of the flat batch."""

    @property
    @abstractmethod
    def cost(self) -> int:
        """What it takes of the device's time: 1 is the forward of one token."""

    @property
    @abstractmethod
    def group(self) -> Hashable: ...


class Event:
    """What a piece of work tells of itself."""


class Park:
    """What a work yields when it has nothing to compute until its job is resumed."""


Step = Request[object] | Event | Park

Work = Generator[Step, object, OutcomeT]

"""Yields requests (and is sent each one's result), events and `Park`s (and is sent None); returns its outcome.

Closing the generator cancels the work. It never computes a forward itself, so that whatever runs at the same time can be
computed in one batch.
"""


def ask(request: Request[ResultT]) -> Generator[Request[ResultT], ResultT, ResultT]:
    """Work that has a request computed, and returns its result."""
    return (yield request)
