"""A cache of data sets that are rendered and windowed for a base."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError

from lad_runtime.engine.backend import AnyBackend
from lad_runtime.engine.cancelling import cancelled_error, until
from lad_runtime.engine.data.datasets import DatasetStore
from lad_runtime.engine.resident.entries import BaseEntry
from lad_runtime.engine.scheduler.failures import typed_error
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.types.data import Prepared, WindowSpec

_KEPT = 8
Key = tuple[str, str, WindowSpec]


class PreparedData:
    """Prepares each (base, data set, window) once, even if several runs ask for it at the same time."""

    def __init__(self, backend: AnyBackend, store: DatasetStore) -> None:
        self._backend = backend
        self._store = store
        self._known: OrderedDict[Key, Future[Prepared]] = OrderedDict()
        self._lock = threading.Lock()

    def get(
        self,
        base: BaseEntry,
        dataset_id: str,
        window: WindowSpec,
        cancelled: Callable[[], bool] = lambda: False,
    ) -> Prepared:
        """The prepared examples and their report; blocks while it tokenises.

        Raises LadError: NOT_FOUND for the data set, INVALID_DATA if no example is left or one is too long under
        `tooLong: error`, CANCELLED.
        """
        key = (base.id, dataset_id, window)
        while True:
            with self._lock:
                mine: Future[Prepared] = Future()
                shared = self._known.setdefault(key, mine)
                self._known.move_to_end(key)
            if shared is mine:
                return self._fill(key, mine, base, cancelled)
            try:
                return _await(shared, cancelled)
            except LadError as error:
                # The caller that was preparing it was cancelled; this one was not, so it tries again.
                if error.code is not ErrorCode.CANCELLED or cancelled():
                    raise

    def known(self, base: BaseEntry, dataset_id: str, window: WindowSpec) -> Prepared | None:
        """The prepared data if it is in the cache, else None; never blocks."""
        key = (base.id, dataset_id, window)
        with self._lock:
            shared = self._known.get(key)
            if shared is None or not shared.done():
                return None
            self._known.move_to_end(key)
            return shared.result()

    def forget(self, base: BaseEntry) -> None:
        """Drops the data prepared for a base."""
        with self._lock:
            for key in [key for key in self._known if key[0] == base.id]:
                del self._known[key]

    def _fill(
        self, key: Key, future: "Future[Prepared]", base: BaseEntry, cancelled: Callable[[], bool]
    ) -> Prepared:
        try:
            prepared = self._prepare(base, key[1], key[2], cancelled)
        except BaseException as error:
            with self._lock:
                self._known.pop(key, None)
            future.set_exception(error)
            raise
        future.set_result(prepared)
        with self._lock:
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return prepared

    def _prepare(
        self, base: BaseEntry, dataset_id: str, window: WindowSpec, cancelled: Callable[[], bool]
    ) -> Prepared:
        examples = self._store.examples(dataset_id)
        try:
            return self._backend.prepare(base.resident, until(examples, cancelled), window)
        except Exception as error:
            raise typed_error(error, self._backend.describe) from None


def _await(future: "Future[Prepared]", cancelled: Callable[[], bool]) -> Prepared:
    while not cancelled():
        try:
            return future.result(timeout=0.1)
        except FutureTimeoutError:
            continue
    raise cancelled_error()
