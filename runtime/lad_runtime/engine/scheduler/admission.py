"""How much work the engine takes in before it sends callers away."""

from collections.abc import Sequence

from lad_runtime.engine.scheduler.throughput import Throughput
from lad_runtime.errors import ErrorCode, LadError

_MAX_JOBS = 16_384
_MAX_BATCHES = 2_048


class Admission:
    """Counts the pieces of work under way, and the tokens that they want computed at a time.

    Up to 16,384 are taken in, of up to 2,048 token budgets; whatever its size, one that comes while nothing is under way.
    """

    def __init__(self, token_budget: int) -> None:
        self.waiting_tokens = 0  # of the requests that were not in the last batch
        self.throughput = Throughput()
        self._most_tokens = _MAX_BATCHES * token_budget
        self._jobs = 0
        self._tokens = 0

    def take_in(self, tokens: Sequence[int]) -> None:
        """Counts a piece of work for each of the numbers. Raises LadError(BUSY), nothing counted."""
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
        """A piece of work of so many tokens has ended."""
        self._jobs -= 1
        self._tokens -= tokens
