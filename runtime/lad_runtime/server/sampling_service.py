"""SamplingService and EvaluationService: sampling runs, single forwards, likelihoods."""

from concurrent.futures import Future

from grpc import aio

from lad_runtime.engine.scheduler.job import Job
from lad_runtime.engine.worker import Worker
from lad_runtime.gen.lad.v1 import evaluation_pb2, evaluation_pb2_grpc, sampling_pb2_grpc
from lad_runtime.gen.lad.v1 import sampling_pb2 as pb
from lad_runtime.server.making import made, same_request, starting_threads
from lad_runtime.server.waiting import reply_of
from lad_runtime.types.evaluation import ScoreTask
from lad_runtime.types.sampling import PredictTask
from lad_runtime.wire.enums import ATTENTION_MODE
from lad_runtime.wire.sampling import (
    read_canvas,
    read_predict_canvas,
    read_predict_spec,
    read_sampling_spec,
    read_score_item,
    write_prediction,
    write_score,
)


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
            spec = read_sampling_spec(request.spec)
            return self._sampling.start(request.base_id, request.adapter_id, canvases, spec, run_id).id

        def begin(run_id: str) -> "Future[str]":
            return self._threads.submit(start, run_id)

        making = self._runs.starts.make("runId", request.run_id, same_request(request), begin, kind="run")
        run_id = await made(making)
        return pb.StartSamplingResponse(run_id=run_id)

    async def Predict(self, request: pb.PredictRequest, context: aio.ServicerContext) -> pb.PredictResponse:
        def submit() -> Job:
            canvases = tuple(read_predict_canvas(canvas) for canvas in request.canvases)
            task = PredictTask(canvases=canvases, spec=read_predict_spec(request.spec))
            return self._tasks.submit(request.base_id, request.adapter_id, task)

        return pb.PredictResponse(predictions=map(write_prediction, await reply_of(submit)))


class EvaluationService(evaluation_pb2_grpc.EvaluationServiceServicer):
    def __init__(self, worker: Worker) -> None:
        self._tasks = worker.tasks

    async def Score(
        self, request: evaluation_pb2.ScoreRequest, context: aio.ServicerContext
    ) -> evaluation_pb2.ScoreResponse:
        def submit() -> Job:
            items = tuple(read_score_item(item) for item in request.items)
            task = ScoreTask(items=items, mode=ATTENTION_MODE.read(request.mode))
            return self._tasks.submit(request.base_id, request.adapter_id, task)

        return evaluation_pb2.ScoreResponse(scores=map(write_score, await reply_of(submit)))
