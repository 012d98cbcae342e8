"""What a piece of work yields to the engine, and what it is sent."""

from collections.abc import Generator, Hashable
from typing import Any, Protocol


class ForwardRequest(Protocol):
    """A computation that a piece of work asks for. Requests of equal `group` may share one flat batch."""

    @property
    def tokens(self) -> int:
        """Rows of the flat batch."""
        ...

    @property
    def cost(self) -> int:
        """What it takes of the device's time: 1 is the forward of one token."""
        ...

    @property
    def group(self) -> Hashable: ...


class Park:
    """What a work yields when it has nothing to compute until its job is resumed; it is sent None then."""


Work = Generator[Any, Any, Any]

"""Yields requests (and is sent each one's result), events (and is sent None) and `Park`s; returns its outcome.

Closing the generator cancels the work. It never computes a forward itself, so that whatever runs at the same time can be
computed in one batch.
"""
