"""Where an answer ends: at a stop token, and before a stop string."""

from bisect import bisect_left
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from lad_runtime.method.choose import Bools

MAX_STOP_STRINGS = 16
MAX_STOP_CHARACTERS = 256


_PART_OF_A_LETTER = "\ufffd"

Decode = Callable[[Sequence[int]], str]


@dataclass(frozen=True, kw_only=True)
class FoundStop:
    """A stop string in a text: text[start:end]."""

    string: str
    start: int
    end: int


@dataclass(frozen=True, kw_only=True)
class CutAnswer:
    """An answer up to a stop string. The last token may go on with the beginning of the string, which the text lacks."""

    ids: tuple[int, ...]
    text: str
    stop: str | None  # None: it holds none


def end_of_answer(ids: Sequence[int], stop_token_ids: Collection[int]) -> int:
    """The position of the first stop token; `len(ids)` where there is none."""
    return next((position for position, token in enumerate(ids) if token in stop_token_ids), len(ids))


def first_stop(ids: Sequence[int], pinned: Bools | Sequence[bool], tail_token_ids: Collection[int]) -> int:
    """The first position where a stop token may be sampled: after the last pinned token of the answer's own, 0 without such a pin.

    `tail_token_ids` are the stop tokens and what fills the tail behind them.
    """
    held = [p for p, token in enumerate(ids) if pinned[p] and token not in tail_token_ids]
    return max(held, default=-1) + 1


def first_stop_string(text: str, stop: Sequence[str]) -> FoundStop | None:
    """Of all stop strings in the text the one that is complete first; of several that end there, the longest.

    What follows in the text changes nothing about it, so that an answer that is written on ends where the finished one does.
    """
    places = ((string, text.find(string)) for string in stop)
    found = [
        FoundStop(string=string, start=start, end=start + len(string))
        for string, start in places
        if start >= 0
    ]
    return min(found, key=lambda one: (one.end, one.start), default=None)


def holds_stop_string(ids: Sequence[int], stop: Sequence[str], decode: Decode) -> bool:
    """Whether a stop string stands in the text of an answer's first tokens, whatever follows them."""
    return bool(stop) and first_stop_string(whole_letters(decode(ids)), stop) is not None


def cut_at_stop(ids: Sequence[int], stop: Sequence[str], decode: Decode) -> CutAnswer:
    """An answer's text up to its first stop string, and the fewest of its tokens that hold that text."""
    text = decode(ids)
    found = first_stop_string(text, stop)
    if found is None:
        return CutAnswer(ids=tuple(ids), text=text, stop=None)
    kept = text[: found.start]
    count = bisect_left(range(len(ids)), True, key=lambda count: decode(ids[:count]).startswith(kept))
    return CutAnswer(ids=tuple(ids[:count]), text=kept, stop=found.string)


def whole_letters(text: str) -> str:
    """The text of an answer's first tokens without the letter at its end that further tokens may complete."""
    return text.rstrip(_PART_OF_A_LETTER)
