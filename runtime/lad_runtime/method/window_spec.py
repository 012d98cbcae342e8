"""How examples become token windows, and what became of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from lad_runtime.checks import MAX_TOKENS, check_choice, check_whole
from lad_runtime.method.example import Example


@dataclass(frozen=True, kw_only=True)
class WindowSpec:
    """How examples become token windows (docs/method.md §2). `window` in tokens, prompt and answer and tail together."""

    window: int
    pad_to_window: bool  # fill up to the window; the tail is visible and part of the answer
    too_long: Literal["drop", "truncate", "error"]
    max_prompt_tokens: int  # 0: no limit of its own
    supervise: Literal["last", "all-assistant"]
    allow_special: bool  # control tokens that a message writes out are those tokens, not text
    pad_tokens: tuple[str, ...]  # what fills the tail in turn, each exactly one token; none: EOS

    def __post_init__(self) -> None:
        check_whole("windowTokens", self.window, low=2, high=MAX_TOKENS)
        check_choice("tooLong", self.too_long, ("drop", "truncate", "error"))
        check_whole("maxPromptTokens", self.max_prompt_tokens, low=0, high=MAX_TOKENS)
        check_choice("superviseTurns", self.supervise, ("last", "all-assistant"))

    @property
    def padding(self) -> tuple[str, ...]:
        """What fills the tails in turn; none: EOS, or there are no tails."""
        return self.pad_tokens if self.pad_to_window else ()


@dataclass(frozen=True, kw_only=True)
class WindowReport:
    """What became of a data set's examples; nothing is dropped or cut without being counted here."""

    examples: int
    kept: int
    dropped: int
    truncated: int
    prompt_tokens: int
    answer_tokens: int  # the token that ends an answer included, the tail not
    tail_tokens: int
    special_tokens: int = 0  # that messages write out
    mask_tokens: int = 0  # in the answers' own text, where the mask is ordinary text
    end_token: str = ""  # that each answer ends with, and without pad tokens, its tail is made of
    end_token_id: int = 0


@dataclass(frozen=True, kw_only=True)
class CutExample:
    """One example on its way to a window: its lengths before it is cut, and its tokens after, without the tail."""

    example: Example
    tokens: int  # of the whole example
    prompt_tokens: int  # of them, before the last answer
    fits: bool
    ids: Sequence[int]  # none if it is dropped
    answer: Sequence[bool]  # for each id
    padding: Sequence[int]  # token ids that fill its tail, in turn
    special_tokens: int  # that its messages write out
    mask_tokens: int  # in its answers' own text, where the mask is ordinary text

    @property
    def is_dropped(self) -> bool:
        return not self.ids
