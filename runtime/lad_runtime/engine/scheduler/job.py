"""A piece of work that the engine runs."""

from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Generic

from lad_runtime.types.work import Event, OutcomeT, Request, Work


@dataclass(frozen=True, kw_only=True)
class Beginning:
    """The request of a job that has not begun. In its turn the job runs up to its first real request."""

    tokens: int
    group: str = "beginning"

    @property
    def cost(self) -> int:
        return self.tokens


class Job(Generic[OutcomeT]):
    """Submitted work, with its future and the request that it waits for.

    Other threads use `future`, `cancel`, `leave` and `resume`; the rest belongs to the engine's thread.
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
        self.tokens = tokens  # an estimate of the tokens that it computes at a time; 0: unknown
        self.request: Request[object] | Beginning | None = None
        self.computed = 0  # requests answered so far
        self.future: Future[OutcomeT] = Future()
        self.future.set_running_or_notify_cancel()  # from here on only `cancel` below can end it early
        self._cancelling = False
        self._resuming = False
        self._wake = wake  # tells the engine that the job was cancelled or resumed

    @property
    def cancelling(self) -> bool:
        return self._cancelling

    def cancel(self) -> None:
        """Ends the work before its next computation; the future then raises LadError(CANCELLED). Callable from any thread.

        Does nothing if the work has ended.
        """
        self._cancelling = True
        self._wake(self)

    def leave(self) -> None:
        """Tells that the only caller has stopped waiting, which cancels the work."""
        self.cancel()

    def resume(self) -> None:
        """Continues the work if it is parked, or else as soon as it parks. Callable from any thread."""
        self._resuming = True
        self._wake(self)

    def take_resumption(self) -> bool:
        """Whether `resume` was called since the last time this was asked."""
        resuming, self._resuming = self._resuming, False
        return resuming

    @property
    def woken(self) -> bool:
        """Whether a parked job has been cancelled or resumed."""
        return self._cancelling or self._resuming


AnyJob = Job[Any]
"""A job with an outcome of any type."""
