"""Requests that read weights: which ones they see, and that these stay."""

import secrets
from collections.abc import Callable

from lad_runtime.engine.backend import ResidentAdapter
from lad_runtime.engine.memory.budget import Memory
from lad_runtime.engine.resident.entries import AdapterEntry, BaseEntry
from lad_runtime.engine.resident.registry import Registry
from lad_runtime.engine.scheduler.engine import Engine
from lad_runtime.engine.scheduler.job import Job
from lad_runtime.types.work import Work

Reading = Callable[[ResidentAdapter | None], Work]
"""Makes the work of a request, of the weights that it is given."""


class Readers:
    """Submits requests that read one state of an adapter throughout, that of the moment they begin, on a base that stays."""

    def __init__(self, engine: Engine, registry: Registry, memory: Memory) -> None:
        self._engine = engine
        self._registry = registry
        self._memory = memory

    def submit(
        self, kind: str, base: BaseEntry, adapter: AdapterEntry | None, make: Reading, *, tokens: int = 0
    ) -> Job:
        """`kind` names the request to who wants to unload the base meanwhile: `prediction`; `tokens` is about its size."""
        user = f"{kind}-{secrets.token_hex(6)}"
        self._registry.hold(base, user)
        try:
            job = self._engine.submit(self._reading(adapter, make), tenant=user, tokens=tokens)
        except BaseException:
            self._registry.release(base, user)
            raise
        job.future.add_done_callback(lambda _: self._registry.release(base, user))
        return job

    def _reading(self, adapter: AdapterEntry | None, make: Reading) -> Work:
        if adapter is None or adapter.is_snapshot:
            return (yield from make(adapter.resident if adapter else None))
        return (yield from make(self._memory.snapshot(adapter)))
