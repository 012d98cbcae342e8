"""One sequence as a loss takes it: what stands at each position, what is predicted there, with what weight."""

import math
from dataclasses import dataclass

from lad_runtime.checks import check_whole
from lad_runtime.errors import invalid_option

IGNORE_INDEX = -1
"""A target that supervises nothing."""


@dataclass(frozen=True, kw_only=True)
class TargetedSequence:
    """A target of IGNORE_INDEX supervises nothing. Weights are float32 values. In the attention modes `prefix` and
    `causal-prefix` the first `prompt_tokens` are the prompt.
    """

    ids: tuple[int, ...]
    targets: tuple[int, ...]
    weights: tuple[float, ...]
    prompt_tokens: int

    def __post_init__(self) -> None:
        check_whole("promptTokens", self.prompt_tokens, low=0, high=len(self.ids))
        for option, values in (("targets", self.targets), ("weights", self.weights)):
            if len(values) != len(self.ids):
                raise invalid_option(
                    option,
                    len(values),
                    f"a sequence of {len(self.ids)} ids needs as many",
                    "Give one for each id.",
                )
        if not self.ids:
            raise invalid_option("ids", [], "the sequence is empty", "Give at least one token.")
        if not all(map(math.isfinite, self.weights)):
            raise invalid_option("weights", "NaN or infinite", "they must be finite", "Give finite numbers.")
