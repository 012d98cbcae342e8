"""SamplingService: sampling runs, and the primitive of a caller's own sampler."""

from concurrent.futures import Future

from grpc import aio

from lad_runtime.engine.worker import Worker
from lad_runtime.gen.lad.v1 import sampling_pb2 as pb
from lad_runtime.gen.lad.v1 import sampling_pb2_grpc
from lad_runtime.server.calls.computing import Computing
from lad_runtime.server.calls.creating import made, same_request, starting_threads
from lad_runtime.types.sampling import Prediction, PredictTask, SamplingSpec
from lad_runtime.wire.canvas import read_canvas
from lad_runtime.wire.codec import reader

_read_spec = reader(pb.SamplingSpec, SamplingSpec)
_predict = Computing(pb.PredictRequest, PredictTask, tuple[Prediction, ...], pb.PredictResponse)


class SamplingService(sampling_pb2_grpc.SamplingServiceServicer):
    def __init__(self, worker: Worker) -> None:
        self._sampling = worker.sampling
        self._tasks = worker.tasks
        self._runs = worker.runs
        self._threads = starting_threads()

    async def StartSampling(
        self, request: pb.StartSamplingRequest, context: aio.ServicerContext
    ) -> pb.StartSamplingResponse:
        def start(run_id: str) -> str:
            canvases = [read_canvas(canvas) for canvas in request.canvases]
            spec = _read_spec(request.spec)
            return self._sampling.start(request.base_id, request.adapter_id, canvases, spec, run_id).id

        def begin(run_id: str) -> "Future[str]":
            return self._threads.submit(start, run_id)

        making = self._runs.starts.make("runId", request.run_id, same_request(request), begin, kind="run")
        run_id = await made(making)
        return pb.StartSamplingResponse(run_id=run_id)

    async def Predict(self, request: pb.PredictRequest, context: aio.ServicerContext) -> pb.PredictResponse:
        return await _predict(request, self._tasks.submit)
