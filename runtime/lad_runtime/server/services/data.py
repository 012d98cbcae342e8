"""DataService: data sets and the text functions of a base."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from itertools import islice

from grpc import aio

from lad_runtime.engine.data.hub_data import hub_rows
from lad_runtime.engine.worker import Worker
from lad_runtime.errors import invalid_option
from lad_runtime.gen.lad.v1 import data_pb2 as pb
from lad_runtime.gen.lad.v1 import data_pb2_grpc
from lad_runtime.server.calls.preparing import Preparing
from lad_runtime.server.calls.threads import Threads
from lad_runtime.server.calls.waiting import whole
from lad_runtime.types.data import (
    HubDataset,
    Message,
    PreparedExample,
    ReadColumn,
    WindowReport,
    WindowSpec,
)
from lad_runtime.types.mixtures import MixtureReport, MixtureSpec
from lad_runtime.wire.codec import reader, writer

_STREAMED_AT_ONCE = 64
_OPENING_THREADS = 8
_MOST_OPENING = 64
_MIXING_THREADS = 2  # they share Python's interpreter lock with all other threads
_MOST_MIXING = 64

_read_column = reader(pb.ReadColumn, ReadColumn)
_read_hub_dataset = reader(pb.HubDataset, HubDataset)
_read_mixture = reader(pb.MixtureSpec, MixtureSpec)
_read_message = reader(pb.Message, Message)
_read_window = reader(pb.WindowSpec, WindowSpec)
_write_mixture_report = writer(MixtureReport, pb.MixtureReport)
_write_window_report = writer(WindowReport, pb.WindowReport)
_write_examples = writer(tuple[PreparedExample, ...], pb.StreamExamplesResponse)


class DataService(data_pb2_grpc.DataServiceServicer):
    def __init__(self, worker: Worker, preparing: Preparing) -> None:
        self._worker = worker
        self._preparing = preparing
        self._opening = Threads("opening", _OPENING_THREADS, _MOST_OPENING)
        self._mixing = Threads("mixing", _MIXING_THREADS, _MOST_MIXING)

    async def HasDataset(
        self, request: pb.HasDatasetRequest, context: aio.ServicerContext
    ) -> pb.HasDatasetResponse:
        count = await asyncio.to_thread(self._worker.datasets.count, request.dataset_id)
        return pb.HasDatasetResponse(found=count is not None, examples=count or 0)

    async def UploadDataset(
        self, request_iterator: AsyncIterator[pb.UploadDatasetRequest], context: aio.ServicerContext
    ) -> pb.UploadDatasetResponse:
        with self._worker.datasets.upload() as upload:
            async for piece in whole(request_iterator):
                await asyncio.to_thread(upload.write, piece.data)
            dataset_id, count = await asyncio.to_thread(upload.finish)
        return pb.UploadDatasetResponse(dataset_id=dataset_id, examples=count)

    async def OpenDataset(
        self, request: pb.OpenDatasetRequest, context: aio.ServicerContext
    ) -> pb.OpenDatasetResponse:
        store = self._worker.datasets
        source = request.WhichOneof("source")
        columns = tuple(map(_read_column, request.columns))
        if source == "path":
            open_it = partial(store.read_file, request.path, columns=columns)
        elif source == "hub":
            open_it = partial(store.read_hub, _read_hub_dataset(request.hub), columns=columns)
        else:
            raise invalid_option("data", "", "it names no source", "Give a path or a hub data set.")
        each = object()  # calls do not share a read: the source may have changed since another call began
        dataset_id, count = await self._opening.run(each, lambda shared: open_it(shared.left))
        return pb.OpenDatasetResponse(dataset_id=dataset_id, examples=count)

    async def MixDataset(
        self, request: pb.MixDatasetRequest, context: aio.ServicerContext
    ) -> pb.MixDatasetResponse:
        base = self._worker.registry.base(request.base_id) if request.base_id else None
        spec = _read_mixture(request.mixture)
        dataset_id, report = await self._mixing.run(
            (request.base_id, spec), lambda shared: self._worker.mixtures.mix(base, spec, shared.left)
        )
        return pb.MixDatasetResponse(dataset_id=dataset_id, report=_write_mixture_report(report))

    async def DownloadDataset(
        self, request: pb.DownloadDatasetRequest, context: aio.ServicerContext
    ) -> AsyncIterator[pb.DownloadDatasetResponse]:
        pieces = await asyncio.to_thread(self._worker.datasets.pieces, request.dataset_id)
        while piece := await asyncio.to_thread(next, pieces, b""):
            yield pb.DownloadDatasetResponse(data=piece)

    async def ReadHubRows(
        self, request: pb.ReadHubRowsRequest, context: aio.ServicerContext
    ) -> AsyncIterator[pb.ReadHubRowsResponse]:
        rows = hub_rows(_read_hub_dataset(request.hub))
        while some := await asyncio.to_thread(lambda: list(islice(rows, _STREAMED_AT_ONCE))):
            yield pb.ReadHubRowsResponse(rows=some)

    async def PrepareDataset(
        self, request: pb.PrepareDatasetRequest, context: aio.ServicerContext
    ) -> pb.PrepareDatasetResponse:
        base = self._worker.registry.base(request.base_id)
        window = _read_window(request.window)
        _, report = await self._preparing.get(base, request.dataset_id, window)
        return pb.PrepareDatasetResponse(report=_write_window_report(report))

    async def StreamExamples(
        self, request: pb.StreamExamplesRequest, context: aio.ServicerContext
    ) -> AsyncIterator[pb.StreamExamplesResponse]:
        base = self._worker.registry.base(request.base_id)
        window = _read_window(request.window)
        examples, _ = await self._preparing.get(base, request.dataset_id, window)
        end = min(len(examples), request.offset + request.limit) if request.limit else len(examples)
        for start in range(request.offset, end, _STREAMED_AT_ONCE):
            pieces = examples[start : min(end, start + _STREAMED_AT_ONCE)]
            yield _write_examples(pieces)

    async def Encode(self, request: pb.EncodeRequest, context: aio.ServicerContext) -> pb.EncodeResponse:
        results = await asyncio.to_thread(
            self._worker.bases.encode,
            request.base_id,
            list(request.texts),
            request.allow_special,
            request.add_special,
        )
        return pb.EncodeResponse(results=[pb.TokenIds(ids=ids) for ids in results])

    async def Decode(self, request: pb.DecodeRequest, context: aio.ServicerContext) -> pb.DecodeResponse:
        sequences = [tuple(sequence.ids) for sequence in request.sequences]
        texts = await asyncio.to_thread(
            self._worker.bases.decode, request.base_id, sequences, request.keep_special
        )
        return pb.DecodeResponse(texts=texts)

    async def Render(self, request: pb.RenderRequest, context: aio.ServicerContext) -> pb.RenderResponse:
        text, ids = await asyncio.to_thread(
            self._worker.bases.render,
            request.base_id,
            tuple(map(_read_message, request.messages)),
            request.add_generation_prompt,
            request.allow_special,
        )
        return pb.RenderResponse(text=text, ids=ids)
