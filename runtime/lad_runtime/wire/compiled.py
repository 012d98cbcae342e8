"""Compiles a call that takes each of its arguments from a message or a value.

A compiled expression is as fast as one written by hand; `dataclasses` generates its functions in the same way.
"""

from collections.abc import Iterable
from typing import Any

from lad_runtime.wire.conversion import Act, as_it_is


class Formula:
    def __init__(self, source: str) -> None:
        """`source` is the variable that the message or the value has in the expression."""
        self._source = source
        self._parts: dict[str, str] = {}
        self._acts: dict[str, Any] = {}

    @property
    def names(self) -> list[str]:
        return list(self._parts)

    def add(self, name: str, attribute: str, act: Act, unless: str | None = None) -> None:
        """Adds the argument act(source.attribute); None if the condition `unless` holds, in which {0}.{1} is the attribute."""
        taken = f"{self._source}.{attribute}"
        part = taken if act is as_it_is else f"{self._named(act)}({taken})"
        condition = unless and unless.format(self._source, attribute)
        self._parts[name] = (
            f"{name}={part}" if condition is None else f"{name}=None if {condition} else {part}"
        )

    def add_of_whole(self, name: str, act: Act) -> None:
        self._parts[name] = f"{name}={self._named(act)}({self._source})"

    def add_several(self, attribute: str, act: Act) -> None:
        """Adds the arguments of act(source.attribute), a dict by their names."""
        self._parts[attribute] = f"**{self._named(act)}({self._source}.{attribute})"

    def filling(self, make: Any, names: Iterable[str]) -> Act:
        """Compiles the call of `make` with the arguments of these names."""
        parts = ", ".join(self._parts[name] for name in names)
        made: Act = eval(f"lambda {self._source}: make({parts})", {**self._acts, "make": make})
        return made

    def _named(self, act: Act) -> str:
        name = f"act_{len(self._acts)}"
        self._acts[name] = act
        return name
