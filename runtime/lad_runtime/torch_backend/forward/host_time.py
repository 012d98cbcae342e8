"""What works do on the engine's thread themselves, beside what they wish for, in slices between which others have their turn."""

from collections.abc import Generator

from lad_runtime.torch_backend.forward.requests import HostWish

SLICE_TOKENS = 4096
"""About what is made between two wishes. Twice the default micro-batch: what is made for one needs no turn of its own."""


class HostTime:
    """Counts the tokens of what a work has made or looked at since its last wish."""

    def __init__(self) -> None:
        self._tokens = 0

    def spend(self, tokens: int) -> Generator[HostWish, None, None]:
        """Work that waits for a turn where so many more tokens would make the slice too long."""
        if self._tokens and self._tokens + tokens > SLICE_TOKENS:
            yield HostWish(tokens=self._tokens)
            self._tokens = 0
        self._tokens += tokens

    def begin_anew(self) -> None:
        """After a wish."""
        self._tokens = 0
