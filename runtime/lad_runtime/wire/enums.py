"""Translates the protocol's enumerations to the words of `lad_runtime.types` and back.

`mask-only` is NOISE_KIND_MASK_ONLY; the value of an absent field (…_UNSPECIFIED) has no word.
"""

import re
from functools import cache
from typing import Any

from google.protobuf.descriptor import EnumDescriptor, EnumValueDescriptor

from lad_runtime.errors import LadError, invalid_option
from lad_runtime.wire.protocol import option_name, own_word


class Enumeration:
    def __init__(self, kind: EnumDescriptor) -> None:
        self._option = option_name(kind)
        words = {value.number: _word(kind, value) for value in kind.values}
        self._words = {number: word for number, word in words.items() if word is not None}
        self._numbers = {word: number for number, word in self._words.items()}

    @property
    def words(self) -> tuple[str, ...]:
        return tuple(self._words.values())

    def read(self, number: int) -> str:
        """Raises LadError(INVALID_OPTION) if the value is missing or of a newer protocol."""
        word = self._words.get(number)
        if word is None:
            raise unknown_choice(self._option, "missing" if number == 0 else int(number), self.words)
        return word

    def write(self, word: str) -> Any:
        return self._numbers[word]


@cache
def enumeration(kind: EnumDescriptor) -> Enumeration:
    return Enumeration(kind)


def unknown_choice(option: str, value: object, words: tuple[str, ...]) -> LadError:
    return invalid_option(option, value, "it is not a known value", f"Give one of {', '.join(words)}.")


def word_of(name: str) -> str:
    """`mask-only` for MASK_ONLY or mask_only."""
    return name.lower().replace("_", "-")


def _word(kind: EnumDescriptor, value: EnumValueDescriptor) -> str | None:
    prefix = re.sub(r"(?<!^)(?=[A-Z])", "_", kind.name).upper() + "_"
    name = value.name.removeprefix(prefix)
    return own_word(value) or (None if name == "UNSPECIFIED" else word_of(name))
