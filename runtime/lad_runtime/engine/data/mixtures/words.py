"""The words of a text, for comparing texts that differ in case, punctuation and white space alone."""

import re
import unicodedata

from lad_runtime.types.data import Example

_WORD = re.compile(r"\w+")


def words_of(text: str) -> list[str]:
    """Letters, digits and underscores in runs, compatibility characters and case folded (NFKC)."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def prompt_words(example: Example) -> list[str]:
    """The words of what the user says."""
    return words_of("\n".join(turn.content for turn in example.messages if turn.role == "user"))


def all_words(example: Example) -> list[str]:
    """The words of all turns but the system message."""
    return words_of("\n".join(turn.content for turn in example.messages if turn.role != "system"))


def runs(words: list[str], length: int) -> list[str]:
    """All runs of so many consecutive words; of a shorter text, the whole."""
    if len(words) <= length:
        return [" ".join(words)]
    return [" ".join(words[start : start + length]) for start in range(len(words) - length + 1)]
