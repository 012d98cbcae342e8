"""How the tokens of a sequence attend to each other."""

from typing import Literal

AttentionMode = Literal["full", "causal", "prefix", "causal-prefix"]

"""How the tokens of a sequence attend (docs/method.md §1).

`full`: each to its whole sequence. `causal`: to itself and what precedes it. `prefix`: prompt tokens to the prompt, answer
tokens to everything. `causal-prefix`: the prompt runs through the unadapted causal base, answer tokens attend to it and to
each other.
"""

DenoisingAttention = Literal["full", "prefix", "causal-prefix"]

ATTENTION_MODES: tuple[AttentionMode, ...] = ("full", "causal", "prefix", "causal-prefix")

DENOISING_ATTENTION: tuple[DenoisingAttention, ...] = ("full", "prefix", "causal-prefix")
