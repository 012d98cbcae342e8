"""Measures the device's throughput, to tell rejected callers when to try again."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

_SMOOTHING = 0.1  # weight of the newest batch
_SHORTEST_MS, _LONGEST_MS = 50, 30_000


class Throughput:
    """A moving average over batches of the seconds per token."""

    def __init__(self) -> None:
        self._seconds_per_token = 0.0

    @contextmanager
    def measured(self, tokens: int) -> Iterator[None]:
        """Times a batch of so many tokens; 0 is not counted."""
        started = time.monotonic()
        yield
        if tokens == 0:
            return
        now = (time.monotonic() - started) / tokens
        before = self._seconds_per_token or now
        self._seconds_per_token = before + _SMOOTHING * (now - before)

    def milliseconds(self, tokens: int) -> int:
        """The estimated time for so many tokens, limited to 50 ms to 30 s."""
        return round(min(max(1000 * tokens * self._seconds_per_token, _SHORTEST_MS), _LONGEST_MS))
