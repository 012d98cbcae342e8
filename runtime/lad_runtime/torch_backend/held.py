"""What this backend's bases and adapters hold: counted on the tensors themselves, storage that is shared once."""

import threading
import weakref
from collections.abc import Iterator

from torch import Tensor

from lad_runtime.torch_backend.bases import Base
from lad_runtime.torch_backend.trained_adapter import TrainedAdapter
from lad_runtime.types import HeldMemory


class Held:
    """Everything made here that still lives. Its methods may be called from any thread."""

    def __init__(self) -> None:
        self._bases: weakref.WeakSet[Base] = weakref.WeakSet()
        self._adapters: weakref.WeakSet[TrainedAdapter] = weakref.WeakSet()
        self._lock = threading.Lock()

    def base(self, base: Base) -> Base:
        with self._lock:
            self._bases.add(base)
        return base

    def adapter(self, adapter: TrainedAdapter) -> TrainedAdapter:
        with self._lock:
            self._adapters.add(adapter)
        return adapter

    @property
    def nbytes(self) -> int:
        return self.memory.nbytes

    @property
    def memory(self) -> HeldMemory:
        with self._lock:
            bases, adapters = list(self._bases), list(self._adapters)
        storages = {t.untyped_storage().data_ptr(): t.untyped_storage().nbytes() for t in _tensors(adapters)}
        optimizers = sum(adapter.optimizer_nbytes for adapter in adapters)
        return HeldMemory(
            lasting=sum(base.info.nbytes for base in bases) + sum(storages.values()) + optimizers,
            kept=sum(base.prompts.nbytes for base in bases),
        )

    def keep_prompts(self, nbytes: int) -> None:
        """Divides what prompts may take equally between the bases."""
        with self._lock:
            bases = list(self._bases)
        for base in bases:
            base.prompts.keep(nbytes // len(bases))


def _tensors(adapters: list[TrainedAdapter]) -> Iterator[Tensor]:
    for adapter in adapters:
        for parameter in adapter.parameters.values():
            yield parameter
            gradient = parameter.grad
            if gradient is not None:
                yield gradient
