"""What works do on the engine's thread themselves, beside what they ask for, in slices between which others have their turn."""

from lad_runtime.torch_backend.forward.requests import HostRequest
from lad_runtime.types.work import Work, ask

SLICE_TOKENS = 4096
"""About what is made between two requests. Twice the default micro-batch: what is made for one needs no turn of its own."""


class HostTime:
    """Counts the tokens of what a work has made or looked at since its last request."""

    def __init__(self) -> None:
        self._tokens = 0

    def spend(self, tokens: int) -> Work[None]:
        """Work that waits for a turn where so many more tokens would make the slice too long."""
        if self._tokens and self._tokens + tokens > SLICE_TOKENS:
            yield from ask(HostRequest(next_tokens=self._tokens))
            self._tokens = 0
        self._tokens += tokens

    def begin_anew(self) -> None:
        """After a request."""
        self._tokens = 0
