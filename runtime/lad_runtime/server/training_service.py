"""TrainingService: runs, and the primitives."""

import secrets
from concurrent.futures import Future

from grpc import aio

from lad_runtime.engine.resident.numbered_calls import Call
from lad_runtime.engine.scheduler.job import Job
from lad_runtime.engine.worker import Worker
from lad_runtime.errors import invalid_option
from lad_runtime.gen.lad.v1 import training_pb2 as pb
from lad_runtime.gen.lad.v1 import training_pb2_grpc
from lad_runtime.server.making import made, same_request, starting_threads
from lad_runtime.server.preparing import Preparing
from lad_runtime.server.waiting import ended, reply, reply_of
from lad_runtime.types.primitives import ForwardSpec, NoisedExamples, TargetedSequence
from lad_runtime.wire.data import read_window, write_window_report
from lad_runtime.wire.enums import ATTENTION_MODE
from lad_runtime.wire.training import (
    read_loss,
    read_noise,
    read_noised_examples,
    read_optimizer,
    read_sequences,
    read_training_spec,
    write_forward_backward,
    write_loss_report,
)


class TrainingService(training_pb2_grpc.TrainingServiceServicer):
    """A numbered call goes on for a while when its client goes away, which may ask for the reply again; any other is cancelled."""

    def __init__(self, worker: Worker, preparing: Preparing) -> None:
        self._preparing = preparing
        self._training = worker.training
        self._registry = worker.registry
        self._runs = worker.runs
        self._threads = starting_threads()
        self._primitives = worker.primitives

    async def StartTraining(
        self, request: pb.StartTrainingRequest, context: aio.ServicerContext
    ) -> pb.StartTrainingResponse:
        spec = read_training_spec(request.spec)
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
        def submit() -> Call:
            forward = ForwardSpec(
                attention=ATTENTION_MODE.read(request.mode),
                micro_batch_tokens=request.micro_batch_tokens,
                gradient_checkpointing=request.gradient_checkpointing,
            )
            return self._primitives.forward_backward(
                request.adapter_id, request.sequence, _given(request), forward
            )

        if request.WhichOneof("input") == "examples":
            base, given = self._registry.trainable(request.adapter_id).base, request.examples
            await self._preparing.get(base, given.dataset_id, read_window(given.window))
        return write_forward_backward(await reply_of(submit))

    async def OptimStep(
        self, request: pb.OptimStepRequest, context: aio.ServicerContext
    ) -> pb.OptimStepResponse:
        call = self._primitives.optim_step(
            request.adapter_id,
            request.sequence,
            read_optimizer(request.optimizer),
            request.learning_rate,
            request.max_gradient_norm,
        )
        result = await reply(call)
        return pb.OptimStepResponse(gradient_norm=result.gradient_norm, step=result.step)

    async def Validate(
        self, request: pb.ValidateRequest, context: aio.ServicerContext
    ) -> pb.ValidateResponse:
        window, noise, loss = read_window(request.window), read_noise(request.noise), read_loss(request.loss)
        base, _ = self._registry.weights(request.base_id, request.adapter_id)

        def submit() -> Job:
            return self._primitives.validate(
                request.base_id,
                request.adapter_id,
                request.dataset_id,
                window,
                noise,
                loss,
                request.seed,
                request.max_examples,
                ATTENTION_MODE.read(request.attention),
            )

        with self._registry.using(base, f"validation-{secrets.token_hex(6)}"):
            await self._preparing.get(base, request.dataset_id, window)
            losses, report = await reply_of(submit)
        return pb.ValidateResponse(
            report=write_loss_report(losses), window_report=write_window_report(report)
        )


def _given(request: pb.ForwardBackwardRequest) -> tuple[TargetedSequence, ...] | NoisedExamples:
    kind = request.WhichOneof("input")
    if kind == "sequences":
        return read_sequences(request.sequences)
    if kind == "examples":
        return read_noised_examples(request.examples)
    raise invalid_option(
        "sequences", "", "there is nothing to compute", "Give sequences, or examples and a noise."
    )
