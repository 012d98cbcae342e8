"""The base and the adapter that are asked, on the worker."""

import atexit
import secrets
from contextlib import suppress

from lad_lm_eval.arguments import ModelArguments
from lad_lm_eval.connection import Connection, WorkerError
from lad_runtime.gen.lad.v1 import adapters_pb2, worker_pb2


class Resident:
    """A base, and the weights that an adapter has now: training that goes on meanwhile does not change what is asked."""

    def __init__(self, connection: Connection, arguments: ModelArguments) -> None:
        self._connection = connection
        adapter = self._adapter(arguments.adapter) if arguments.adapter else None
        self.base = self._base(arguments.base, adapter)
        if adapter is not None and adapter.base_id != self.base.id:
            raise ValueError(f"adapter is {arguments.adapter}: it is on another base than {arguments.base}.")
        self.claims = adapter.claims if adapter is not None and adapter.HasField("claims") else None
        self.adapter_id = self._frozen(arguments.adapter) if adapter is not None else ""

    def _adapter(self, adapter_id: str) -> worker_pb2.Adapter:
        request = adapters_pb2.GetAdapterRequest(adapter_id=adapter_id)
        return self._connection.call(self._connection.adapters.GetAdapter, request).adapter

    def _base(self, name: str, adapter: worker_pb2.Adapter | None) -> worker_pb2.Base:
        info = self._connection.call(self._connection.worker.GetInfo, worker_pb2.GetInfoRequest())
        if adapter is not None:
            own = next(base for base in info.bases if base.id == adapter.base_id)
            if not name or name in (own.name, own.id):
                return own
        found = [base for base in info.bases if name in (base.name, base.id)]
        return found[0] if found else self._loaded(name)

    def _loaded(self, name: str) -> worker_pb2.Base:
        request = worker_pb2.LoadBaseRequest(name=name)
        *_, last = self._connection.stream(self._connection.worker.LoadBase, request)
        return last.base

    def _frozen(self, adapter_id: str) -> str:
        """The id of a snapshot, which is dropped when this process ends. A snapshot is asked as it is."""
        snapshot_id = f"lm-eval-{secrets.token_hex(8)}"
        request = adapters_pb2.SnapshotAdapterRequest(adapter_id=adapter_id, snapshot_id=snapshot_id)
        try:
            self._connection.call(self._connection.adapters.SnapshotAdapter, request)
        except WorkerError as error:
            if "snapshot" in str(error):
                return adapter_id
            raise
        atexit.register(self._drop, snapshot_id)
        return snapshot_id

    def _drop(self, snapshot_id: str) -> None:
        with suppress(WorkerError, ValueError):  # the worker, or the channel to it, is gone already
            request = adapters_pb2.DropAdapterRequest(adapter_id=snapshot_id)
            self._connection.call(self._connection.adapters.DropAdapter, request)
