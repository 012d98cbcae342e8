"""One sequence of a batch: its tokens, who computes them, and how they attend."""

from dataclasses import dataclass

import torch
from torch import Tensor

from lad_runtime.errors import invalid_option
from lad_runtime.torch_backend.cache import KeyValueCache
from lad_runtime.torch_backend.lora import LoraAdapter
from lad_runtime.types import AttentionMode


@dataclass(frozen=True, kw_only=True)
class Segment:
    """With a cache, `ids` are the new tokens: positions go on from there, and they attend to what it holds.

    `dropout_seed` keys the adapter's dropout masks; None computes without dropout.
    """

    ids: Tensor  # [L] int64
    adapter: LoraAdapter | None = None
    mode: AttentionMode = "full"
    cache: KeyValueCache | None = None
    dropout_seed: int | None = None

    @property
    def begin(self) -> int:
        """Position of the first token."""
        return self.cache.length if self.cache else 0

    @property
    def end(self) -> int:
        """One more than the position of the last token."""
        return self.begin + len(self.ids)

    def check(self, *, vocab_size: int, max_positions: int) -> None:
        """Raises LadError where there are no tokens, or more than the model or the cache has room for, or unknown ones."""
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
        low, high = (int(bound) for bound in torch.aminmax(self.ids))
        if low < 0 or high >= vocab_size:
            problem = f"the vocabulary has ids 0 to {vocab_size - 1}"
            raise invalid_option(
                "tokens", low if low < 0 else high, problem, "Encode the text with this base."
            )
