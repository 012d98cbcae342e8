"""One sequence of a batch: its tokens, adapter and attention mode."""

from dataclasses import dataclass

import torch
from torch import Tensor

from lad_runtime.errors import invalid_option
from lad_runtime.torch_backend.model.kv_cache import KeyValueCache
from lad_runtime.torch_backend.model.lora import LoraAdapter
from lad_runtime.types.attention import AttentionMode


@dataclass(frozen=True, kw_only=True)
class Segment:
    """New tokens of one sequence. Earlier tokens are in `cache`, to which the new ones are added, or in `context`, which is only
    read.

    The new tokens' positions continue from the earlier ones, to which they all attend. In the mode `prefix` the first
    `prompt_tokens` of `ids` attend to one another alone. `dropout_seed` keys the adapter's dropout masks; None: no dropout.
    """

    ids: Tensor  # [L] int64
    adapter: LoraAdapter | None = None
    mode: AttentionMode = "full"  # not causal-prefix: its prompt is the `context`
    prompt_tokens: int = 0
    cache: KeyValueCache | None = None
    context: KeyValueCache | None = None
    dropout_seed: int | None = None

    def __post_init__(self) -> None:
        assert self.mode != "causal-prefix", "a causal prompt comes as context"
        assert self.cache is None or self.context is None, "a cache holds the context too"
        assert self.context is None or self.mode == "full", "what follows a context attends to all of itself"

    @property
    def begin(self) -> int:
        """Position of the first token."""
        past = self.cache or self.context
        return past.length if past else 0

    @property
    def end(self) -> int:
        """One more than the position of the last token."""
        return self.begin + len(self.ids)

    @property
    def split(self) -> int:
        """How many leading tokens see only one another; 0 if all tokens see all."""
        return self.prompt_tokens if self.mode == "prefix" and self.prompt_tokens < len(self.ids) else 0

    def check(self, *, vocab_size: int, max_positions: int) -> None:
        """Raises LadError if there are no tokens, more than the model or the cache can hold, or unknown ids."""
        if len(self.ids) == 0:
            raise invalid_option("tokens", [], "a sequence needs at least one", "Give at least one token id.")
        if self.end > max_positions:
            problem = f"the model has {max_positions} positions"
            raise invalid_option(
                "tokens", self.end, problem, "Give a shorter sequence or ask for fewer tokens."
            )
        if self.cache and self.end > self.cache.capacity:
            problem = f"the cache holds {self.cache.capacity} tokens"
            raise invalid_option("tokens", self.end, problem, "Make a larger cache.")
        if not 0 <= self.prompt_tokens <= len(self.ids):
            problem = f"the sequence has {len(self.ids)} tokens"
            raise invalid_option("promptTokens", self.prompt_tokens, problem, "Give no more than that.")
        low, high = (int(bound) for bound in torch.aminmax(self.ids))
        if low < 0 or high >= vocab_size:
            problem = f"the vocabulary has ids 0 to {vocab_size - 1}"
            raise invalid_option(
                "tokens", low if low < 0 else high, problem, "Encode the text with this base."
            )
