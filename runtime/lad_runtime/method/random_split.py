"""Answers cut at a random place (docs/method.md §3): what is decided belongs to the causal past, and the canvas follows."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from lad_runtime.checks import check_whole
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
    example: PreparedExample,
    context: Context,
    *,
    seed: int,
    epoch: int,
    purpose: Purpose = Purpose.NOISE,
    canvas_tokens: int = 0,
) -> PreparedExample:
    """The example as a training run in this context sees it: a pure function of (seed, purpose, example id, epoch).

    A canvas has at most `canvas_tokens` tokens of the answer, 0: all that follow the cut.
    """
    if context == "prompt":
        return example
    (drawn,) = uniforms(seed, purpose, example.id, epoch, 1, _LANE)
    return split(example, float(drawn), canvas_tokens)


def split(example: PreparedExample, drawn: float, canvas_tokens: int = 0) -> PreparedExample:
    """Cuts before token floor(drawn · n) of the answer's n tokens, its tail left out; `drawn` in [0, 1).

    Cut before the first one, it is the example as it is. Else the last decided token opens the canvas, visible, and neither noised
    nor supervised; those before it join the prompt. What is behind the canvas is left out.
    """
    answer = np.array(example.answer, dtype=np.bool_)
    content = np.flatnonzero(answer & ~np.array(example.tail, dtype=np.bool_))
    cut = int(drawn * len(content))
    begin = int(content[cut]) if len(content) else 0
    end = begin + canvas_tokens if canvas_tokens else len(answer)
    if cut:
        answer[:begin] = False
    elif end >= len(answer):
        return example
    kept = replace(
        example, ids=example.ids[:end], answer=tuple(answer[:end].tolist()), tail=example.tail[:end]
    )
    if cut == 0:
        return kept
    return SplitExample(
        id=kept.id,
        ids=kept.ids,
        answer=kept.answer,
        tail=kept.tail,
        weight=kept.weight,
        past=begin - 1,
    )


def check_split(context: Context, attention: str, canvas_tokens: int) -> None:
    """Raises INVALID_OPTION for a cut in an attention mode without a causal past, and for canvases of a size without a cut."""
    check_whole("canvasTokens", canvas_tokens, low=0, high=2**20)
    if canvas_tokens and context != "random-split":
        raise invalid_option(
            "canvasTokens",
            canvas_tokens,
            f"in {context} context a canvas has the whole answer",
            "Leave it out, or set context to random-split.",
        )
    check_context(context, attention)


def check_context(context: Context, attention: str) -> None:
    """Raises INVALID_OPTION for a cut in an attention mode without a causal past."""
    if context == "random-split" and attention != "causal-prefix":
        raise invalid_option(
            "context",
            context,
            f"in {attention} attention no part of an answer belongs to a causal past",
            "Set attention to causal-prefix, or context to prompt.",
        )
