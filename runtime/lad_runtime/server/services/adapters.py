"""AdaptersService: creating, copying, saving and dropping adapters."""

import asyncio
from collections.abc import AsyncIterator, Hashable
from functools import partial

from google.protobuf.message import Message
from grpc import aio

from lad_runtime.engine.resident.creations import Begin, Making
from lad_runtime.engine.resident.entries import AdapterEntry
from lad_runtime.engine.worker import Worker
from lad_runtime.gen.lad.v1 import adapters_pb2 as pb
from lad_runtime.gen.lad.v1 import adapters_pb2_grpc, worker_pb2
from lad_runtime.server.calls.creating import made, same_request
from lad_runtime.server.calls.threads import Shared, Threads
from lad_runtime.server.calls.waiting import ended, entered, in_one_thread, outlasted, whole
from lad_runtime.types.adapters import AdapterInfo, AdapterSpec, MergeSpec, Pushed, PushSpec, StoredCheckpoint
from lad_runtime.wire.codec import reader, writer

_PIECE = 1 << 20
_PUSHING_THREADS = 4
_MOST_PUSHING = 32
_read_spec = reader(worker_pb2.AdapterSpec, AdapterSpec)
_read_merge = reader(pb.MergeAdapterRequest, MergeSpec)
_read_push = reader(pb.PushAdapterRequest, PushSpec)
_write_pushed = writer(Pushed, pb.PushAdapterResponse)
_write_adapter = writer(AdapterInfo, worker_pb2.Adapter)
_write_checkpoint = writer(StoredCheckpoint, pb.StoredCheckpoint)


class AdaptersService(adapters_pb2_grpc.AdaptersServiceServicer):
    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._adapters = worker.adapters
        self._pushing = Threads("pushing", _PUSHING_THREADS, _MOST_PUSHING)

    async def CreateAdapter(
        self, request: pb.CreateAdapterRequest, context: aio.ServicerContext
    ) -> pb.CreateAdapterResponse:
        spec = _read_spec(request.spec)
        making = self._making(
            request.adapter_id, request, lambda new_id: self._adapters.create(request.base_id, spec, new_id)
        )
        entry = await made(making)
        return pb.CreateAdapterResponse(adapter=_write_adapter(entry.info))

    async def GetAdapter(
        self, request: pb.GetAdapterRequest, context: aio.ServicerContext
    ) -> pb.GetAdapterResponse:
        entry = self._worker.registry.adapter(request.adapter_id)
        return pb.GetAdapterResponse(adapter=_write_adapter(entry.info))

    async def DropAdapter(
        self, request: pb.DropAdapterRequest, context: aio.ServicerContext
    ) -> pb.DropAdapterResponse:
        trainer = self._worker.registry.trainer(request.adapter_id)
        await ended(self._worker.runs.ending([trainer]))
        self._adapters.drop(request.adapter_id)
        return pb.DropAdapterResponse()

    async def SnapshotAdapter(
        self, request: pb.SnapshotAdapterRequest, context: aio.ServicerContext
    ) -> pb.SnapshotAdapterResponse:
        making = self._adapters.makings.make(
            "snapshotId",
            request.snapshot_id,
            same_request(request),
            lambda new_id: self._adapters.snapshot(request.adapter_id, new_id),
            kind="snapshot",
        )
        entry = await made(making)
        return pb.SnapshotAdapterResponse(snapshot=_write_adapter(entry.info))

    async def DownloadAdapter(
        self, request: pb.DownloadAdapterRequest, context: aio.ServicerContext
    ) -> AsyncIterator[pb.DownloadAdapterResponse]:
        async with entered(self._worker.transfers.folder) as folder:
            await outlasted(self._adapters.export(request.adapter_id, folder, with_card=request.with_card))
            for path in sorted(folder.iterdir()):
                with path.open("rb") as file:
                    while piece := await asyncio.to_thread(file.read, _PIECE):
                        yield pb.DownloadAdapterResponse(piece=pb.FilePiece(name=path.name, data=piece))

    async def MergeAdapter(
        self, request: pb.MergeAdapterRequest, context: aio.ServicerContext
    ) -> AsyncIterator[pb.MergeAdapterResponse]:
        merges, spec = self._worker.merges, _read_merge(request)
        async with entered(self._worker.transfers.folder) as folder:
            await outlasted(merges.export(request.adapter_id, folder))
            files = partial(merges.files, request.adapter_id, folder, spec)
            async with entered(files) as pieces, in_one_thread(pieces) as read:
                async for name, data in read:
                    yield pb.MergeAdapterResponse(piece=pb.FilePiece(name=name, data=data))

    async def PushAdapter(
        self, request: pb.PushAdapterRequest, context: aio.ServicerContext
    ) -> pb.PushAdapterResponse:
        spec = _read_push(request)

        def push(shared: Shared[Pushed]) -> Pushed:
            return self._worker.pushes.push(request.adapter_id, spec, shared.left)

        return _write_pushed(await self._pushing.run((request.adapter_id, spec), push))

    async def UploadAdapter(
        self, request_iterator: AsyncIterator[pb.UploadAdapterRequest], context: aio.ServicerContext
    ) -> pb.UploadAdapterResponse:
        requests = whole(request_iterator)
        header = (await anext(requests, pb.UploadAdapterRequest())).header
        sizes = [(file.name, file.bytes) for file in header.files]
        begin = partial(
            self._worker.uploads.begin, header.base_id, sizes, allow_other_base=header.allow_other_base
        )
        async with entered(begin) as upload:
            async for message in requests:
                await asyncio.to_thread(upload.write, message.piece.name, message.piece.data)
            await asyncio.to_thread(upload.finish)
            making = self._making(header.adapter_id, header, upload.take_in, content=upload.content)
            entry = await made(making)
        return pb.UploadAdapterResponse(adapter=_write_adapter(entry.info))

    async def SaveCheckpoint(
        self, request: pb.SaveCheckpointRequest, context: aio.ServicerContext
    ) -> pb.SaveCheckpointResponse:
        saving = self._adapters.save_checkpoint(request.adapter_id, request.name, overwrite=request.overwrite)
        digest = await asyncio.wrap_future(saving)
        return pb.SaveCheckpointResponse(digest=digest)

    async def LoadCheckpoint(
        self, request: pb.LoadCheckpointRequest, context: aio.ServicerContext
    ) -> pb.LoadCheckpointResponse:
        making = self._making(
            request.adapter_id,
            request,
            lambda new_id: self._adapters.load_checkpoint(request.base_id, request.name, new_id),
        )
        entry = await made(making)
        return pb.LoadCheckpointResponse(adapter=_write_adapter(entry.info))

    async def ListCheckpoints(
        self, request: pb.ListCheckpointsRequest, context: aio.ServicerContext
    ) -> pb.ListCheckpointsResponse:
        found = await asyncio.to_thread(self._adapters.checkpoints)
        return pb.ListCheckpointsResponse(checkpoints=[_write_checkpoint(each) for each in found])

    async def DeleteCheckpoint(
        self, request: pb.DeleteCheckpointRequest, context: aio.ServicerContext
    ) -> pb.DeleteCheckpointResponse:
        await asyncio.wrap_future(self._adapters.delete_checkpoint(request.name))
        return pb.DeleteCheckpointResponse()

    def _making(
        self, adapter_id: str, request: Message, begin: Begin[AdapterEntry], *, content: Hashable = None
    ) -> Making[AdapterEntry]:
        """`content` identifies what was sent in addition to the request."""
        same = (same_request(request), content)
        return self._adapters.makings.make("adapterId", adapter_id, same, begin, kind="adapter")
