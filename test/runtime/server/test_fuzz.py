"""Requests of random bytes and random values, for every method: whatever is wrong with them has a typed error."""

import asyncio
import random
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import FieldDescriptor, MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc import aio

import test_worker_process
from lad_runtime.gen.lad.v1 import (
    adapters_pb2,
    data_pb2,
    evaluation_pb2,
    sampling_pb2,
    training_pb2,
    worker_pb2,
)
from lad_runtime.wire.protocol import METHODS
from test_server import HEADERS, Client
from test_wire import CAUSAL, DRAW, LOSS, NOISE, OPTIMIZER, refining, training_spec
from test_worker_process import LINES, worker

REMOVING = ("DropAdapter", "UnloadBase")  # what the others need
TRIES = 24
WINDOW = data_pb2.WindowSpec(window=24, pad_to_window=True, too_long=1, supervise=1)

TEXTS = [
    "",
    "x",
    "..",
    "/",
    "/proc/self/mem",
    "/dev/zero",
    "a\0b",
    "é\U0001f600",
    "user",
    "q_proj",
    "{{ x }}",
]
NUMBERS = [0, 1, 2, 3, 7, 64, 255, 2**16, 2**31 - 1, 2**31, 2**32 - 1, 2**63, 2**64 - 1]
FLOATS = [0.0, -0.0, 1.0, 0.5, -1.0, 1e-300, 1e300, float("inf"), float("-inf"), float("nan")]
MOST = {FieldDescriptor.TYPE_UINT32: 2**32, FieldDescriptor.TYPE_SINT32: 2**31}


class Fuzz:
    """Requests that are sound but for one or two values, requests of random values, and random bytes."""

    def __init__(self, seed: int, sound: dict[str, Message], ids: list[str]) -> None:
        self._random = random.Random(seed)
        self._sound = sound
        self._ids = ids

    def request(self, method: MethodDescriptor, number: int) -> bytes:
        if number % 8 == 0:
            return self._random.randbytes(self._random.randrange(200))
        made = GetMessageClass(method.input_type)()
        sound = self._sound.get(method.name)
        if sound is None or number % 8 == 1:
            self._fill(made)
            return made.SerializeToString()
        made.CopyFrom(sound)
        for _ in range(self._random.randrange(3)):
            self._change(made)
        return made.SerializeToString()

    def _fill(self, made: Any) -> None:
        for field in made.DESCRIPTOR.fields:
            if self._random.random() < 0.75:
                self._set(made, field)

    def _change(self, made: Any) -> None:
        """One value somewhere in the message: another, one more, or none; nothing where it has no fields."""
        if not made.DESCRIPTOR.fields:
            return
        field = self._random.choice(made.DESCRIPTOR.fields)
        present = list(getattr(made, field.name)) if field.is_repeated else [getattr(made, field.name)]
        if field.message_type is not None and present and self._random.random() < 0.8:
            self._change(self._random.choice(present))
        elif self._random.random() < 0.2:
            made.ClearField(field.name)
        else:
            self._set(made, field)

    def _set(self, made: Any, field: FieldDescriptor) -> None:
        if field.message_type is not None:
            for _ in range(self._random.randrange(3) if field.is_repeated else 1):
                part = getattr(made, field.name)
                part = part.add() if field.is_repeated else part
                self._fill(part)
                part.SetInParent()
        elif field.is_repeated:
            getattr(made, field.name).extend(self._value(field) for _ in range(self._random.randrange(6)))
        else:
            setattr(made, field.name, self._value(field))

    def _value(self, field: FieldDescriptor) -> Any:
        pick = self._random.choice
        if field.type == FieldDescriptor.TYPE_STRING:
            return pick(self._ids if field.name.endswith("_id") else TEXTS)
        if field.type == FieldDescriptor.TYPE_BYTES:
            return self._random.randbytes(self._random.randrange(17))
        if field.type in (FieldDescriptor.TYPE_DOUBLE, FieldDescriptor.TYPE_FLOAT):
            return pick(FLOATS)
        if field.type == FieldDescriptor.TYPE_BOOL:
            return pick([False, True])
        if field.type == FieldDescriptor.TYPE_ENUM:
            return pick([value.number for value in field.enum_type.values])
        return pick([number for number in NUMBERS if number < MOST.get(field.type, 2**64)])


def sound_requests(base_id: str, adapter_id: str, dataset_id: str) -> dict[str, Message]:
    """What a worker computes within moments, by method."""
    prepared = {"dataset_id": dataset_id, "window": WINDOW}
    data = {**prepared, "base_id": base_id}
    noised = {**prepared, "noise": NOISE, "loss": LOSS, "context": 1}
    tokens = data_pb2.TokenIds(ids=[1, 2, 3])
    chat = [data_pb2.Message(role="user", content="hi")]
    sampling = sampling_pb2.SamplingSpec(
        policy=refining(2), answer_tokens=4, draw=DRAW, frames=True, attention=1, context=1, share_weight=1
    )
    begin = sampling_pb2.SamplingState(
        ids=[1, 2, 3, 4], masked=b"\1\0\0\1", pinned=b"\0\1\0\0", kept=bytes(4), confidences=bytes(16)
    )
    sequence = training_pb2.TargetedSequence(ids=[1, 2, 3], targets=[2, 3, -1], weights=bytes(12))
    spec = worker_pb2.AdapterSpec(rank=2, alpha=2, targets=["q_proj"])
    return {
        "CreateAdapter": adapters_pb2.CreateAdapterRequest(base_id=base_id, spec=spec),
        "SaveCheckpoint": adapters_pb2.SaveCheckpointRequest(adapter_id=adapter_id, name="n"),
        "LoadCheckpoint": adapters_pb2.LoadCheckpointRequest(base_id=base_id, name="n"),
        "PrepareDataset": data_pb2.PrepareDatasetRequest(**data),
        "StreamExamples": data_pb2.StreamExamplesRequest(**data, limit=3),
        "Encode": data_pb2.EncodeRequest(base_id=base_id, texts=["hi", ""]),
        "Decode": data_pb2.DecodeRequest(base_id=base_id, sequences=[tokens]),
        "Render": data_pb2.RenderRequest(base_id=base_id, messages=chat),
        "Score": evaluation_pb2.ScoreRequest(
            base_id=base_id,
            likelihood=CAUSAL,
            mode=2,
            items=[evaluation_pb2.ScoreItem(prompt=tokens, continuation=tokens)],
        ),
        "StartSampling": sampling_pb2.StartSamplingRequest(
            base_id=base_id,
            canvases=[
                sampling_pb2.Canvas(ids=tokens),
                sampling_pb2.Canvas(ids=tokens, begin=begin, size=None),
            ],
            spec=sampling,
        ),
        "Predict": sampling_pb2.PredictRequest(
            base_id=base_id,
            canvases=[sampling_pb2.PredictCanvas(ids=[1, 2, 3, 257], answer_start=3)],
            spec=sampling_pb2.PredictSpec(draw=DRAW, mode=1, top=2),
        ),
        "StartTraining": training_pb2.StartTrainingRequest(
            adapter_id=adapter_id, spec=training_spec(dataset_id=dataset_id, window=WINDOW, steps=1)
        ),
        "ForwardBackward": training_pb2.ForwardBackwardRequest(
            adapter_id=adapter_id,
            mode=1,
            micro_batch_tokens=64,
            sequences=training_pb2.TargetedSequences(sequences=[sequence]),
        ),
        "OptimStep": training_pb2.OptimStepRequest(adapter_id=adapter_id, optimizer=OPTIMIZER),
        "Validate": training_pb2.ValidateRequest(base_id=base_id, max_examples=2, attention=1, **noised),
        "LoadBase": worker_pb2.LoadBaseRequest(name="stub"),
    }


def test_no_request_of_random_values_or_bytes_is_an_internal_error(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(address: str) -> None:
        client = Client(address)
        base_id, dataset_id = await client.base("stub"), await client.dataset(LINES)
        adapter_id = await client.adapter(base_id)
        ids = ["", "no", base_id, adapter_id, dataset_id, await client.sample(base_id)]
        fuzz = Fuzz(1, sound_requests(base_id, adapter_id, dataset_id), ids)
        for method in METHODS:
            if method.name in REMOVING:
                continue
            for number in range(TRIES):
                data = fuzz.request(method, number)
                error = await failure(client, method, data)
                assert error is None or error.code() not in (
                    grpc.StatusCode.INTERNAL,
                    grpc.StatusCode.UNKNOWN,
                ), (method.full_name, data, error)
        await client.channel.close()

    monkeypatch.setitem(test_worker_process.ENVIRONMENT, "HF_HUB_OFFLINE", "1")
    with worker("--memory-budget", str(300 << 20)) as started:
        asyncio.run(asyncio.wait_for(test(started.address), 300))
        assert "internal error" not in started.stderr() and "Traceback" not in started.stderr()


async def failure(client: Client, method: MethodDescriptor, data: bytes) -> aio.AioRpcError | None:
    """How a call of those bytes fails; a stream is followed up to its first message."""
    path = f"/{method.containing_service.full_name}/{method.name}"
    options: dict[str, Any] = {"metadata": HEADERS, "timeout": 3}
    try:
        if method.server_streaming:
            call = client.channel.unary_stream(path)(data, **options)
            await call.read()
            call.cancel()
        elif method.client_streaming:
            await client.channel.stream_unary(path)(iter([data]), **options)
        else:
            await client.channel.unary_unary(path)(data, **options)
    except aio.AioRpcError as error:
        return error
    return None
