"""Counts the memory that this backend's bases and adapters hold; shared storage counts once."""

import threading
import weakref
from collections.abc import Iterable

from lad_runtime.torch_backend.adapters.trained_adapter import TrainedAdapter
from lad_runtime.torch_backend.forward.base import Base
from lad_runtime.torch_backend.model.lora import LoraAdapter, Storage
from lad_runtime.types.memory import HeldMemory


class Held:
    """The bases and adapters that are still referenced. Thread-safe: its methods read published numbers and no tensors.

    Weights count while anything references them: a job may still read a snapshot's weights after the snapshot is dropped.
    """

    def __init__(self) -> None:
        self._bases: weakref.WeakSet[Base] = weakref.WeakSet()
        self._adapters: weakref.WeakSet[TrainedAdapter] = weakref.WeakSet()
        self._weights: weakref.WeakSet[LoraAdapter] = weakref.WeakSet()
        self._lock = threading.Lock()

    def base(self, base: Base) -> Base:
        with self._lock:
            self._bases.add(base)
        return base

    def adapter(self, adapter: TrainedAdapter) -> TrainedAdapter:
        with self._lock:
            self._adapters.add(adapter)
            self._weights.add(adapter.adapter)
        return adapter

    @property
    def nbytes(self) -> int:
        return self.memory.nbytes

    @property
    def memory(self) -> HeldMemory:
        with self._lock:
            bases, adapters, weights = list(self._bases), list(self._adapters), list(self._weights)
        own = _storages(adapter.adapter for adapter in adapters if not adapter.is_snapshot)
        old = _storages(weights) - own
        trained = sum(adapter.state_nbytes for adapter in adapters)
        kept = sum(base.prompts.nbytes for base in bases)
        living = sum(base.model.caches.nbytes for base in bases)
        return HeldMemory(
            lasting=sum(base.info.nbytes for base in bases) + _nbytes(own) + trained,
            snapshots=_nbytes(old),
            caches=max(0, living - kept),
            kept=kept,
            reserved=sum(adapter.copy_nbytes for adapter in adapters),
        )

    def keep_prompts(self, nbytes: int) -> None:
        """Limits the cached prompts to `nbytes`, divided equally among the bases."""
        with self._lock:
            bases = list(self._bases)
        for base in bases:
            base.prompts.keep(nbytes // len(bases))

    def drop_replays(self) -> bool:
        """Gives back the memory of all bases' recorded forwards; whether there were any. For the thread that computes."""
        with self._lock:
            bases = list(self._bases)
        dropped = [base.model.replays.drop() for base in bases]
        return any(dropped)


def _storages(adapters: Iterable[LoraAdapter]) -> set[Storage]:
    return {adapter.storage for adapter in adapters}


def _nbytes(storages: Iterable[Storage]) -> int:
    return sum(storage.nbytes for storage in storages)
