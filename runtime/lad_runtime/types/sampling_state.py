"""An answer between two forwards, as plain numbers that outlast the run."""

from dataclasses import dataclass, replace
from typing import Literal

from lad_runtime.checks import check_choice, check_number, check_whole
from lad_runtime.errors import invalid_option
from lad_runtime.method.random import CanvasKey
from lad_runtime.types.limits import MAX_TOKENS

MAX_COUNT = 2**32 - 1
"""The most that a count can say, here and in the protocol."""

MAX_MEMORY = 4096
"""Numbers of a policy's memory beside one for each position, at most."""

CanvasStop = Literal["iterations", "settled"]
"""Why a canvas is done."""


@dataclass(frozen=True, kw_only=True)
class SamplingState:
    """An answer with all that the forwards to come depend on.

    Lists have an entry for each position from the answer's first on, up to the end of the canvas in hand. The first `finished`
    positions are of the canvases before it.
    """

    ids: tuple[int, ...]  # any token where masked
    masked: tuple[bool, ...]
    pinned: tuple[bool, ...]  # neither sampled, masked nor edited
    kept: tuple[bool, ...]  # retained from re-masking, or committed
    confidences: tuple[float, ...]  # of the tokens that stand there, float32 values; 0 where masked
    memory: tuple[int, ...]  # the policy's own
    sampled: tuple[int, ...]  # by the last forward, without what grew since; empty before the first
    same: int  # forwards in a row that sampled it
    iteration: int  # the next one's number in the canvas in hand
    stopped: CanvasStop | None  # None: the canvas in hand is not done
    finished: int
    finished_iterations: int  # of the canvases before
    forwards: int  # computed so far
    key: CanvasKey | None  # None: the canvas's own

    def __post_init__(self) -> None:
        count = len(self.ids)
        check_whole("from.ids", count, low=1, high=MAX_TOKENS)
        for name in ("masked", "pinned", "kept", "confidences"):
            _check_length(name, len(getattr(self, name)), count)
        if len(self.sampled) > count:
            _check_length("sampled", len(self.sampled), count)
        for confidence in self.confidences:
            check_number("from.confidences", confidence, low=0, high=1)
        _check_memory(self.memory, count)
        for name in ("same", "iteration", "finished_iterations", "forwards"):
            check_whole(f"from.{name}", getattr(self, name), low=0, high=MAX_COUNT)
        check_whole("from.finished", self.finished, low=0, high=count - 1)
        if self.stopped is not None:
            check_choice("from.stopped", self.stopped, ("iterations", "settled"))
        self._check_masks()

    @classmethod
    def all_masked(cls, count: int, mask_token_id: int) -> "SamplingState":
        """A canvas at its beginning."""
        none = (False,) * count
        return cls(
            ids=(mask_token_id,) * count,
            masked=(True,) * count,
            pinned=none,
            kept=none,
            confidences=(0.0,) * count,
            memory=(),
            sampled=(),
            same=0,
            iteration=0,
            stopped=None,
            finished=0,
            finished_iterations=0,
            forwards=0,
            key=None,
        )

    def masked_up_to(self, count: int, mask_token_id: int) -> "SamplingState":
        """A canvas at its beginning, with MASKs behind it up to `count` positions."""
        more = count - len(self.ids)
        none = (False,) * more
        return replace(
            self,
            ids=self.ids + (mask_token_id,) * more,
            masked=self.masked + (True,) * more,
            pinned=self.pinned + none,
            kept=self.kept + none,
            confidences=self.confidences + (0.0,) * more,
        )

    @property
    def in_hand(self) -> "SamplingState":
        """The state of the canvas in hand alone."""
        start = self.finished
        return replace(
            self,
            ids=self.ids[start:],
            masked=self.masked[start:],
            pinned=self.pinned[start:],
            kept=self.kept[start:],
            confidences=self.confidences[start:],
            sampled=self.sampled[start:],
            finished=0,
            finished_iterations=0,
            forwards=0,
        )

    def behind(self, ids: tuple[int, ...], pinned: tuple[bool, ...]) -> "SamplingState":
        """The same canvas with these finished tokens before it."""
        none = (False,) * len(ids)
        return replace(
            self,
            ids=ids + self.ids,
            masked=none + self.masked,
            pinned=pinned + self.pinned,
            kept=none + self.kept,
            confidences=(0.0,) * len(ids) + self.confidences,
            sampled=ids + self.sampled if self.sampled else (),
            finished=len(ids),
        )

    def _check_masks(self) -> None:
        for position, masked in enumerate(self.masked):
            if masked and (self.pinned[position] or position < self.finished):
                what = "pinned" if self.pinned[position] else "of a finished canvas"
                raise invalid_option(
                    "from.masked",
                    f"true at position {position}",
                    f"the position is {what}",
                    "Give a token for it, and false.",
                )


def _check_memory(memory: tuple[int, ...], count: int) -> None:
    for number in memory:
        check_whole("from.memory", number, low=0, high=MAX_COUNT)
    if len(memory) > count + MAX_MEMORY:
        raise invalid_option(
            "from.memory",
            f"{len(memory)} entries",
            f"a policy remembers {count + MAX_MEMORY} at most of an answer of {count} tokens",
            "Give it as the frame has it, or leave it out.",
        )


def _check_length(name: str, length: int, count: int) -> None:
    if length != count:
        raise invalid_option(
            f"from.{name}", f"{length} entries", f"from.ids has {count}", "Give one for each position."
        )
