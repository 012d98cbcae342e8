"""RunsService: following, pausing and cancelling runs; starting those of sampling to follow them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

from grpc import aio

from lad_runtime.engine.worker import Worker
from lad_runtime.gen.lad.v1 import runs_pb2 as pb
from lad_runtime.gen.lad.v1 import runs_pb2_grpc
from lad_runtime.server.calls.sampling_starts import SamplingStarts, write_started
from lad_runtime.server.calls.waiting import ended, follow
from lad_runtime.types.runs import LoggedEvent, RunInfo, RunSpecification
from lad_runtime.wire.codec import writer

_write_run = writer(RunInfo, pb.Run)
_write_specification = writer(RunSpecification, pb.GetRunSpecResponse)
_write_event = writer(LoggedEvent, pb.StreamEventsResponse)


class RunsService(runs_pb2_grpc.RunsServiceServicer):
    def __init__(self, worker: Worker, starts: SamplingStarts) -> None:
        self._runs = worker.runs
        self._resuming = worker.resuming
        self._starts = starts

    async def GetRun(self, request: pb.GetRunRequest, context: aio.ServicerContext) -> pb.GetRunResponse:
        return pb.GetRunResponse(run=_write_run(self._runs.get(request.run_id).info))

    async def GetRunSpec(
        self, request: pb.GetRunSpecRequest, context: aio.ServicerContext
    ) -> pb.GetRunSpecResponse:
        return _write_specification(await asyncio.to_thread(self._runs.specification, request.run_id))

    async def ListRuns(
        self, request: pb.ListRunsRequest, context: aio.ServicerContext
    ) -> pb.ListRunsResponse:
        return pb.ListRunsResponse(
            runs=[_write_run(info) for info in await asyncio.to_thread(self._runs.infos)]
        )

    async def CancelRun(
        self, request: pb.CancelRunRequest, context: aio.ServicerContext
    ) -> pb.CancelRunResponse:
        end = self._runs.cancel(request.run_id)
        if request.wait:
            await ended([end])
        run = self._runs.find(request.run_id)  # None if the run was cancelled before it began
        return pb.CancelRunResponse(run=_write_run(run.info) if run else None)

    async def PauseRun(
        self, request: pb.PauseRunRequest, context: aio.ServicerContext
    ) -> pb.PauseRunResponse:
        run = self._runs.get(request.run_id)
        run.pause()
        return pb.PauseRunResponse(run=_write_run(run.info))

    async def ResumeRun(
        self, request: pb.ResumeRunRequest, context: aio.ServicerContext
    ) -> pb.ResumeRunResponse:
        run = await asyncio.to_thread(self._resuming.resume, request.run_id)
        return pb.ResumeRunResponse(run=_write_run(run.info))

    async def DeleteRun(
        self, request: pb.DeleteRunRequest, context: aio.ServicerContext
    ) -> pb.DeleteRunResponse:
        await asyncio.to_thread(self._runs.delete, request.run_id)
        return pb.DeleteRunResponse()

    async def StreamEvents(
        self, request: pb.StreamEventsRequest, context: aio.ServicerContext
    ) -> AsyncIterator[pb.StreamEventsResponse]:
        log = self._runs.get(request.run_id).log
        async with aclosing(follow(log, request.from_seq)) as events:
            async for logged in events:
                yield _write_event(logged)

    async def Sample(
        self, request: pb.SampleRequest, context: aio.ServicerContext
    ) -> AsyncIterator[pb.SampleResponse]:
        run = await self._starts.start(request.start)
        yield pb.SampleResponse(started=write_started(run))
        async with aclosing(follow(run.log, 0)) as events:
            async for logged in events:
                yield pb.SampleResponse(event=_write_event(logged))
