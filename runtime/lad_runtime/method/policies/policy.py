"""The base classes of sampling policies.

After each forward, a denoising policy makes the next canvas in three steps: `schedule` gives the number of positions, `choose` the
positions, and `commit` writes the canvas.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field

import numpy as np

from lad_runtime.checks import check_whole
from lad_runtime.errors import invalid_option
from lad_runtime.method.answer_state import AnswerState, Sampled
from lad_runtime.method.choose import Bools
from lad_runtime.method.random import CanvasKey


@dataclass(frozen=True, kw_only=True)
class Policy:
    """A sampling policy; its fields are its options. Registered in `method/policy.py`."""

    kind: str = field(init=False)

    @property
    def guidance(self) -> float:
        """The scale of classifier-free guidance of its forwards; 0: no guidance."""
        return 0.0

    @property
    def needs_adapter(self) -> bool:
        """Whether it cannot sample the base alone."""
        return False

    def check_answer(self, answer_tokens: int, canvas_tokens: int) -> None:
        """Raises LadError(INVALID_OPTION) if the policy cannot write such an answer in canvases of `canvas_tokens`."""

    def check_attention(self, attention: str) -> None:
        """Raises LadError(INVALID_OPTION) if the policy cannot be used with this attention mode."""


@dataclass(frozen=True, kw_only=True)
class AnswerCanvas:
    """The facts about a canvas that a policy may use."""

    tokens: int  # answer positions when it is whole
    key: CanvasKey
    mask_token_id: int
    stop_token_ids: tuple[int, ...]
    pad_token_ids: tuple[
        int, ...
    ]  # that the adapter learnt to write behind an answer's end; none: stop tokens

    @property
    def tail_token_ids(self) -> tuple[int, ...]:
        """What stands from an answer's end on."""
        return (*self.stop_token_ids, *self.pad_token_ids)


class Denoising(ABC):
    """A policy on one canvas. Each method is a pure function of its arguments, the policy's options and the canvas."""

    @property
    @abstractmethod
    def iterations(self) -> int:
        """Forwards at most."""

    def temperature(self, iteration: int) -> float | None:
        """The temperature of this iteration's draws; None: the one that was asked for."""
        return None

    @abstractmethod
    def predicted(self, state: AnswerState, iteration: int) -> Bools:
        """Which positions are sampled; where there are none, the answer is done."""

    def finished(self, state: AnswerState, sampled: Sampled, iteration: int) -> bool:
        """Whether the answer is done as it was sampled now, although iterations are left."""
        return False

    @abstractmethod
    def schedule(self, state: AnswerState, sampled: Sampled, iteration: int, last: bool) -> int:
        """How many positions are chosen; `last`: no iteration follows."""

    @abstractmethod
    def choose(self, state: AnswerState, sampled: Sampled, count: int, iteration: int) -> Bools:
        """Which `count` positions."""

    @abstractmethod
    def commit(self, state: AnswerState, sampled: Sampled, chosen_N: Bools) -> AnswerState:
        """The next canvas."""


@dataclass(frozen=True, kw_only=True)
class DenoisingPolicy(Policy, ABC):
    """A policy that denoises canvases. All other policies write one token after another."""

    iterations: int

    def __post_init__(self) -> None:
        check_whole("policy.iterations", self.iterations, low=1, high=2**32 - 1)

    @property
    def settles(self) -> bool:
        """Whether sampling stops after three iterations with the same answer."""
        return False

    @property
    def changes_visible(self) -> bool:
        """Whether a token that stands in the canvas may still change; if not, those that it begins with are as pinned."""
        return True

    @property
    def uses_entropies(self) -> bool:
        """Whether its steps use `Sampled.entropies_N`."""
        return False

    @property
    def uses_standing(self) -> bool:
        """Whether its steps use `Sampled.standing_N`."""
        return False

    @property
    def growth(self) -> int:
        """The number of MASKs at first, and of those appended after each iteration; 0: the canvas has all positions at first."""
        return 0

    def final(self, state: AnswerState) -> Bools:
        """Where a token stands that no later iteration changes."""
        return ~state.masked_N if not self.changes_visible else np.zeros(len(state), dtype=np.bool_)

    @abstractmethod
    def denoising(self, canvas: AnswerCanvas) -> Denoising:
        """The policy on this canvas."""


@dataclass(frozen=True, kw_only=True)
class SettlingPolicy(DenoisingPolicy):
    """A policy that samples the whole answer in each iteration."""

    early_stop: bool  # when three consecutive iterations sample the same answer
    grow_tokens: int

    def __post_init__(self) -> None:
        super().__post_init__()
        check_whole("policy.growTokens", self.grow_tokens, low=0)

    @property
    def settles(self) -> bool:
        return self.early_stop

    @property
    def growth(self) -> int:
        return self.grow_tokens

    def check_answer(self, answer_tokens: int, canvas_tokens: int) -> None:
        if self.grow_tokens and canvas_tokens < answer_tokens:
            raise invalid_option(
                "policy.growTokens",
                self.grow_tokens,
                f"an answer that goes canvas by canvas (canvasTokens {canvas_tokens}) has canvases of fixed size",
                "Leave out growTokens or canvasTokens.",
            )
