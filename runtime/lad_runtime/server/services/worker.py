"""WorkerService: the worker's versions, device and lease, and its bases."""

import asyncio
import os
import platform
from collections.abc import AsyncIterator
from functools import partial

from grpc import aio

from lad_runtime.engine.resident.entries import BaseEntry
from lad_runtime.engine.worker import Worker
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.gen.lad.v1 import worker_pb2 as pb
from lad_runtime.gen.lad.v1 import worker_pb2_grpc
from lad_runtime.method.noise import NOISES
from lad_runtime.method.policy import POLICIES
from lad_runtime.server.calls.threads import Shared, Threads
from lad_runtime.server.calls.waiting import ended
from lad_runtime.server.process.lease import Lease
from lad_runtime.types.adapters import AdapterInfo
from lad_runtime.types.bases import BaseInfo, BaseSpec, LoadProgress
from lad_runtime.version import BUILD_VERSION, PROTOCOL_VERSION
from lad_runtime.wire.codec import reader, writer

_PROGRESS_SECONDS = 0.1
_LOADING_THREADS = 8
_MOST_LOADING = 64

_read_base_spec = reader(pb.LoadBaseRequest, BaseSpec)
_write_progress = writer(LoadProgress, pb.LoadProgress)
_write_base = writer(BaseInfo, pb.Base)
_write_adapter = writer(AdapterInfo, pb.Adapter)


class WorkerService(worker_pb2_grpc.WorkerServiceServicer):
    def __init__(self, worker: Worker, lease: Lease) -> None:
        self._worker = worker
        self._lease = lease
        self._threads = Threads("loading", _LOADING_THREADS, _MOST_LOADING)

    async def Handshake(
        self, request: pb.HandshakeRequest, context: aio.ServicerContext
    ) -> pb.HandshakeResponse:
        if (request.protocol_version, request.build_version) != (PROTOCOL_VERSION, BUILD_VERSION):
            raise LadError(
                ErrorCode.VERSION_MISMATCH,
                f"The client speaks protocol {request.protocol_version} (build {request.build_version or 'unknown'}), "
                f"the worker protocol {PROTOCOL_VERSION} (build {BUILD_VERSION}).",
                option="buildVersion",
                value=request.build_version,
                remedy="Install the same version of lad on both sides.",
            )
        return pb.HandshakeResponse(
            protocol_version=PROTOCOL_VERSION, build_version=BUILD_VERSION, pid=os.getpid()
        )

    async def GetInfo(self, request: pb.GetInfoRequest, context: aio.ServicerContext) -> pb.GetInfoResponse:
        device = self._worker.backend.device()
        registry = self._worker.registry
        return pb.GetInfoResponse(
            device=device.kind,
            device_name=device.name,
            threads=device.threads,
            torch_version=device.torch_version,
            python_version=platform.python_version(),
            accounted_bytes=self._worker.memory.accounted_bytes,
            memory_bytes=device.memory_bytes,
            memory_budget_bytes=self._worker.memory.budget_bytes,
            offloaded_bytes=self._worker.memory.offloaded_bytes,
            bases=[_write_base(base.info) for base in registry.bases],
            adapters=[_write_adapter(adapter.info) for adapter in registry.adapters],
            policies=list(POLICIES),
            noises=list(NOISES),
        )

    async def Hold(
        self, request: pb.HoldRequest, context: aio.ServicerContext
    ) -> AsyncIterator[pb.HoldResponse]:
        with self._lease.held():
            yield pb.HoldResponse(lease_seconds=self._lease.seconds)
            await self._lease.ended()

    async def LoadBase(
        self, request: pb.LoadBaseRequest, context: aio.ServicerContext
    ) -> AsyncIterator[pb.LoadBaseResponse]:
        spec = _read_base_spec(request)
        told = None
        while True:
            with self._threads.shared(spec, partial(self._load, spec)) as loading:
                done = False
                while not done:
                    done = bool((await asyncio.wait([loading.task], timeout=_PROGRESS_SECONDS))[0])
                    if loading.told != told:
                        told = loading.told
                        yield pb.LoadBaseResponse(progress=_write_progress(told))
                if not loading.gave_up:
                    yield pb.LoadBaseResponse(base=_write_base(loading.task.result().info))
                    return

    def _load(self, spec: BaseSpec, shared: Shared[BaseEntry]) -> BaseEntry:
        def progress(now: LoadProgress) -> None:
            if shared.left():
                raise LadError(ErrorCode.CANCELLED, "Nobody waits for this base any more.")
            shared.told = now

        return self._worker.bases.load(spec, progress, lambda: not shared.left())

    async def UnloadBase(
        self, request: pb.UnloadBaseRequest, context: aio.ServicerContext
    ) -> pb.UnloadBaseResponse:
        users = self._worker.registry.users(request.base_id)
        await ended(self._worker.runs.ending(users))
        self._worker.bases.unload(request.base_id)
        return pb.UnloadBaseResponse()
