"""Divides a job's own computations on the engine's thread into slices, between which other jobs have their turns."""

from lad_runtime.torch_backend.forward.requests import HostRequest
from lad_runtime.types.work import Work, ask

SLICE_TOKENS = 4096
"""The approximate length of a slice. It is twice the default micro-batch, so that preparing one takes no turn of its own."""


class HostTime:
    """Counts the tokens that a job has prepared or examined since its last request."""

    def __init__(self) -> None:
        self._tokens = 0

    def spend(self, tokens: int) -> Work[None]:
        """Work that waits for a turn if so many more tokens would make the slice too long."""
        if self._tokens and self._tokens + tokens > SLICE_TOKENS:
            yield from ask(HostRequest(next_tokens=self._tokens))
            self._tokens = 0
        self._tokens += tokens

    def begin_anew(self) -> None:
        """Starts a new slice. Call it after a request."""
        self._tokens = 0
