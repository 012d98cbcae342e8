"""Which weights a computation reads."""

from collections.abc import Callable

from lad_runtime.engine.backend import AnyBackend, ResidentAdapter
from lad_runtime.engine.residents import AdapterEntry
from lad_runtime.types import Work


def reading(
    backend: AnyBackend, adapter: AdapterEntry | None, make: Callable[[ResidentAdapter | None], Work]
) -> Work:
    """A work that reads one state of an adapter throughout: a snapshot is taken when it begins, if a run trains the adapter."""
    resident = adapter.resident if adapter else None
    if adapter is not None and adapter.trained_by:
        resident = backend.snapshot(adapter.resident)
    return (yield from make(resident))
