"""A call that gives each of its parameters what a message or a value has for it, as one expression.

An expression that is compiled once costs what it would cost if it were written by hand; `dataclasses` makes its own functions so.
"""

from collections.abc import Iterable
from typing import Any

from lad_runtime.wire.conversion import Act, as_it_is


class Formula:
    def __init__(self, source: str) -> None:
        """`source` is what the message or the value is called in it."""
        self._source = source
        self._parts: dict[str, str] = {}
        self._acts: dict[str, Any] = {}

    @property
    def names(self) -> list[str]:
        return list(self._parts)

    def add(self, name: str, attribute: str, act: Act, unless: str | None = None) -> None:
        """`act` of the source's attribute; None where the condition on both (`{0}.{1}`) holds."""
        taken = f"{self._source}.{attribute}"
        part = taken if act is as_it_is else f"{self._named(act)}({taken})"
        condition = unless and unless.format(self._source, attribute)
        self._parts[name] = (
            f"{name}={part}" if condition is None else f"{name}=None if {condition} else {part}"
        )

    def add_of_whole(self, name: str, act: Act) -> None:
        self._parts[name] = f"{name}={self._named(act)}({self._source})"

    def add_several(self, attribute: str, act: Act) -> None:
        """`act` of the source's attribute gives parameters by their names."""
        self._parts[attribute] = f"**{self._named(act)}({self._source}.{attribute})"

    def filling(self, make: Any, names: Iterable[str]) -> Act:
        """Calls `make` with the parameters of these names."""
        parts = ", ".join(self._parts[name] for name in names)
        made: Act = eval(f"lambda {self._source}: make({parts})", {**self._acts, "make": make})
        return made

    def _named(self, act: Act) -> str:
        name = f"act_{len(self._acts)}"
        self._acts[name] = act
        return name
