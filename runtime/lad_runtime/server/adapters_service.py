"""AdaptersService: creating, copying, saving and dropping adapters."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

from grpc import aio

from lad_runtime.engine.worker import Worker
from lad_runtime.gen.lad.v1 import adapters_pb2 as pb
from lad_runtime.gen.lad.v1 import adapters_pb2_grpc
from lad_runtime.server.waiting import entered
from lad_runtime.wire.worker import read_adapter_spec, write_adapter

_PIECE = 1 << 20


class AdaptersService(adapters_pb2_grpc.AdaptersServiceServicer):
    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._adapters = worker.adapters

    async def CreateAdapter(
        self, request: pb.CreateAdapterRequest, context: aio.ServicerContext
    ) -> pb.CreateAdapterResponse:
        creating = self._adapters.create(request.base_id, read_adapter_spec(request.spec))
        entry = await asyncio.wrap_future(creating)
        return pb.CreateAdapterResponse(adapter=write_adapter(entry.info))

    async def GetAdapter(
        self, request: pb.GetAdapterRequest, context: aio.ServicerContext
    ) -> pb.GetAdapterResponse:
        entry = self._worker.registry.adapter(request.adapter_id)
        return pb.GetAdapterResponse(adapter=write_adapter(entry.info))

    async def DropAdapter(
        self, request: pb.DropAdapterRequest, context: aio.ServicerContext
    ) -> pb.DropAdapterResponse:
        self._adapters.drop(request.adapter_id)
        return pb.DropAdapterResponse()

    async def SnapshotAdapter(
        self, request: pb.SnapshotAdapterRequest, context: aio.ServicerContext
    ) -> pb.SnapshotAdapterResponse:
        entry = await asyncio.wrap_future(self._adapters.snapshot(request.adapter_id))
        return pb.SnapshotAdapterResponse(snapshot=write_adapter(entry.info))

    async def DownloadAdapter(
        self, request: pb.DownloadAdapterRequest, context: aio.ServicerContext
    ) -> AsyncIterator[pb.DownloadAdapterResponse]:
        async with entered(self._worker.transfers.folder) as folder:
            await asyncio.wrap_future(self._adapters.export(request.adapter_id, folder))
            for path in sorted(folder.iterdir()):
                with path.open("rb") as file:
                    while piece := await asyncio.to_thread(file.read, _PIECE):
                        yield pb.DownloadAdapterResponse(piece=pb.FilePiece(name=path.name, data=piece))

    async def UploadAdapter(
        self, request_iterator: AsyncIterator[pb.UploadAdapterRequest], context: aio.ServicerContext
    ) -> pb.UploadAdapterResponse:
        header = (await anext(request_iterator, pb.UploadAdapterRequest())).header
        sizes = [(file.name, file.bytes) for file in header.files]
        begin = partial(self._worker.uploads.begin, header.base_id, header.adapter_id, sizes)
        async with entered(begin) as upload:
            async for message in request_iterator:
                await asyncio.to_thread(upload.write, message.piece.name, message.piece.data)
            entry = await asyncio.wrap_future(await asyncio.to_thread(upload.finish))
        return pb.UploadAdapterResponse(adapter=write_adapter(entry.info))

    async def SaveCheckpoint(
        self, request: pb.SaveCheckpointRequest, context: aio.ServicerContext
    ) -> pb.SaveCheckpointResponse:
        digest = await asyncio.wrap_future(self._adapters.save_checkpoint(request.adapter_id, request.name))
        return pb.SaveCheckpointResponse(digest=digest)

    async def LoadCheckpoint(
        self, request: pb.LoadCheckpointRequest, context: aio.ServicerContext
    ) -> pb.LoadCheckpointResponse:
        entry = await asyncio.wrap_future(self._adapters.load_checkpoint(request.base_id, request.name))
        return pb.LoadCheckpointResponse(adapter=write_adapter(entry.info))
