"""One sequence of a batch: its tokens, adapter and attention mode."""

from dataclasses import dataclass

from torch import Tensor

from lad_runtime.torch_backend.model.kv_cache import KeyValueCache
from lad_runtime.torch_backend.model.lora import LoraAdapter
from lad_runtime.types.attention import AttentionMode


@dataclass(frozen=True, kw_only=True)
class Segment:
    """New tokens of one sequence. Earlier tokens are in `cache`, to which the new ones are added, or in `context`, which is only
    read.

    The new tokens' positions continue from the earlier ones, to which they all attend. In the mode `prefix` the first
    `prompt_tokens` of `ids` attend to one another alone. `dropout_seed` keys the adapter's dropout masks; None: no dropout.
    Causal tokens `one_by_one` give, on the CPU, the bits that they would give in a forward each.
    """

    ids: Tensor  # [L] int64
    adapter: LoraAdapter | None = None
    mode: AttentionMode = "full"  # not causal-prefix: its prompt is the `context`
    prompt_tokens: int = 0
    cache: KeyValueCache | None = None
    context: KeyValueCache | None = None
    dropout_seed: int | None = None
    one_by_one: bool = False

    def __post_init__(self) -> None:
        assert self.mode != "causal-prefix", "a causal prompt comes as context"
        assert self.cache is None or self.context is None, "a cache holds the context too"
        assert self.context is None or self.mode == "full", "what follows a context attends to all of itself"
        assert not self.one_by_one or (self.mode == "causal" and self.cache), (
            "tokens follow one another on a cache"
        )
        assert 0 <= self.prompt_tokens <= len(self.ids), "a prompt is some of its tokens"

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

    def assert_computable(self, *, vocab_size: int, max_positions: int) -> None:
        """Its tokens are some of the vocabulary's, and as many as the model and its cache have room for.

        Callers' ids and lengths are checked where their task is made, against its base.
        """
        assert len(self.ids), "a sequence has at least one token"
        assert self.end <= max_positions, f"the model has {max_positions} positions"
        assert not self.cache or self.end <= self.cache.capacity, "the cache has room for its tokens"
        ids = self.ids.numpy()  # many times as fast as torch for the few ids that there are
        assert ids.min() >= 0 and ids.max() < vocab_size, f"the vocabulary has ids 0 to {vocab_size - 1}"
