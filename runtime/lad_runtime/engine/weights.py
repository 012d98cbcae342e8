"""Which weights a computation reads."""

from collections.abc import Callable

from lad_runtime.engine.backend import ResidentAdapter
from lad_runtime.engine.memory import Memory
from lad_runtime.engine.residents import AdapterEntry
from lad_runtime.types import Work


def reading(
    memory: Memory, adapter: AdapterEntry | None, make: Callable[[ResidentAdapter | None], Work]
) -> Work:
    """A work that reads one state of an adapter throughout, that of the moment it begins."""
    if adapter is None or adapter.is_snapshot:
        return (yield from make(adapter.resident if adapter else None))
    return (yield from make(memory.snapshot(adapter)))
