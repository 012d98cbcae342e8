"""Hides control tokens that a text writes out from a chat template and a tokenizer, so that they stay text."""

import re
import secrets
from collections.abc import Collection


class Literals:
    """Replaces the `controls` that a text writes out by stand-ins, and stand-ins by the text again.

    A stand-in is digits between tildes, which templates do not trim, escape or change in case. Some of the digits are random, so
    that no text contains it. There are two spellings of different length: a template that renders both in the same way has not
    changed them.
    """

    def __init__(self, controls: Collection[str]) -> None:
        self._texts = sorted(controls, key=lambda text: (-len(text), text))  # the longest is matched first
        self._numbers = {text: number for number, text in enumerate(self._texts)}
        self._written = re.compile("|".join(map(re.escape, self._texts)) or "(?!)")
        self._marks = _digits(8), _digits(10)
        numbers = "|".join(str(number) for number in range(len(self._texts))) or "(?!)"
        self._stand_in = re.compile(f"~({'|'.join(self._marks)})0({numbers})~")

    def count(self, text: str) -> int:
        """How many control tokens the text writes out."""
        return sum(1 for _ in self._written.finditer(text))

    def hide(self, text: str) -> str:
        """The text with a stand-in for each control token that it writes out."""
        return self._written.sub(lambda found: f"~{self._marks[0]}0{self._numbers[found[0]]}~", text)

    def is_in(self, text: str) -> bool:
        """Whether the text contains a stand-in."""
        return self._stand_in.search(text) is not None

    def reveal(self, text: str) -> str:
        """The text with its stand-ins replaced by what they stand for."""
        return self._stand_in.sub(lambda found: self._texts[int(found[2])], text)

    def respelled(self, text: str) -> str:
        """The text with every stand-in in its other spelling."""
        first, second = self._marks
        return self._stand_in.sub(
            lambda found: f"~{second if found[1] == first else first}0{found[2]}~", text
        )


def _digits(count: int) -> str:
    return "".join(str(1 + secrets.randbelow(9)) for _ in range(count))
