"""TrainingService: training runs, and the primitives of a caller's own training loop."""

import secrets
from concurrent.futures import Future

from grpc import aio

from lad_runtime.engine.resident.numbered_calls import Call
from lad_runtime.engine.scheduler.job import Job
from lad_runtime.engine.worker import Worker
from lad_runtime.errors import invalid_option
from lad_runtime.gen.lad.v1 import data_pb2, training_pb2_grpc
from lad_runtime.gen.lad.v1 import training_pb2 as pb
from lad_runtime.method.loss_report import ExampleLosses
from lad_runtime.server.calls.creating import made, same_request, starting_threads
from lad_runtime.server.calls.preparing import Preparing
from lad_runtime.server.calls.threads import Threads
from lad_runtime.server.calls.waiting import ended, reply, reply_of
from lad_runtime.types.data import WindowReport
from lad_runtime.types.inspection import InspectDatasetRequest, Inspection
from lad_runtime.types.primitives import (
    ForwardBackwardResult,
    ForwardSpec,
    NoisedExamples,
    OptimStepResult,
    TargetedSequence,
    ValidateRequest,
)
from lad_runtime.types.training import OptimizerSpec, TrainingSpec
from lad_runtime.types.training_events import LossReport
from lad_runtime.wire.codec import reader, writer

_read_spec = reader(pb.TrainingSpec, TrainingSpec)
_read_forward = reader(pb.ForwardBackwardRequest, ForwardSpec)
_read_sequences = reader(pb.TargetedSequences, tuple[TargetedSequence, ...])
_read_examples = reader(pb.NoisedExamples, NoisedExamples)
_read_optimizer = reader(pb.OptimizerSpec, OptimizerSpec)
_read_inspection = reader(pb.InspectDatasetRequest, InspectDatasetRequest)
_read_validation = reader(pb.ValidateRequest, ValidateRequest)
_write_gradients = writer(ForwardBackwardResult, pb.ForwardBackwardResponse)
_write_step = writer(OptimStepResult, pb.OptimStepResponse)
_write_inspection = writer(Inspection, pb.InspectDatasetResponse)
_write_losses = writer(LossReport, pb.LossReport)
_write_examples = writer(ExampleLosses, pb.ExampleLosses)
_write_report = writer(WindowReport, data_pb2.WindowReport)

_INSPECTING_THREADS = 2  # they share Python's interpreter lock with all other threads
_MOST_INSPECTING = 64


class TrainingService(training_pb2_grpc.TrainingServiceServicer):
    """If its client disconnects, a numbered call continues for a while, so that the client may ask for the reply again. Any
    other call is cancelled."""

    def __init__(self, worker: Worker, preparing: Preparing) -> None:
        self._preparing = preparing
        self._inspections = worker.inspections
        self._inspecting = Threads("inspecting", _INSPECTING_THREADS, _MOST_INSPECTING)
        self._training = worker.training
        self._registry = worker.registry
        self._runs = worker.runs
        self._threads = starting_threads()
        self._primitives = worker.primitives

    async def StartTraining(
        self, request: pb.StartTrainingRequest, context: aio.ServicerContext
    ) -> pb.StartTrainingResponse:
        spec = _read_spec(request.spec)
        trainer = self._registry.trainer(request.adapter_id)
        if trainer != request.run_id:
            await ended(self._runs.ending([trainer]))

        def begin(run_id: str) -> "Future[str]":
            return self._threads.submit(lambda: self._training.start(request.adapter_id, spec, run_id).id)

        making = self._runs.starts.make("runId", request.run_id, same_request(request), begin, kind="run")
        run_id = await made(making)
        return pb.StartTrainingResponse(run_id=run_id)

    async def ForwardBackward(
        self, request: pb.ForwardBackwardRequest, context: aio.ServicerContext
    ) -> pb.ForwardBackwardResponse:
        examples: NoisedExamples | None = None

        def submit() -> Call:
            forward = _read_forward(request)
            given = examples or _read_sequences(request.sequences)
            return self._primitives.forward_backward(request.adapter_id, request.sequence, given, forward)

        if request.WhichOneof("input") is None:
            raise invalid_option(
                "sequences", "", "there is nothing to compute", "Give sequences, or examples and a noise."
            )
        if request.WhichOneof("input") == "examples":
            base = self._registry.trainable(request.adapter_id).base
            examples = _read_examples(request.examples)
            await self._preparing.get(base, examples.dataset_id, examples.window)
        return _write_gradients(await reply_of(submit))

    async def OptimStep(
        self, request: pb.OptimStepRequest, context: aio.ServicerContext
    ) -> pb.OptimStepResponse:
        call = self._primitives.optim_step(
            request.adapter_id,
            request.sequence,
            _read_optimizer(request.optimizer),
            request.learning_rate,
            request.max_gradient_norm,
        )
        return _write_step(await reply(call))

    async def Validate(
        self, request: pb.ValidateRequest, context: aio.ServicerContext
    ) -> pb.ValidateResponse:
        asked = _read_validation(request)
        base, _ = self._registry.weights(asked.base_id, asked.adapter_id)

        def submit() -> Job:
            return self._primitives.validate(
                asked.base_id,
                asked.adapter_id,
                asked.dataset_id,
                asked.window,
                asked.noise,
                asked.loss,
                asked.seed,
                asked.max_examples,
                asked.attention,
                asked.context,
                asked.canvas_tokens,
            )

        with self._registry.using(base, f"validation-{secrets.token_hex(6)}"):
            await self._preparing.get(base, asked.dataset_id, asked.window)
            losses, report, examples = await reply_of(submit)
        return pb.ValidateResponse(
            report=_write_losses(losses),
            window_report=_write_report(report),
            examples=_write_examples(examples) if asked.per_example else None,
        )

    async def InspectDataset(
        self, request: pb.InspectDatasetRequest, context: aio.ServicerContext
    ) -> pb.InspectDatasetResponse:
        asked = _read_inspection(request)
        base = self._registry.base(asked.base_id)
        inspection = await self._inspecting.run(
            asked, lambda shared: self._inspections.inspect(base, asked, shared.left)
        )
        return _write_inspection(inspection)
