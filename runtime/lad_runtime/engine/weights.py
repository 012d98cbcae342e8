"""Which weights a computation reads."""

from collections.abc import Callable
from functools import cache

from lad_runtime.engine.backend import AnyBackend, ResidentAdapter
from lad_runtime.engine.residents import AdapterEntry
from lad_runtime.types import Work

Weights = Callable[[], ResidentAdapter | None]
"""Weights that do not change: those of the moment of the first call, which is the engine thread's. None: the base's alone."""


def frozen(backend: AnyBackend, adapter: AdapterEntry | None) -> Weights:
    """An adapter's weights for works that are about to be submitted.

    They freeze when the first of the works begins. To have them frozen beforehand would take the engine's thread twice, with
    somebody else's micro-step between.
    """
    if adapter is None:
        return lambda: None
    resident = adapter.resident
    return (lambda: resident) if adapter.is_snapshot else cache(lambda: backend.snapshot(resident))


def reading(
    backend: AnyBackend, adapter: AdapterEntry | None, make: Callable[[ResidentAdapter | None], Work]
) -> Work:
    """A work that reads one state of an adapter throughout, that of the moment it begins."""
    return (yield from make(frozen(backend, adapter)()))
