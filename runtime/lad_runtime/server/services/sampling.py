"""SamplingService: sampling runs, and the primitive of a caller's own sampler."""

from grpc import aio

from lad_runtime.engine.worker import Worker
from lad_runtime.gen.lad.v1 import sampling_pb2 as pb
from lad_runtime.gen.lad.v1 import sampling_pb2_grpc
from lad_runtime.server.calls.computing import Computing
from lad_runtime.server.calls.sampling_starts import SamplingStarts, write_started
from lad_runtime.types.sampling import Prediction, PredictTask

_predict = Computing(pb.PredictRequest, PredictTask, tuple[Prediction, ...], pb.PredictResponse)


class SamplingService(sampling_pb2_grpc.SamplingServiceServicer):
    def __init__(self, worker: Worker, starts: SamplingStarts) -> None:
        self._tasks = worker.tasks
        self._starts = starts

    async def StartSampling(
        self, request: pb.StartSamplingRequest, context: aio.ServicerContext
    ) -> pb.StartSamplingResponse:
        return write_started(await self._starts.start(request))

    async def Predict(self, request: pb.PredictRequest, context: aio.ServicerContext) -> pb.PredictResponse:
        return await _predict(request, self._tasks.submit)
