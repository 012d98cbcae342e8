"""A run's log of numbered events, bounded in memory, for any number of followers; older ones are read where they are kept."""

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


Keep = Callable[[LoggedEvent, bool], None]
"""Keeps an event beyond this process; True: blocks until it is kept."""

Past = Callable[[int, int, int], list[LoggedEvent]]
"""The kept events from one number on and below another, at most so many."""


class EventLog:
    """A log whose writer never waits for readers. Beyond its bound it drops the oldest frames first, without an error: each
    frame holds the whole sampled answer, so a reader only misses steps of the animation. If the other events alone exceed the
    bound, it drops the oldest of them; they are read where they are kept, and if they are not, reading them raises an error.
    """

    def __init__(
        self, max_weight: int = _MAX_WEIGHT, *, first_seq: int = 0, past: Past | None = None
    ) -> None:
        """A log that goes on at `first_seq`: `past` has the events before."""
        self.next_seq = first_seq
        self.closed = False
        self._max_weight = max_weight
        self.weight = 0
        self._oldest = (
            first_seq  # events before this number may have been dropped, even if they are not frames
        )
        self._past = past
        self._keep: Keep | None = None
        self._events: list[LoggedEvent] = []
        self._listeners: list[Callable[[], None]] = []
        self._appending = threading.Lock()
        self._lock = threading.Lock()

    def keep_with(self, keep: Keep, past: Past) -> None:
        """Keeps what has been logged, and whatever is logged from now on."""
        with self._appending:
            for logged in self._events:
                keep(logged, False)
            self._keep, self._past = keep, past

    def append(self, event: Any, *, last: bool = False, at_once: bool = False, kept: bool = True) -> None:
        """Adds an event under the next number. `last` closes the log, which then ignores further events.

        `at_once`: it is kept before anybody can read it. `kept` False: it is not kept.
        """
        with self._appending:
            if self.closed:
                return
            logged = LoggedEvent(seq=self.next_seq, time=time.time(), event=event)
            if self._keep is not None and kept:
                self._keep(logged, at_once)
            with self._lock:
                self._events.append(logged)
                self.weight += _weight(event)
                self.next_seq += 1
                self.closed = last
                if self.weight > self._max_weight:
                    self._shrink()
                listeners = list(self._listeners)
        for listener in listeners:
            listener()

    def close(self) -> None:
        """Ends a log whose last event is kept."""
        self.closed = True

    def read(self, from_seq: int, limit: int = 256) -> list[LoggedEvent]:
        """At most `limit` events from number `from_seq` on; empty if there is none yet.

        Raises LadError: INVALID_STATE if these events have been dropped and are not kept, INVALID_OPTION if the number is beyond
        the next event.
        """
        while True:
            with self._lock:
                oldest = self._oldest
                if from_seq > self.next_seq:
                    raise invalid_option(
                        "fromSeq",
                        from_seq,
                        f"the run has {self.next_seq} events so far",
                        f"Ask from {self.next_seq} at most.",
                    )
                if from_seq >= oldest:
                    start = bisect.bisect_left(self._events, from_seq, key=lambda logged: logged.seq)
                    return self._events[start : start + limit]
            if self._past is None:
                raise LadError(
                    ErrorCode.INVALID_STATE,
                    f"fromSeq is {from_seq}: the worker no longer keeps this run's events before {oldest}.",
                    option="fromSeq",
                    value=from_seq,
                    remedy=f"Ask from {oldest} on.",
                )
            kept = self._past(from_seq, oldest, limit)
            if kept:
                return kept
            from_seq = oldest  # the numbers between are of events that are not kept, or were taken back

    def has_in_memory(self, seq: int) -> bool:
        """Whether reading from this number on does not read from a disk."""
        with self._lock:
            return seq >= self._oldest or self._past is None

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
