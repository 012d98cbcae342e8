"""EvaluationService: likelihoods."""

from grpc import aio

from lad_runtime.engine.scheduler.job import Job
from lad_runtime.engine.worker import Worker
from lad_runtime.gen.lad.v1 import evaluation_pb2 as pb
from lad_runtime.gen.lad.v1 import evaluation_pb2_grpc
from lad_runtime.server.calls.computing import Computing
from lad_runtime.types.evaluation import Score, ScoreTask

_score = Computing(pb.ScoreRequest, ScoreTask, tuple[Score, ...], pb.ScoreResponse)


class EvaluationService(evaluation_pb2_grpc.EvaluationServiceServicer):
    def __init__(self, worker: Worker) -> None:
        self._evaluation = worker.evaluation

    async def Score(self, request: pb.ScoreRequest, context: aio.ServicerContext) -> pb.ScoreResponse:
        return await _score(request, self._submit)

    def _submit(self, base_id: str, adapter_id: str, task: ScoreTask) -> Job:
        return self._evaluation.score(base_id, adapter_id, task.items, task.mode)
