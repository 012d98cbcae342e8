"""Text, examples, and the token windows that they become."""

from collections.abc import Sequence
from dataclasses import dataclass

from lad_runtime.checks import check_choice
from lad_runtime.method.example import Example as Example
from lad_runtime.method.example import Message as Message
from lad_runtime.method.prepared_example import PreparedExample as PreparedExample
from lad_runtime.method.window_spec import CutExample as CutExample
from lad_runtime.method.window_spec import WindowReport as WindowReport
from lad_runtime.method.window_spec import WindowSpec as WindowSpec

EXAMPLE_FIELDS = ("system", "instruction", "input", "output", "messages", "id", "weight", "source")
"""What a row may have that training reads."""


@dataclass(frozen=True, kw_only=True)
class HubDataset:
    """A split of a data set on the hub. Empty: the default configuration or revision; `max_examples` 0: all."""

    name: str
    config: str
    split: str
    revision: str
    hub_token: str
    max_examples: int


@dataclass(frozen=True, kw_only=True)
class ReadColumn:
    """A column of other data that is read as a field of an example."""

    field: str
    column: str

    def __post_init__(self) -> None:
        check_choice("fields", self.field, EXAMPLE_FIELDS)


Prepared = tuple[Sequence[PreparedExample], WindowReport]
"""A data set's windows, and what became of its examples."""
