"""A run's log of numbered events, bounded in memory, for any number of followers."""

import bisect
import threading
import time
from collections.abc import Callable
from typing import Any

from lad_runtime.errors import ErrorCode, LadError, invalid_option
from lad_runtime.types.runs import LoggedEvent
from lad_runtime.types.sampling import FrameEvent

_MAX_WEIGHT = 500_000
"""The log's bound, about 100 MB. A frame weighs as much as its edits, tokens and memory, any other event as a few numbers."""


class EventLog:
    """A log whose writer never waits for readers. Beyond its bound it drops the oldest frames first, without an error: each
    frame holds the whole sampled answer, so a reader only misses steps of the animation. If the other events alone exceed the
    bound, it drops the oldest of them, and reading those raises an error.
    """

    def __init__(self, max_weight: int = _MAX_WEIGHT) -> None:
        self.next_seq = 0
        self.closed = False
        self._max_weight = max_weight
        self.weight = 0
        self._oldest = 0  # events before this number may have been dropped, even if they are not frames
        self._events: list[LoggedEvent] = []
        self._listeners: list[Callable[[], None]] = []
        self._lock = threading.Lock()

    def append(self, event: Any, *, last: bool = False) -> None:
        """Adds an event under the next number. `last` closes the log, which then ignores further events."""
        with self._lock:
            if self.closed:
                return
            self._events.append(LoggedEvent(seq=self.next_seq, time=time.time(), event=event))
            self.weight += _weight(event)
            self.next_seq += 1
            self.closed = last
            if self.weight > self._max_weight:
                self._shrink()
            listeners = list(self._listeners)
        for listener in listeners:
            listener()

    def read(self, from_seq: int, limit: int = 256) -> list[LoggedEvent]:
        """At most `limit` events from number `from_seq` on; empty if there is none yet.

        Raises LadError: INVALID_STATE if these events have been dropped, INVALID_OPTION if the number is beyond the next event.
        """
        with self._lock:
            if from_seq > self.next_seq:
                raise invalid_option(
                    "fromSeq",
                    from_seq,
                    f"the run has {self.next_seq} events so far",
                    f"Ask from {self.next_seq} at most.",
                )
            if from_seq < self._oldest:
                raise LadError(
                    ErrorCode.INVALID_STATE,
                    f"fromSeq is {from_seq}: the worker no longer keeps this run's events before {self._oldest}.",
                    option="fromSeq",
                    value=from_seq,
                    remedy=f"Ask from {self._oldest} on.",
                )
            start = bisect.bisect_left(self._events, from_seq, key=lambda logged: logged.seq)
            return self._events[start : start + limit]

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Calls `listener` after every append, on the appending thread; returns a function that removes it."""
        with self._lock:
            self._listeners.append(listener)

        def forget() -> None:
            with self._lock:
                self._listeners.remove(listener)

        return forget

    def _shrink(self) -> None:
        """Shrinks to three quarters of the bound, so that it is rare: drops the oldest frames first, then the oldest events."""
        target = self._max_weight * 3 // 4
        for only_frames in (True, False):
            kept: list[LoggedEvent] = []
            for logged in self._events:
                is_last = logged.seq == self.next_seq - 1
                droppable = isinstance(logged.event, FrameEvent) or not only_frames
                if self.weight > target and droppable and not is_last:
                    self.weight -= _weight(logged.event)
                    if not only_frames:
                        self._oldest = logged.seq + 1
                else:
                    kept.append(logged)
            self._events = kept


def _weight(event: Any) -> int:
    if not isinstance(event, FrameEvent):
        return 10
    remembered = len(event.state.memory) if event.state else 0
    return 1 + len(event.edits) + len(event.answer) // 4 + remembered // 25
