"""Limits the engine's queue: rejects work beyond a number of jobs and tokens."""

from collections.abc import Sequence

from lad_runtime.engine.scheduler.throughput import Throughput
from lad_runtime.errors import ErrorCode, LadError

_MAX_JOBS = 16_384
_MAX_BATCHES = 2_048


class Admission:
    """Counts the unfinished jobs, and the tokens that they compute at a time.

    Admits up to 16,384 jobs with up to 2,048 token budgets in all. An idle engine admits a job of any size.
    """

    def __init__(self, token_budget: int) -> None:
        self.waiting_tokens = 0  # tokens of the requests that were not in the last batch
        self.throughput = Throughput()
        self._most_tokens = _MAX_BATCHES * token_budget
        self._jobs = 0
        self._tokens = 0

    def take_in(self, tokens: Sequence[int]) -> None:
        """Adds a job for each number of tokens. Raises LadError(BUSY) and adds none if they exceed the limit."""
        jobs, wanted = self._jobs + len(tokens), self._tokens + sum(tokens)
        if self._jobs and (jobs > _MAX_JOBS or wanted > self._most_tokens):
            raise LadError(
                ErrorCode.BUSY,
                f"{self._jobs} pieces of work of {self._tokens} tokens wait already; with {len(tokens)} more it would be {jobs} of "
                f"{wanted} tokens, and the worker takes in {_MAX_JOBS} of up to {self._most_tokens} tokens.",
                remedy="Try again when some have ended, or ask for fewer canvases at once.",
                retry_after_ms=self.throughput.milliseconds(self.waiting_tokens),
            )
        self._jobs, self._tokens = jobs, wanted

    def let_go(self, tokens: int) -> None:
        """Removes a job that has ended, of so many tokens."""
        self._jobs -= 1
        self._tokens -= tokens
