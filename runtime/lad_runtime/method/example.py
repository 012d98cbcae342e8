"""Text to learn from."""

from dataclasses import dataclass
from typing import Literal

from lad_runtime.checks import check_choice


@dataclass(frozen=True, kw_only=True)
class Message:
    role: Literal["system", "user", "assistant"]
    content: str

    def __post_init__(self) -> None:
        check_choice("role", self.role, ("system", "user", "assistant"))


@dataclass(frozen=True, kw_only=True)
class Example:
    """One training or validation example. `id` keys its noise; it is the row number unless the data gives one."""

    id: int
    messages: tuple[Message, ...]
    source: str = ""  # where it comes from, for reports
    weight: float = 1.0  # how many times its loss counts; 0: not at all
