"""One example as a base sees it: its window of token ids, and what each position is."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class PreparedExample:
    """Token ids of one example's window. `answer` marks the positions that are noised (tail included), `tail` the padding."""

    id: int
    ids: tuple[int, ...]
    answer: tuple[bool, ...]
    tail: tuple[bool, ...]
    weight: float = 1.0  # how many times its loss counts; 0: not at all

    @property
    def past_tokens(self) -> int:
        """How many tokens stand before the canvas."""
        return self.answer.index(True)
