"""One piece of work in the engine's hands."""

from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Generic

from lad_runtime.types.work import Event, OutcomeT, Request, Work


@dataclass(frozen=True, kw_only=True)
class Beginning:
    """What a job waits for that has not begun: its first stretch, up to its first request, is run when this one's turn comes."""

    tokens: int
    group: str = "beginning"

    @property
    def cost(self) -> int:
        return self.tokens


class Job(Generic[OutcomeT]):
    """A submitted work: its future, the request it waits for, and how to cancel it.

    Everything but `cancel` and `future` belongs to the engine's thread.
    """

    def __init__(
        self,
        work: Work[OutcomeT],
        tenant: Hashable,
        share_weight: float,
        on_event: Callable[[Event], None],
        wake: Callable[["Job[Any]"], None],
        tokens: int = 0,
    ) -> None:
        self.work = work
        self.tenant = tenant
        self.share_weight = share_weight
        self.on_event = on_event
        self.tokens = tokens  # that it wants computed at a time, where that is known beforehand
        self.request: Request[object] | Beginning | None = None
        self.computed = 0  # requests answered so far
        self.future: Future[OutcomeT] = Future()
        self.future.set_running_or_notify_cancel()  # from here on only `cancel` below ends it early
        self._cancelling = False
        self._resuming = False
        self._wake = wake  # has the engine look at the job

    @property
    def cancelling(self) -> bool:
        return self._cancelling

    def cancel(self) -> None:
        """Ends the work before its next computation, from any thread; its future then raises LadError(CANCELLED).

        A work that has ended stays as it is.
        """
        self._cancelling = True
        self._wake(self)

    def leave(self) -> None:
        """Who waited for the outcome is gone: nobody else does."""
        self.cancel()

    def resume(self) -> None:
        """Advances the work if it is parked, or as soon as it is, from any thread."""
        self._resuming = True
        self._wake(self)

    def take_resumption(self) -> bool:
        """Whether `resume` was called since this was last asked."""
        resuming, self._resuming = self._resuming, False
        return resuming

    @property
    def woken(self) -> bool:
        """Whether a parked job is to be looked at."""
        return self._cancelling or self._resuming


AnyJob = Job[Any]
"""A job whatever comes of it."""
