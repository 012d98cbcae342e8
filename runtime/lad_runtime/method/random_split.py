"""Answers cut at a random place (docs/method.md §3): what is decided belongs to the causal past, and the canvas follows."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from lad_runtime.errors import invalid_option
from lad_runtime.method.prepared_example import PreparedExample
from lad_runtime.method.random import Purpose, uniforms

Context = Literal["prompt", "random-split"]
"""What stands before a canvas: the prompt, or the prompt with a beginning of the answer of random length."""

CONTEXTS: tuple[Context, ...] = ("prompt", "random-split")

_LANE = 2**32 - 1
"""Of the cut's number: the highest, which no noise has."""


@dataclass(frozen=True, kw_only=True)
class SplitExample(PreparedExample):
    """An example whose answer is what its canvas leaves open."""

    past: int  # tokens before the canvas, which begins with the last decided token

    @property
    def past_tokens(self) -> int:
        return self.past


def seen_in(
    example: PreparedExample, context: Context, *, seed: int, epoch: int, purpose: Purpose = Purpose.NOISE
) -> PreparedExample:
    """The example as a training run in this context sees it: a pure function of (seed, purpose, example id, epoch)."""
    if context == "prompt":
        return example
    (drawn,) = uniforms(seed, purpose, example.id, epoch, 1, _LANE)
    return split(example, float(drawn))


def split(example: PreparedExample, drawn: float) -> PreparedExample:
    """Cuts before token floor(drawn · n) of the answer's n tokens, its tail left out; `drawn` in [0, 1).

    Cut before the first one, it is the example as it is. Else the last decided token opens the canvas, visible, and neither noised
    nor supervised; those before it join the prompt.
    """
    answer = np.array(example.answer, dtype=np.bool_)
    content = np.flatnonzero(answer & ~np.array(example.tail, dtype=np.bool_))
    cut = int(drawn * len(content))
    if cut == 0:
        return example
    answer[: content[cut]] = False
    return SplitExample(
        id=example.id,
        ids=example.ids,
        answer=tuple(answer.tolist()),
        tail=example.tail,
        past=int(content[cut]) - 1,
    )


def check_context(context: Context, attention: str) -> None:
    """Raises INVALID_OPTION for a cut in an attention mode without a causal past."""
    if context == "random-split" and attention != "causal-prefix":
        raise invalid_option(
            "context",
            context,
            f"in {attention} attention no part of an answer belongs to a causal past",
            "Set attention to causal-prefix, or context to prompt.",
        )
