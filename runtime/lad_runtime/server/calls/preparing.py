"""Prepares data sets for calls, in threads of its own."""

from lad_runtime.engine.resident.entries import BaseEntry
from lad_runtime.engine.worker import Worker
from lad_runtime.server.calls.threads import Threads
from lad_runtime.types.data import Prepared, WindowSpec

_THREADS = 4  # they share Python's interpreter lock with all other threads
_MOST = 256


class Preparing:
    def __init__(self, worker: Worker) -> None:
        self._prepared = worker.prepared
        self._threads = Threads("preparing", _THREADS, _MOST)

    async def get(self, base: BaseEntry, dataset_id: str, window: WindowSpec) -> Prepared:
        """`PreparedData.get` without blocking the event loop; afterwards that call itself returns at once."""
        known = self._prepared.known(base, dataset_id, window)
        if known is not None:
            return known
        return await self._threads.run(
            (base.id, dataset_id, window),
            lambda shared: self._prepared.get(base, dataset_id, window, shared.left),
        )
