"""What a recorded forward over a flat batch has fixed: everything but the tokens."""

import weakref
from dataclasses import dataclass

from lad_runtime.torch_backend.model.flat_batch import FlatBatch
from lad_runtime.torch_backend.model.kv_cache import KeyValueCache
from lad_runtime.torch_backend.model.layout import AdapterRows, Stack
from lad_runtime.torch_backend.model.lora import Storage


@dataclass(frozen=True, kw_only=True)
class RowsOfStorage:
    """The rows that one adapter's weights update. The `Storage` stands for their addresses; what lies there may change."""

    start: int
    stop: int
    storage: "weakref.ref[Storage]"

    @classmethod
    def of(cls, rows: AdapterRows) -> "RowsOfStorage":
        return cls(start=rows.start, stop=rows.stop, storage=weakref.ref(rows.adapter.storage))


@dataclass(frozen=True, kw_only=True)
class Sequences:
    """A stack: how many sequences up to which row, how they attend, and the keys and values that they see."""

    stop: int
    count: int
    causal: bool
    split: int
    past_tokens: int
    contexts: "tuple[weakref.ref[KeyValueCache], ...]"

    @classmethod
    def of(cls, stack: Stack) -> "Sequences":
        return cls(
            stop=stack.stop,
            count=stack.count,
            causal=stack.causal,
            split=stack.split,
            past_tokens=stack.past_tokens,
            contexts=tuple(map(weakref.ref, stack.contexts)),
        )


@dataclass(frozen=True, kw_only=True)
class RecordedLayout:
    """Equal for batches whose forwards launch the same kernels on the same addresses, given the same ids and positions' tensors.

    Weights and contexts are held weakly: a freed one equals no other, though its address may be taken again.
    """

    sequences: tuple[Sequences, ...]
    adapters: tuple[RowsOfStorage, ...]

    @classmethod
    def of(cls, batch: FlatBatch) -> "RecordedLayout | None":
        """None for a batch that is never met again: it fills caches, which are longer then, or draws dropout masks."""
        if any(segment.cache is not None for segment in batch.segments):
            return None
        if any(rows.dropout_seed is not None for rows in batch.adapters):
            return None
        return cls(
            sequences=tuple(map(Sequences.of, batch.stacks)),
            adapters=tuple(map(RowsOfStorage.of, batch.adapters)),
        )

    @property
    def rows(self) -> int:
        return self.sequences[-1].stop

    @property
    def is_alive(self) -> bool:
        """Whether it can be met again."""
        contexts = (context for part in self.sequences for context in part.contexts)
        return all(context() is not None for context in contexts) and all(
            rows.storage() is not None for rows in self.adapters
        )
