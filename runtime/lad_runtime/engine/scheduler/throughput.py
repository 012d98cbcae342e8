"""How fast the device computes, for telling who is refused when to try again."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

_SMOOTHING = 0.1  # weight of the newest batch
_SHORTEST_MS, _LONGEST_MS = 50, 30_000


class Throughput:
    """Seconds a token, as a moving average over batches."""

    def __init__(self) -> None:
        self._seconds_per_token = 0.0

    @contextmanager
    def measured(self, tokens: int) -> Iterator[None]:
        """Times a batch of so many tokens; 0 is none."""
        started = time.monotonic()
        yield
        if tokens == 0:
            return
        now = (time.monotonic() - started) / tokens
        before = self._seconds_per_token or now
        self._seconds_per_token = before + _SMOOTHING * (now - before)

    def milliseconds(self, tokens: int) -> int:
        """About how long so many tokens take, from 50 ms to 30 s."""
        return round(min(max(1000 * tokens * self._seconds_per_token, _SHORTEST_MS), _LONGEST_MS))
