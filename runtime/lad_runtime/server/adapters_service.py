"""AdaptersService: creating, copying, saving and dropping adapters."""

import asyncio
from collections.abc import AsyncIterator

from grpc import aio

from lad_runtime.engine.worker import Worker
from lad_runtime.errors import invalid_option
from lad_runtime.gen.lad.v1 import adapters_pb2 as pb
from lad_runtime.gen.lad.v1 import adapters_pb2_grpc
from lad_runtime.wire.worker import read_adapter_spec, write_adapter

_PIECE = 1 << 20
_MAX_FILES = 16
_MAX_BYTES = 8 << 30


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
        files = await asyncio.wrap_future(self._adapters.export(request.adapter_id))
        for name, data in files.items():
            for start in range(0, max(1, len(data)), _PIECE):
                piece = pb.FilePiece(name=name, data=data[start : start + _PIECE])
                yield pb.DownloadAdapterResponse(piece=piece)

    async def UploadAdapter(
        self, request_iterator: AsyncIterator[pb.UploadAdapterRequest], context: aio.ServicerContext
    ) -> pb.UploadAdapterResponse:
        base_id, files = "", dict[str, bytearray]()
        async for message in request_iterator:
            if message.WhichOneof("part") == "header":
                base_id = message.header.base_id
                self._worker.registry.base(base_id)
            else:
                files.setdefault(message.piece.name, bytearray()).extend(message.piece.data)
            if len(files) > _MAX_FILES or sum(map(len, files.values())) > _MAX_BYTES:
                raise invalid_option(
                    "files",
                    f"{len(files)} files",
                    "that is no adapter",
                    "Send adapter_config.json and its weights.",
                )
        taking_in = self._adapters.take_in(base_id, {name: bytes(data) for name, data in files.items()})
        entry = await asyncio.wrap_future(taking_in)
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
