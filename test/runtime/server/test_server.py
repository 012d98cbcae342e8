"""The gRPC server over the fake backend, through real clients on a unix socket."""

import asyncio
import gc
import os
import signal
import tempfile
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from fake_backend import FakeBackend
from lad_runtime.engine.worker import Worker, make_worker
from lad_runtime.errors import LadError
from lad_runtime.gen.lad.v1 import (
    adapters_pb2,
    adapters_pb2_grpc,
    data_pb2,
    data_pb2_grpc,
    evaluation_pb2,
    evaluation_pb2_grpc,
    runs_pb2,
    runs_pb2_grpc,
    sampling_pb2,
    sampling_pb2_grpc,
    training_pb2,
    training_pb2_grpc,
    worker_pb2,
    worker_pb2_grpc,
)
from lad_runtime.server.calls import in_flight
from lad_runtime.server.calls.in_flight import InFlight
from lad_runtime.server.calls.methods import method
from lad_runtime.server.process import connections as connections_module
from lad_runtime.server.process.connections import Connections, connections_by_descriptors
from lad_runtime.server.serve import serve
from lad_runtime.version import BUILD_VERSION, PROTOCOL_VERSION
from lad_runtime.wire.errors import DETAIL_KEY
from test_wire import CAUSAL, DRAW, LOSS, NOISE, OPTIMIZER, WINDOW, refining, training_spec

TOKEN = "a-token-of-24-characters"
HEADERS = (("authorization", f"Bearer {TOKEN}"),)
LINES = b'{"instruction": "1 + 1", "output": "2"}\n{"instruction": "2 + 2", "output": "4"}\n'
LIMIT = 64 << 20


class Client:
    """Every service's stub on one channel, with the token in each call."""

    def __init__(self, address: str, headers: tuple[tuple[str, str], ...] = HEADERS) -> None:
        self.address = address
        self.headers = headers
        options = [("grpc.max_receive_message_length", LIMIT), ("grpc.max_send_message_length", LIMIT)]
        self.channel = aio.insecure_channel(address, options=options)
        self.worker = worker_pb2_grpc.WorkerServiceStub(self.channel)
        self.data = data_pb2_grpc.DataServiceStub(self.channel)
        self.adapters = adapters_pb2_grpc.AdaptersServiceStub(self.channel)
        self.training = training_pb2_grpc.TrainingServiceStub(self.channel)
        self.sampling = sampling_pb2_grpc.SamplingServiceStub(self.channel)
        self.runs = runs_pb2_grpc.RunsServiceStub(self.channel)
        self.evaluation = evaluation_pb2_grpc.EvaluationServiceStub(self.channel)
        self.health = health_pb2_grpc.HealthStub(self.channel)

    async def base(self, name: str = "fake") -> str:
        async for update in self.worker.LoadBase(
            worker_pb2.LoadBaseRequest(name=name), metadata=self.headers
        ):
            if update.HasField("base"):
                return update.base.id
        raise AssertionError("no base came")

    async def adapter(self, base_id: str) -> str:
        spec = worker_pb2.AdapterSpec(rank=4, alpha=4, targets=["q_proj"])
        request = adapters_pb2.CreateAdapterRequest(base_id=base_id, spec=spec)
        return (await self.adapters.CreateAdapter(request, metadata=self.headers)).adapter.id

    async def dataset(self, content: bytes = LINES) -> str:
        pieces = (data_pb2.UploadDatasetRequest(data=content[i : i + 9]) for i in range(0, len(content), 9))
        return (await self.data.UploadDataset(pieces, metadata=self.headers)).dataset_id

    async def upload(
        self,
        base_id: str,
        pieces: Sequence[adapters_pb2.FilePiece],
        sizes: dict[str, int] | None = None,
        adapter_id: str = "",
    ) -> worker_pb2.Adapter:
        """Declares what the pieces add up to, or other sizes."""
        declared = Counter[str]()
        for piece in pieces:
            declared[piece.name] += len(piece.data)
        files = [adapters_pb2.FileSize(name=n, bytes=b) for n, b in (sizes or declared).items()]
        header = adapters_pb2.UploadHeader(base_id=base_id, adapter_id=adapter_id, files=files)
        parts = [adapters_pb2.UploadAdapterRequest(header=header)]
        parts += [adapters_pb2.UploadAdapterRequest(piece=piece) for piece in pieces]
        return (await self.adapters.UploadAdapter(iter(parts), metadata=self.headers)).adapter

    async def train(self, adapter_id: str, dataset_id: str, **changes: Any) -> str:
        spec = training_spec(dataset_id=dataset_id, **changes)
        request = training_pb2.StartTrainingRequest(adapter_id=adapter_id, spec=spec)
        return (await self.training.StartTraining(request, metadata=self.headers)).run_id

    async def sample(
        self, base_id: str, adapter_id: str = "", canvases: int = 1, iterations: int = 3, **changes: Any
    ) -> str:
        fields = {"policy": refining(iterations), "answer_tokens": 4, "draw": DRAW, "frames": True}
        fields |= {"attention": 1, "context": 1, "share_weight": 1} | changes
        prompts = [
            sampling_pb2.Canvas(ids=data_pb2.TokenIds(ids=[1, 2, 3]), seed=seed) for seed in range(canvases)
        ]
        request = sampling_pb2.StartSamplingRequest(
            base_id=base_id,
            adapter_id=adapter_id,
            canvases=prompts,
            spec=sampling_pb2.SamplingSpec(**fields),
        )
        return (await self.sampling.StartSampling(request, metadata=self.headers)).run_id

    def sample_and_follow(self, base_id: str, prompts: Sequence[Sequence[int]]) -> Any:
        canvases = [sampling_pb2.Canvas(ids=data_pb2.TokenIds(ids=ids)) for ids in prompts]
        spec = sampling_pb2.SamplingSpec(
            policy=refining(3),
            answer_tokens=4,
            draw=DRAW,
            frames=True,
            attention=1,
            context=1,
            share_weight=1,
        )
        start = sampling_pb2.StartSamplingRequest(base_id=base_id, canvases=canvases, spec=spec)
        return self.runs.Sample(runs_pb2.SampleRequest(start=start), metadata=self.headers)

    def follow(self, run_id: str, from_seq: int = 0) -> Any:
        request = runs_pb2.StreamEventsRequest(run_id=run_id, from_seq=from_seq)
        return self.runs.StreamEvents(request, metadata=self.headers)

    async def events(self, run_id: str, from_seq: int = 0) -> list[runs_pb2.StreamEventsResponse]:
        return [event async for event in self.follow(run_id, from_seq)]

    async def run(self, run_id: str) -> runs_pb2.Run:
        return (await self.runs.GetRun(runs_pb2.GetRunRequest(run_id=run_id), metadata=self.headers)).run


@asynccontextmanager
async def serving(
    backend: FakeBackend,
    lease_seconds: int = 0,
    memory_budget_bytes: int | None = None,
    connections: Connections | None = None,
) -> AsyncIterator[tuple[Client, Worker]]:
    with tempfile.TemporaryDirectory(prefix="lad-") as folder:
        worker = make_worker(backend, Path(folder), memory_budget_bytes)  # type: ignore[arg-type]
        ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        server = asyncio.create_task(
            serve(worker, f"unix:{folder}/worker.sock", TOKEN, lease_seconds, ready.set_result, connections)
        )
        client = Client(await asyncio.wait_for(ready, 30))
        try:
            yield client, worker
        finally:
            if backend.gate is not None:
                backend.gate.set()
            await client.channel.close()
            if not server.done():
                os.kill(os.getpid(), signal.SIGTERM)
            await asyncio.wait_for(server, 60)


def served(
    test: Callable[[Client, FakeBackend], Awaitable[None]], backend: FakeBackend | None = None
) -> None:
    async def run() -> None:
        fake = backend or FakeBackend()
        async with serving(fake) as (client, _):
            await asyncio.wait_for(test(client, fake), 100)

    asyncio.run(run())


async def refused(call: Awaitable[Any]) -> tuple[grpc.StatusCode, worker_pb2.ErrorDetail]:
    with pytest.raises(aio.AioRpcError) as raised:
        await call
    return details_of(raised.value)


def details_of(error: aio.AioRpcError) -> tuple[grpc.StatusCode, worker_pb2.ErrorDetail]:
    detail = dict(error.trailing_metadata() or ())[DETAIL_KEY]
    return error.code(), worker_pb2.ErrorDetail.FromString(detail)


def test_the_handshake_compares_versions_and_names_both() -> None:
    async def test(client: Client, _: FakeBackend) -> None:
        same = worker_pb2.HandshakeRequest(protocol_version=PROTOCOL_VERSION, build_version=BUILD_VERSION)
        reply = await client.worker.Handshake(same, metadata=HEADERS)
        assert (reply.protocol_version, reply.build_version, reply.pid) == (
            PROTOCOL_VERSION,
            BUILD_VERSION,
            os.getpid(),
        )
        other = worker_pb2.HandshakeRequest(protocol_version=9, build_version="9.9.9")
        status, detail = await refused(client.worker.Handshake(other, metadata=HEADERS))
        assert status is grpc.StatusCode.FAILED_PRECONDITION
        assert detail.code == "version-mismatch"
        assert "protocol 9 (build 9.9.9)" in detail.message
        assert f"protocol {PROTOCOL_VERSION} (build {BUILD_VERSION})" in detail.message

    served(test)


@pytest.mark.parametrize("headers", [(), (("authorization", "Bearer wrong"),), (("authorization", TOKEN),)])
def test_every_call_needs_the_token_but_health(headers: tuple[tuple[str, str], ...]) -> None:
    async def test(client: Client, _: FakeBackend) -> None:
        calls = [
            client.worker.GetInfo(worker_pb2.GetInfoRequest(), metadata=headers),
            client.runs.StreamEvents(runs_pb2.StreamEventsRequest(), metadata=headers).read(),
            client.data.UploadDataset(iter([]), metadata=headers),
        ]
        for call in calls:
            status, detail = await refused(call)
            assert status is grpc.StatusCode.UNAUTHENTICATED
            assert detail.code == "unauthenticated"
        health = await client.health.Check(health_pb2.HealthCheckRequest())
        assert health.status == health_pb2.HealthCheckResponse.SERVING

    served(test)


def test_tokens_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare(given: bytes, expected: bytes) -> bool:
        compared.append((given, expected))
        return given == expected

    monkeypatch.setattr("hmac.compare_digest", compare)

    async def test(client: Client, _: FakeBackend) -> None:
        await client.worker.GetInfo(worker_pb2.GetInfoRequest(), metadata=HEADERS)

    served(test)
    assert compared == [(f"Bearer {TOKEN}".encode(),) * 2]


def test_standard_tools_find_the_services_and_their_health() -> None:
    async def test(client: Client, _: FakeBackend) -> None:
        for service in ("", "lad.v1.TrainingService"):
            reply = await client.health.Check(health_pb2.HealthCheckRequest(service=service))
            assert reply.status == health_pb2.HealthCheckResponse.SERVING

        def reflect() -> tuple[set[str], Any]:
            channel = grpc.intercept_channel(grpc.insecure_channel(client.address), _WithToken())
            database = ProtoReflectionDescriptorDatabase(channel)
            pool = DescriptorPool(database)
            return set(database.get_services()), pool.FindServiceByName("lad.v1.TrainingService")

        names, service = await asyncio.to_thread(reflect)
        assert {"lad.v1.WorkerService", "lad.v1.RunsService", "grpc.health.v1.Health"} <= names
        assert "StartTraining" in service.methods_by_name

    served(test)


class _WithToken(grpc.StreamStreamClientInterceptor):
    def intercept_stream_stream(self, continuation: Any, details: Any, requests: Any) -> Any:
        return continuation(details._replace(metadata=HEADERS), requests)


def test_a_base_is_loaded_with_progress_and_once() -> None:
    async def test(client: Client, backend: FakeBackend) -> None:
        backend.seconds = 0.3
        request = worker_pb2.LoadBaseRequest(name="fake")
        call = client.worker.LoadBase(request, metadata=HEADERS)
        updates = [update async for update in call]
        assert updates[0].progress.phase == "read"
        assert updates[-1].base.name == "fake"
        assert updates[-1].base.projections == ["q_proj", "v_proj"]
        backend.seconds = 0
        both = await asyncio.gather(client.base("other"), client.base("other"))
        assert both[0] == both[1] != updates[-1].base.id
        status, detail = await refused(client.base("missing"))
        assert (status, detail.code, detail.value) == (grpc.StatusCode.NOT_FOUND, "not-found", "missing")
        info = await client.worker.GetInfo(worker_pb2.GetInfoRequest(), metadata=HEADERS)
        assert [base.name for base in info.bases] == ["fake", "other"]
        assert info.accounted_bytes == 8000

    served(test)


def test_a_base_in_use_is_not_unloaded() -> None:
    async def test(client: Client, _: FakeBackend) -> None:
        base_id = await client.base()
        adapter_id = await client.adapter(base_id)
        unload = worker_pb2.UnloadBaseRequest(base_id=base_id)
        status, detail = await refused(client.worker.UnloadBase(unload, metadata=HEADERS))
        assert status is grpc.StatusCode.FAILED_PRECONDITION
        assert adapter_id in detail.message
        drop = adapters_pb2.DropAdapterRequest(adapter_id=adapter_id)
        await client.adapters.DropAdapter(drop, metadata=HEADERS)
        await client.worker.UnloadBase(unload, metadata=HEADERS)
        status, _detail = await refused(client.worker.UnloadBase(unload, metadata=HEADERS))
        assert status is grpc.StatusCode.NOT_FOUND

    served(test)


def test_every_id_that_does_not_exist_is_not_found() -> None:
    async def test(client: Client, _: FakeBackend) -> None:
        base_id, window = await client.base(), WINDOW
        calls = {
            "base": client.data.Encode(data_pb2.EncodeRequest(base_id="no"), metadata=HEADERS),
            "adapter": client.adapters.GetAdapter(
                adapters_pb2.GetAdapterRequest(adapter_id="no"), metadata=HEADERS
            ),
            "run": client.runs.CancelRun(runs_pb2.CancelRunRequest(run_id="no"), metadata=HEADERS),
            "data set": client.data.PrepareDataset(
                data_pb2.PrepareDatasetRequest(base_id=base_id, dataset_id="no", window=window),
                metadata=HEADERS,
            ),
            "checkpoint": client.adapters.LoadCheckpoint(
                adapters_pb2.LoadCheckpointRequest(base_id=base_id, name="no"), metadata=HEADERS
            ),
            "snapshot": client.sample(base_id, adapter_id="no"),
        }
        for call in calls.values():
            status, detail = await refused(call)
            assert (status, detail.code) == (grpc.StatusCode.NOT_FOUND, "not-found")
            assert "no" in detail.message

    served(test)


def test_text_goes_through_the_bases_tokenizer_and_template() -> None:
    async def test(client: Client, _: FakeBackend) -> None:
        base_id = await client.base()
        encode = data_pb2.EncodeRequest(base_id=base_id, texts=["hi", ""])
        ids = await client.data.Encode(encode, metadata=HEADERS)
        assert [list(result.ids) for result in ids.results] == [[104, 105], []]
        decode = data_pb2.DecodeRequest(base_id=base_id, sequences=ids.results)
        assert (await client.data.Decode(decode, metadata=HEADERS)).texts == ["hi", ""]
        chat = [data_pb2.Message(role="user", content="hi")]
        render = data_pb2.RenderRequest(base_id=base_id, messages=chat, add_generation_prompt=True)
        assert (await client.data.Render(render, metadata=HEADERS)).text == "<user>hi<assistant>"

    served(test)


def test_a_data_set_is_uploaded_in_pieces_prepared_and_streamed() -> None:
    async def test(client: Client, _: FakeBackend) -> None:
        base_id, dataset_id = await client.base(), await client.dataset()
        has = data_pb2.HasDatasetRequest(dataset_id=dataset_id)
        assert (await client.data.HasDataset(has, metadata=HEADERS)).examples == 2
        fields = {"base_id": base_id, "dataset_id": dataset_id, "window": WINDOW}
        prepare = data_pb2.PrepareDatasetRequest(**fields)
        assert (await client.data.PrepareDataset(prepare, metadata=HEADERS)).report.kept == 2
        stream = data_pb2.StreamExamplesRequest(offset=1, **fields)
        replies = [reply async for reply in client.data.StreamExamples(stream, metadata=HEADERS)]
        (example,) = replies[0].examples
        assert (example.id, bytes(example.ids), example.tail) == (1, b"2 + 24", bytes(6))
        status, detail = await refused(client.dataset(b'{"instruction": "no output"}'))
        assert status is grpc.StatusCode.INVALID_ARGUMENT
        assert (detail.code, "Line 1" in detail.message) == ("invalid-data", True)
        narrow = data_pb2.WindowSpec(window=2, pad_to_window=True, too_long=1, supervise=1)
        prepare.window.CopyFrom(narrow)
        _, detail = await refused(client.data.PrepareDataset(prepare, metadata=HEADERS))
        assert "No example is left of 2" in detail.message

    served(test)


def test_bad_adapter_options_name_option_value_and_remedy() -> None:
    async def test(client: Client, _: FakeBackend) -> None:
        base_id = await client.base()
        for fields, option, value in [
            ({"rank": 0, "alpha": 1, "targets": ["q_proj"]}, "rank", "0"),
            ({"rank": 65, "alpha": 1, "targets": ["q_proj"]}, "rank", "65"),
            ({"rank": 4, "alpha": float("nan"), "targets": ["q_proj"]}, "alpha", "nan"),
            ({"rank": 4, "alpha": 1, "targets": ["x_proj"]}, "targets", "x_proj"),
            ({"rank": 4, "alpha": 1, "targets": []}, "targets", "[]"),
            ({"rank": 4, "alpha": 1, "targets": ["q_proj"], "dropout": 1}, "dropout", "1.0"),
        ]:
            request = adapters_pb2.CreateAdapterRequest(
                base_id=base_id, spec=worker_pb2.AdapterSpec(**fields)
            )
            status, detail = await refused(client.adapters.CreateAdapter(request, metadata=HEADERS))
            assert status is grpc.StatusCode.INVALID_ARGUMENT
            assert (detail.code, detail.option, detail.value) == ("invalid-option", option, value)
            assert option in detail.message and value in detail.message and detail.remedy

    served(test)


def test_a_training_run_is_followed_from_any_event_on() -> None:
    async def test(client: Client, _: FakeBackend) -> None:
        adapter_id = await client.adapter(await client.base())
        run_id = await client.train(adapter_id, await client.dataset(), steps=5)
        events = await client.events(run_id)
        kinds = [event.WhichOneof("event") for event in events]
        assert kinds == ["training_started", *["training_step"] * 5, "training_finished"]
        assert [event.seq for event in events] == list(range(7))
        later = await client.events(run_id, from_seq=4)
        assert [event.seq for event in later] == [4, 5, 6]
        run = await client.run(run_id)
        assert (run.state, run.next_seq, run.adapter_id) == (runs_pb2.RUN_STATE_FINISHED, 7, adapter_id)
        _, detail = await refused(client.events(run_id, from_seq=99))
        assert detail.option == "fromSeq"

    served(test)


def test_two_followers_see_the_same_events_while_the_run_goes_on() -> None:
    async def test(client: Client, backend: FakeBackend) -> None:
        backend.seconds = 0.005
        adapter_id = await client.adapter(await client.base())
        run_id = await client.train(adapter_id, await client.dataset(), steps=10)
        first, second = await asyncio.gather(client.events(run_id), client.events(run_id))
        assert first == second and len(first) == 12

    served(test)


def test_an_adapter_in_training_takes_no_second_trainer_but_can_be_sampled() -> None:
    async def test(client: Client, backend: FakeBackend) -> None:
        backend.seconds = 0.002
        base_id, dataset_id = await client.base(), await client.dataset()
        adapter_id = await client.adapter(base_id)
        run_id = await client.train(adapter_id, dataset_id, steps=100_000)
        step = training_pb2.OptimStepRequest(adapter_id=adapter_id, optimizer=OPTIMIZER)
        drop = adapters_pb2.DropAdapterRequest(adapter_id=adapter_id)
        for call in (
            client.train(adapter_id, dataset_id),
            client.training.OptimStep(step, metadata=HEADERS),
            client.adapters.DropAdapter(drop, metadata=HEADERS),
        ):
            status, detail = await refused(call)
            assert (status, detail.code) == (grpc.StatusCode.FAILED_PRECONDITION, "invalid-state")
            assert run_id in detail.message
        sampled = await client.events(await client.sample(base_id, adapter_id, iterations=20))
        answers = {tuple(event.frame.answer) for event in sampled if event.HasField("frame")}
        assert len(answers) == 1  # one state of the weights, however far the training went meanwhile
        cancel = runs_pb2.CancelRunRequest(run_id=run_id)
        await client.runs.CancelRun(cancel, metadata=HEADERS)
        events = await client.events(run_id)
        assert events[-1].cancelled.steps == events[-2].training_step.step > 0
        assert (await client.run(run_id)).state == runs_pb2.RUN_STATE_CANCELLED
        finished = await client.events(await client.train(adapter_id, dataset_id, steps=1))
        assert finished[-1].WhichOneof("event") == "training_finished"

    served(test)


def test_a_paused_run_computes_nothing_and_goes_on_when_it_is_resumed() -> None:
    async def test(client: Client, backend: FakeBackend) -> None:
        backend.seconds = 0.005
        base_id, dataset_id = await client.base(), await client.dataset()
        adapter_id = await client.adapter(base_id)
        run_id = await client.train(adapter_id, dataset_id, steps=40)
        events = aiter(client.follow(run_id))
        while not (await anext(events)).HasField("training_step"):
            pass
        await client.runs.PauseRun(runs_pb2.PauseRunRequest(run_id=run_id), metadata=HEADERS)
        while not (event := await anext(events)).HasField("paused"):
            pass
        assert (await client.run(run_id)).state == runs_pb2.RUN_STATE_PAUSED
        computed = len(backend.batches)
        await client.events(await client.sample(base_id, iterations=2))  # others go on
        assert len(backend.batches) == computed + 2
        resume = runs_pb2.ResumeRunRequest(run_id=run_id)
        await client.runs.ResumeRun(resume, metadata=HEADERS)
        after = [event async for event in events]
        assert after[0].resumed.steps == event.paused.steps
        assert after[1].training_step.step == event.paused.steps + 1
        assert after[-1].HasField("training_finished")
        await client.runs.ResumeRun(resume, metadata=HEADERS)  # changes nothing
        status, detail = await refused(
            client.runs.PauseRun(runs_pb2.PauseRunRequest(run_id=run_id), metadata=HEADERS)
        )
        assert (status, detail.option) == (grpc.StatusCode.FAILED_PRECONDITION, "runId")

    served(test)


def test_a_paused_run_can_be_cancelled() -> None:
    async def test(client: Client, backend: FakeBackend) -> None:
        adapter_id = await client.adapter(await client.base())
        backend.seconds = 0.002
        run_id = await client.train(adapter_id, await client.dataset(), steps=100_000)
        await client.runs.PauseRun(runs_pb2.PauseRunRequest(run_id=run_id), metadata=HEADERS)
        events = aiter(client.follow(run_id))
        while not (await anext(events)).HasField("paused"):
            pass
        await client.runs.CancelRun(runs_pb2.CancelRunRequest(run_id=run_id), metadata=HEADERS)
        assert [event async for event in events][-1].HasField("cancelled")

    served(test)


def test_what_does_not_fit_the_memory_budget_is_refused_with_the_figures() -> None:
    async def test() -> None:
        backend = FakeBackend(seconds=0.002)
        # a base of 4,000 bytes, two adapters of 256, and a run's 768 and 64
        async with serving(backend, memory_budget_bytes=4000 + 2 * 256 + 768 + 64) as (client, _):
            base_id, dataset_id = await client.base(), await client.dataset()
            adapters = [await client.adapter(base_id) for _ in range(2)]
            run_id = await client.train(adapters[0], dataset_id, steps=100_000, micro_batch_tokens=64)
            for call in (
                client.train(adapters[1], dataset_id),
                client.adapter(base_id),
                client.base("other"),
            ):
                status, detail = await refused(call)
                assert (status, detail.code) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "out-of-memory")
                assert "the worker's budget is 5.2 KiB" in detail.message
                assert "memoryBudgetBytes" in detail.remedy
            info = await client.worker.GetInfo(worker_pb2.GetInfoRequest(), metadata=HEADERS)
            assert (info.memory_budget_bytes, info.accounted_bytes) == (5344, 4512)
            pause = runs_pb2.PauseRunRequest(run_id=run_id)
            await client.runs.PauseRun(pause, metadata=HEADERS)
            async for event in client.follow(run_id):
                if event.HasField("paused"):
                    break
            other = await client.train(adapters[1], dataset_id, steps=100_000, micro_batch_tokens=64)
            resume = runs_pb2.ResumeRunRequest(run_id=run_id)
            status, _ = await refused(client.runs.ResumeRun(resume, metadata=HEADERS))
            assert status == grpc.StatusCode.RESOURCE_EXHAUSTED
            await client.runs.CancelRun(runs_pb2.CancelRunRequest(run_id=other), metadata=HEADERS)
            await client.events(other)
            await client.runs.ResumeRun(resume, metadata=HEADERS)
            await client.runs.CancelRun(runs_pb2.CancelRunRequest(run_id=run_id), metadata=HEADERS)
            await client.events(run_id)
            await client.events(await client.train(adapters[1], dataset_id, steps=1, micro_batch_tokens=64))

    asyncio.run(test())


def test_idle_optimizers_make_room_the_one_used_longest_ago_first() -> None:
    async def test() -> None:
        backend = FakeBackend()
        async with serving(backend, memory_budget_bytes=4000 + 3 * 256 + 2 * 512 + 320) as (client, worker):
            base_id, dataset_id = await client.base(), await client.dataset()
            ids = [await client.adapter(base_id) for _ in range(3)]
            entries = [worker.registry.adapter(adapter_id) for adapter_id in ids]
            for entry in entries[:2]:
                entry.resident.state_nbytes = 512
            entries[0].last_used = time.monotonic()
            await client.events(await client.train(ids[2], dataset_id, steps=1, micro_batch_tokens=64))
            assert [entry.resident.offloaded_nbytes for entry in entries] == [0, 512, 0]
            info = await client.worker.GetInfo(worker_pb2.GetInfoRequest(), metadata=HEADERS)
            assert (info.offloaded_bytes, info.accounted_bytes) == (512, 4000 + 3 * 256 + 512)

    asyncio.run(test())


def test_a_run_whose_data_does_not_fit_fails_with_the_reason_and_frees_the_adapter() -> None:
    async def test(client: Client, _: FakeBackend) -> None:
        adapter_id, dataset_id = await client.adapter(await client.base()), await client.dataset()
        spec = training_spec(dataset_id=dataset_id)
        spec.window.CopyFrom(data_pb2.WindowSpec(window=2, too_long=3, supervise=1))
        request = training_pb2.StartTrainingRequest(adapter_id=adapter_id, spec=spec)
        reply = await client.training.StartTraining(request, metadata=HEADERS)
        (event,) = await client.events(reply.run_id)
        assert (event.failed.code, event.failed.message) == ("invalid-data", "Example 0 is too long.")
        run = await client.run(reply.run_id)
        assert (run.state, run.error.code) == (runs_pb2.RUN_STATE_FAILED, "invalid-data")
        await client.events(await client.train(adapter_id, dataset_id))

    served(test)


def test_a_sampling_run_merges_its_canvases_and_batches_them() -> None:
    async def test(client: Client, backend: FakeBackend) -> None:
        base_id = await client.base()
        events = await client.events(await client.sample(base_id, canvases=4))
        frames = [(e.frame.canvas, e.frame.iteration) for e in events if e.HasField("frame")]
        assert sorted(frames) == [(canvas, i) for canvas in range(4) for i in range(3)]
        assert sorted(e.answer.canvas for e in events if e.HasField("answer")) == [0, 1, 2, 3]
        assert events[-1].sampling_finished.canvases == 4
        assert max(len(batch) for batch in backend.batches) == 4

    served(test)


def test_one_call_starts_a_run_and_tells_what_following_it_tells() -> None:
    async def test(client: Client, _: FakeBackend) -> None:
        call = client.sample_and_follow(await client.base(), [[1, 2, 3], [4, 5]])
        first, *rest = [reply async for reply in call]
        assert list(first.started.prompt_tokens) == [3, 2]
        assert [reply.event for reply in rest] == await client.events(first.started.run_id)
        assert rest[-1].event.sampling_finished.canvases == 2

    served(test)


def test_a_run_goes_on_when_the_call_that_started_it_is_left() -> None:
    async def test(client: Client, backend: FakeBackend) -> None:
        backend.gate = threading.Event()
        call = client.sample_and_follow(await client.base(), [[1, 2, 3]])
        first = await anext(aiter(call))
        call.cancel()
        backend.gate.set()
        events = await client.events(first.started.run_id)
        assert events[-1].WhichOneof("event") == "sampling_finished"

    served(test)


def test_without_frames_only_answers_come() -> None:
    async def test(client: Client, _: FakeBackend) -> None:
        events = await client.events(await client.sample(await client.base(), frames=False))
        assert [event.WhichOneof("event") for event in events] == ["answer", "sampling_finished"]

    served(test)


def test_a_chat_is_rendered_on_the_worker() -> None:
    async def test(client: Client, backend: FakeBackend) -> None:
        base_id = await client.base()
        chat = sampling_pb2.Chat(messages=[data_pb2.Message(role="user", content="hi")])
        spec = sampling_pb2.SamplingSpec(
            policy=refining(1), answer_tokens=4, draw=DRAW, attention=1, context=1, share_weight=1
        )
        request = sampling_pb2.StartSamplingRequest(
            base_id=base_id, canvases=[sampling_pb2.Canvas(chat=chat)], spec=spec
        )
        reply = await client.sampling.StartSampling(request, metadata=HEADERS)
        await client.events(reply.run_id)
        assert backend.batches[-1][0].tokens == len("<user>hi<assistant>") + 4

    served(test)


def test_one_canvas_that_fails_ends_its_run_and_the_worker_goes_on() -> None:
    async def test(client: Client, _: FakeBackend) -> None:
        base_id = await client.base()
        events = await client.events(await client.sample(base_id, canvases=20, iterations=50))
        assert events[-1].failed.code == "internal"
        assert "secret" not in events[-1].failed.message
        again = await client.events(await client.sample(base_id, canvases=2))
        assert again[-1].WhichOneof("event") == "sampling_finished"

    served(test)


def test_a_cancelled_sampling_run_stops_within_one_iteration() -> None:
    async def test(client: Client, backend: FakeBackend) -> None:
        backend.gate = threading.Event()
        run_id = await client.sample(await client.base(), iterations=1000)
        await asyncio.to_thread(backend.computing.wait, 30)
        await client.runs.CancelRun(runs_pb2.CancelRunRequest(run_id=run_id), metadata=HEADERS)
        backend.gate.set()
        events = await client.events(run_id)
        assert [event.WhichOneof("event") for event in events] == ["cancelled"]
        assert len(backend.batches) == 1

    served(test)


def sequences(*ids: int) -> training_pb2.TargetedSequences:
    sequence = training_pb2.TargetedSequence(ids=ids, targets=ids, weights=b"\0\0\x80\x3f" * len(ids))
    return training_pb2.TargetedSequences(sequences=[sequence])


def forward(adapter_id: str, number: int, given: training_pb2.TargetedSequences) -> Any:
    return training_pb2.ForwardBackwardRequest(
        adapter_id=adapter_id, sequence=number, mode=1, sequences=given, micro_batch_tokens=64
    )


def test_the_primitives_are_numbered_and_retry_safe() -> None:
    async def test(client: Client, backend: FakeBackend) -> None:
        adapter_id = await client.adapter(await client.base())
        stub = client.training
        first = await stub.ForwardBackward(forward(adapter_id, 1, sequences(5, 6)), metadata=HEADERS)
        assert (first.loss, first.tokens, len(first.ce)) == (2.0, 2, 8)
        retried = await stub.ForwardBackward(forward(adapter_id, 1, sequences(5, 6)), metadata=HEADERS)
        assert retried == first and len(backend.batches) == 1
        status, detail = await refused(
            stub.ForwardBackward(forward(adapter_id, 3, sequences(5)), metadata=HEADERS)
        )
        assert status is grpc.StatusCode.FAILED_PRECONDITION
        assert "sequence is 3, but the adapter's next number is 2" in detail.message
        step = training_pb2.OptimStepRequest(
            adapter_id=adapter_id, sequence=2, optimizer=OPTIMIZER, learning_rate=0.1
        )
        assert (await stub.OptimStep(step, metadata=HEADERS)).gradient_norm == 2.0
        assert (await stub.OptimStep(step, metadata=HEADERS)).step == 1
        failed, _ = await refused(
            stub.ForwardBackward(forward(adapter_id, 3, sequences(13)), metadata=HEADERS)
        )
        assert failed is grpc.StatusCode.INTERNAL
        again = await stub.ForwardBackward(forward(adapter_id, 3, sequences(5)), metadata=HEADERS)
        assert again.loss == 2.0

    served(test)


def test_a_numbered_call_goes_on_when_its_client_goes_away() -> None:
    async def test(client: Client, backend: FakeBackend) -> None:
        backend.gate = threading.Event()
        adapter_id = await client.adapter(await client.base())
        request = forward(adapter_id, 1, sequences(5))
        call = client.training.ForwardBackward(request, metadata=HEADERS)
        waiting = asyncio.ensure_future(call)
        await asyncio.to_thread(backend.computing.wait, 30)
        waiting.cancel()
        backend.gate.set()
        reply = await client.training.ForwardBackward(request, metadata=HEADERS)
        assert reply.loss == 2.0 and len(backend.batches) == 1

    served(test)


def test_an_unnumbered_call_and_a_validation_end_with_their_client() -> None:
    async def test(client: Client, backend: FakeBackend) -> None:
        base_id = await client.base()
        adapter_id, dataset_id = await client.adapter(base_id), await client.dataset()
        unnumbered = forward(adapter_id, 0, sequences(5))
        spec = training_spec(dataset_id=dataset_id)
        validation = training_pb2.ValidateRequest(
            base_id=base_id, adapter_id=adapter_id, dataset_id=dataset_id,
            window=spec.window, noise=spec.noise, loss=spec.loss, attention=1, context=1,
        )  # fmt: skip
        for call, request in (
            (client.training.ForwardBackward, unnumbered),
            (client.training.Validate, validation),
        ):
            backend.gate = threading.Event()
            backend.computing.clear()
            first = asyncio.ensure_future(call(request, metadata=HEADERS))
            await asyncio.to_thread(backend.computing.wait, 30)
            behind = asyncio.ensure_future(call(request, metadata=HEADERS))
            await asyncio.sleep(0.2)
            computed = len(backend.batches)
            for left in (first, behind):
                left.cancel()
            await asyncio.sleep(0.2)
            backend.gate.set()
            await call(request, metadata=HEADERS)
            assert len(backend.batches) == computed + 1  # the first was in hand, the other never computed

    served(test)


def test_the_primitives_check_what_they_are_given() -> None:
    async def test(client: Client, _: FakeBackend) -> None:
        adapter_id = await client.adapter(await client.base())
        stub = client.training
        for given, option in [
            (sequences(5, 300), "ids"),
            (sequences(*[1] * 129), "ids"),
            (training_pb2.TargetedSequences(), "sequences"),
        ]:
            status, detail = await refused(
                stub.ForwardBackward(forward(adapter_id, 1, given), metadata=HEADERS)
            )
            assert (status, detail.option) == (grpc.StatusCode.INVALID_ARGUMENT, option)
        for learning_rate in (float("nan"), float("inf"), -1.0):
            step = training_pb2.OptimStepRequest(
                adapter_id=adapter_id, sequence=1, optimizer=OPTIMIZER, learning_rate=learning_rate
            )
            _, detail = await refused(stub.OptimStep(step, metadata=HEADERS))
            assert detail.option == "learningRate"

    served(test)


def test_examples_of_a_data_set_are_noised_by_the_worker_and_validated() -> None:
    async def test(client: Client, _: FakeBackend) -> None:
        base_id, dataset_id = await client.base(), await client.dataset()
        adapter_id = await client.adapter(base_id)
        fields = {"dataset_id": dataset_id, "window": WINDOW, "noise": NOISE, "loss": LOSS, "context": 1}
        examples = training_pb2.NoisedExamples(rows=[0, 1, 1], **fields)
        request = training_pb2.ForwardBackwardRequest(
            adapter_id=adapter_id, sequence=1, mode=1, examples=examples, micro_batch_tokens=64
        )
        assert (await client.training.ForwardBackward(request, metadata=HEADERS)).tokens == 18
        request.sequence, request.examples.rows[0] = 2, 7
        _, detail = await refused(client.training.ForwardBackward(request, metadata=HEADERS))
        assert (detail.option, detail.value) == ("rows", "7")
        validate = training_pb2.ValidateRequest(base_id=base_id, max_examples=1, attention=1, **fields)
        reply = await client.training.Validate(validate, metadata=HEADERS)
        assert (reply.report.loss, reply.window_report.kept) == (2.0, 2)

    served(test)


def test_predictions_and_scores_are_computed_on_the_base_or_an_adapter() -> None:
    async def test(client: Client, _: FakeBackend) -> None:
        base_id = await client.base()
        adapter_id = await client.adapter(base_id)
        canvas = sampling_pb2.PredictCanvas(ids=[1, 2, 3], answer_start=1)
        spec = sampling_pb2.PredictSpec(draw=DRAW, mode=1)
        for given in ("", adapter_id):
            request = sampling_pb2.PredictRequest(
                base_id=base_id, adapter_id=given, canvases=[canvas], spec=spec
            )
            reply = await client.sampling.Predict(request, metadata=HEADERS)
            assert list(reply.predictions[0].ids) == [2, 3]
        request.spec.top = 2**32 - 1
        _, detail = await refused(client.sampling.Predict(request, metadata=HEADERS))
        assert detail.option == "top"
        item = evaluation_pb2.ScoreItem(
            prompt=data_pb2.TokenIds(ids=[1]), continuation=data_pb2.TokenIds(ids=[2])
        )
        score = evaluation_pb2.ScoreRequest(base_id=base_id, likelihood=CAUSAL, mode=2, items=[item])
        assert (await client.evaluation.Score(score, metadata=HEADERS)).scores[0].log_likelihood == -1.5
        _, detail = await refused(
            client.evaluation.Score(
                evaluation_pb2.ScoreRequest(base_id=base_id, mode=2, likelihood=CAUSAL), metadata=HEADERS
            )
        )
        assert detail.option == "items"

    served(test)


def test_a_prediction_nobody_waits_for_is_not_computed() -> None:
    async def test(client: Client, backend: FakeBackend) -> None:
        backend.gate = threading.Event()
        base_id = await client.base()
        run_id = await client.sample(base_id, iterations=1)
        await asyncio.to_thread(backend.computing.wait, 30)
        canvas = sampling_pb2.PredictCanvas(ids=[1, 2, 3], answer_start=1)
        request = sampling_pb2.PredictRequest(
            base_id=base_id, canvases=[canvas], spec=sampling_pb2.PredictSpec(draw=DRAW, mode=1)
        )
        waiting = asyncio.ensure_future(client.sampling.Predict(request, metadata=HEADERS))
        await asyncio.sleep(0.1)
        waiting.cancel()
        await asyncio.sleep(0.1)
        backend.gate.set()
        await client.events(run_id)
        assert [len(batch) for batch in backend.batches] == [1]

    served(test)


def test_adapter_files_cross_in_pieces_both_ways() -> None:
    async def test(client: Client, _: FakeBackend) -> None:
        base_id = await client.base()
        adapter_id = await client.adapter(base_id)
        download = adapters_pb2.DownloadAdapterRequest(adapter_id=adapter_id)
        pieces = [reply.piece async for reply in client.adapters.DownloadAdapter(download, metadata=HEADERS)]
        assert [(piece.name, len(piece.data)) for piece in pieces] == [
            ("adapter_config.json", 2),
            *[("adapter_model.safetensors", 1 << 20)] * 3,
        ]
        uploaded = await client.upload(base_id, pieces)
        assert uploaded.base_id == base_id and uploaded.id != adapter_id
        chosen = await client.upload(base_id, pieces, adapter_id="mine")
        assert chosen.id == "mine"
        again = await client.upload(base_id, pieces, adapter_id="mine")
        assert again.id == "mine"
        other = [*pieces[:-1], adapters_pb2.FilePiece(name=pieces[-1].name, data=b"x" * len(pieces[-1].data))]
        status, detail = await refused(client.upload(base_id, other, adapter_id="mine"))
        assert (status, detail.option) == (grpc.StatusCode.ALREADY_EXISTS, "adapterId")

    served(test)


def test_checkpoints_are_saved_and_loaded_by_name() -> None:
    async def test(client: Client, _: FakeBackend) -> None:
        base_id = await client.base()
        adapter_id = await client.adapter(base_id)
        save = adapters_pb2.SaveCheckpointRequest(adapter_id=adapter_id, name="best")
        assert len((await client.adapters.SaveCheckpoint(save, metadata=HEADERS)).digest) == 64
        load = adapters_pb2.LoadCheckpointRequest(base_id=base_id, name="best")
        loaded = await client.adapters.LoadCheckpoint(load, metadata=HEADERS)
        assert loaded.adapter.spec.rank == 4
        save.name = "../best"
        _, detail = await refused(client.adapters.SaveCheckpoint(save, metadata=HEADERS))
        assert detail.option == "name"
        snapshot = adapters_pb2.SnapshotAdapterRequest(adapter_id=adapter_id)
        frozen = (await client.adapters.SnapshotAdapter(snapshot, metadata=HEADERS)).snapshot
        status, detail = await refused(client.train(frozen.id, await client.dataset()))
        assert (status, "is a snapshot" in detail.message) == (grpc.StatusCode.FAILED_PRECONDITION, True)
        save.name, save.adapter_id = "best", frozen.id
        _, detail = await refused(client.adapters.SaveCheckpoint(save, metadata=HEADERS))
        assert detail.code == "invalid-state"

    served(test)


def test_health_answers_while_the_device_is_busy() -> None:
    async def test(client: Client, backend: FakeBackend) -> None:
        backend.seconds = 3.0
        run_id = await client.sample(await client.base(), iterations=1000)
        await asyncio.to_thread(backend.computing.wait, 30)
        started = time.monotonic()
        for _ in range(20):
            await client.health.Check(health_pb2.HealthCheckRequest())
        assert time.monotonic() - started < 2.5
        await client.runs.CancelRun(runs_pb2.CancelRunRequest(run_id=run_id), metadata=HEADERS)

    served(test)


def test_a_reader_that_stops_reading_does_not_hold_up_the_run() -> None:
    async def test(client: Client, _: FakeBackend) -> None:
        base_id = await client.base()
        run_id = await client.sample(base_id, iterations=400, answer_tokens=120)
        slow = aiter(client.follow(run_id))
        first = await anext(slow)
        assert first.frame.iteration == 0
        events = await client.events(run_id)
        assert events[-1].sampling_finished.canvases == 1
        rest = [event async for event in slow]
        assert rest[-1] == events[-1]

    served(test)


def test_a_follower_that_leaves_changes_nothing() -> None:
    async def test() -> None:
        async with serving(FakeBackend(seconds=0.002)) as (client, worker):
            run_id = await client.sample(await client.base(), iterations=200)
            log = worker.runs.get(run_id).log
            leaving = client.follow(run_id)
            await leaving.read()
            assert len(log._listeners) == 1
            leaving.cancel()
            for _ in range(500):
                if log._listeners:
                    await asyncio.sleep(0.01)
            assert not log._listeners
            assert not log.closed
            assert (await client.events(run_id))[-1].HasField("sampling_finished")

    asyncio.run(test())


def test_a_connection_without_a_word_or_a_call_is_closed_and_a_client_finds_its_way_back() -> None:
    async def test() -> None:
        limits = Connections(most=8, handshake_ms=300, idle_ms=600)
        async with serving(FakeBackend(), connections=limits) as (client, _):
            await client.base()
            path = client.address.removeprefix("unix:")
            for greeting in (b"", PREFACE):
                reader, writer = await asyncio.open_unix_connection(path)
                writer.write(greeting)
                opened = time.monotonic()
                await asyncio.wait_for(reader.read(), 30)  # to its end
                assert time.monotonic() - opened > 0.2
                writer.close()
            assert await client.base()  # whose connection was idle for as long

    asyncio.run(test())


PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\x00\x00\x00\x04\x00\x00\x00\x00\x00"  # and empty settings


def test_a_connection_on_which_a_run_is_followed_or_a_lease_held_is_not_idle() -> None:
    async def test() -> None:
        limits = Connections(most=8, idle_ms=400)
        async with serving(FakeBackend(seconds=0.01), connections=limits) as (client, _):
            hold = client.worker.Hold(worker_pb2.HoldRequest(), metadata=HEADERS)
            await hold.read()
            await asyncio.sleep(1.5)
            assert not hold.done()
            events = await client.events(await client.sample(await client.base(), iterations=100))
            assert events[-1].HasField("sampling_finished")
            hold.cancel()

    asyncio.run(test())


def test_more_connections_than_there_may_be_are_closed_at_once() -> None:
    async def test() -> None:
        async with serving(FakeBackend(), connections=Connections(most=4)) as (client, _):
            await client.base()
            path = client.address.removeprefix("unix:")
            others = [await asyncio.open_unix_connection(path) for _ in range(3)]
            reader, writer = await asyncio.open_unix_connection(path)
            assert await asyncio.wait_for(reader.read(), 3) == b""
            for _, each in [*others, (reader, writer)]:
                each.close()

    asyncio.run(test())


@pytest.mark.parametrize(
    ("soft", "hard", "most"),
    [(256, 256, 112), (256, 4096, 1024), (1024, 1024, 880), (-1, -1, 1024), (160, 160, 16)],
)
def test_as_many_may_connect_as_files_may_be_open(
    soft: int, hard: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    raised: list[tuple[int, int]] = []
    monkeypatch.setattr(connections_module.resource, "getrlimit", lambda _: (soft, hard))
    monkeypatch.setattr(connections_module.resource, "setrlimit", lambda _, to: raised.append(to))
    assert connections_by_descriptors().most == most
    assert raised == ([(2048, 4096)] if (soft, hard) == (256, 4096) else [])


def test_as_many_calls_are_answered_at_once_as_there_are_places_and_one_more_is_told_to_come_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(in_flight._PLACES, "work", 3)
    monkeypatch.setitem(in_flight._PLACES, "streams", 2)

    async def test(client: Client, backend: FakeBackend) -> None:
        base_id = await client.base()
        backend.gate = threading.Event()
        canvas = sampling_pb2.PredictCanvas(ids=[1, 2, 3], answer_start=1)
        spec = sampling_pb2.PredictSpec(draw=DRAW, mode=1)
        request = sampling_pb2.PredictRequest(base_id=base_id, canvases=[canvas], spec=spec)
        calls = [asyncio.ensure_future(client.sampling.Predict(request, metadata=HEADERS)) for _ in range(4)]
        done, waiting = await asyncio.wait(calls, timeout=30, return_when=asyncio.FIRST_COMPLETED)
        status, detail = await refused(done.pop())
        assert (status, detail.code) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "busy")
        assert detail.retry_after_ms > 0 and "SamplingService/Predict" in detail.message
        await client.worker.GetInfo(worker_pb2.GetInfoRequest(), metadata=HEADERS)  # has places of its own
        held = [client.worker.Hold(worker_pb2.HoldRequest(), metadata=HEADERS) for _ in range(2)]
        for hold in held:
            await hold.read()
        _, detail = await refused(client.worker.Hold(worker_pb2.HoldRequest(), metadata=HEADERS).read())
        assert detail.code == "busy"
        backend.gate.set()
        await asyncio.gather(*waiting)
        await client.sampling.Predict(request, metadata=HEADERS)  # places come free

    served(test)


def test_long_requests_wait_for_room_in_the_order_in_which_they_came(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_flight, "_HELD_BYTES", 8 << 20)  # one that might be of 8 MiB at a time

    async def test(client: Client, _: FakeBackend) -> None:
        encode = data_pb2.EncodeRequest(base_id=await client.base(), texts=["hi"])
        calls = [client.data.Encode(encode, metadata=HEADERS) for _ in range(200)]
        for call in calls[::7]:
            call.cancel()
        replies = await asyncio.gather(*calls, return_exceptions=True)
        kept = [reply for i, reply in enumerate(replies) if i % 7]
        assert all(list(reply.results[0].ids) == [104, 105] for reply in kept)  # type: ignore[union-attr]
        assert (await client.data.Encode(encode, metadata=HEADERS)).results

    served(test)


def unsent_encode(client: Client) -> aio.StreamUnaryCall[Any, Any]:
    """A call whose request never comes."""
    return client.channel.stream_unary("/lad.v1.DataService/Encode")(metadata=HEADERS)


def test_a_request_that_declares_that_it_is_short_waits_for_no_long_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(in_flight, "_HELD_BYTES", 8 << 20)

    async def test(client: Client, _: FakeBackend) -> None:
        encode = data_pb2.EncodeRequest(base_id=await client.base(), texts=["hi"])
        declared = (*HEADERS, ("lad-request-bytes", str(encode.ByteSize())))
        unsent = [unsent_encode(client) for _ in range(2)]  # each may be of 8 MiB, and never arrives
        await asyncio.sleep(0.2)
        reply = await asyncio.wait_for(client.data.Encode(encode, metadata=declared), 20)
        assert list(reply.results[0].ids) == [104, 105]
        status, detail = await refused(
            client.data.Encode(encode, metadata=(*HEADERS, ("lad-request-bytes", "3")))
        )
        assert (status, detail.option) == (grpc.StatusCode.INVALID_ARGUMENT, "lad-request-bytes")
        for call in unsent:
            call.cancel()

    served(test)


def test_a_request_counts_until_the_work_that_it_submitted_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_flight, "_HELD_BYTES", 8 << 20)
    encode = method("/lad.v1.DataService/Encode")
    work: Future[None] = Future()

    async def body() -> bytes:
        return bytes(7 << 20)

    async def test() -> None:
        held = InFlight()
        async with held.request(body, encode, 7 << 20):
            in_flight.held_until(work)
        second = held.request(body, encode, 7 << 20)
        entering = asyncio.ensure_future(second.__aenter__())
        await asyncio.sleep(0.05)
        assert not entering.done()
        work.set_result(None)
        assert len(await asyncio.wait_for(entering, 20)) == 7 << 20
        await second.__aexit__(None, None, None)

    asyncio.run(test())


def test_a_request_that_does_not_arrive_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(in_flight, "_RECEIVE_SECONDS", 0.05)

    async def never() -> bytes:
        await asyncio.sleep(60)
        return b""

    async def test() -> None:
        held = InFlight()
        with pytest.raises(LadError, match="did not arrive"):
            async with held.request(never, method("/lad.v1.DataService/Encode")):
                pass
        assert held._free == in_flight._HELD_BYTES

    asyncio.run(test())


def test_what_a_refused_call_was_given_does_not_stay_for_the_collector_of_cycles() -> None:
    async def test(client: Client, _: FakeBackend) -> None:
        base_id = await client.base()
        too_many = data_pb2.DecodeRequest(base_id=base_id, sequences=[data_pb2.TokenIds(ids=[999])])
        piece = data_pb2.UploadDatasetRequest(data=b"{" * 1000)
        kinds = (data_pb2.DecodeRequest, data_pb2.UploadDatasetRequest, LadError)

        def alive() -> int:
            return sum(isinstance(found, kinds) for found in gc.get_objects())

        gc.collect()
        gc.disable()
        before = alive()
        try:
            for _ in range(3):
                await refused(client.data.Decode(too_many, metadata=HEADERS))
                await refused(client.data.UploadDataset(iter([piece]), metadata=HEADERS))
            await asyncio.sleep(0.1)
            assert alive() == before
        finally:
            gc.enable()

    served(test)


def test_a_base_that_was_refused_leaves_no_trace() -> None:
    async def test() -> None:
        async with serving(FakeBackend()) as (client, worker):
            for _ in range(2):
                await refused(client.base("missing"))
            await asyncio.gather(client.base(), client.base())
            assert worker.bases._loading == {}

    asyncio.run(test())


def test_a_line_of_several_megabytes_passes_in_pieces_of_one() -> None:
    async def test(client: Client, _: FakeBackend) -> None:
        line = b'{"instruction": "' + b"x" * (6 << 20) + b'", "output": "y"}'
        pieces = [line[start : start + (1 << 20)] for start in range(0, len(line), 1 << 20)]
        requests = (data_pb2.UploadDatasetRequest(data=piece) for piece in pieces)
        assert (await client.data.UploadDataset(requests, metadata=HEADERS)).examples == 1

    served(test)


def test_draining_finishes_the_step_in_hand_checkpoints_and_refuses_new_work() -> None:
    async def test() -> None:
        backend = FakeBackend(seconds=0.05)
        async with serving(backend) as (client, worker):
            base_id, dataset_id = await client.base(), await client.dataset()
            adapter_id, other_id = await client.adapter(base_id), await client.adapter(base_id)
            run_id = await client.train(adapter_id, dataset_id, steps=10_000, checkpoint="run-1")
            sampling_id = await client.sample(base_id, iterations=10_000)
            training, sampling = aiter(client.follow(run_id)), client.follow(sampling_id)
            await anext(training)
            os.kill(os.getpid(), signal.SIGTERM)
            events = [event async for event in training]
            assert [event.WhichOneof("event") for event in events[-3:]] == [
                "training_step",
                "checkpoint",
                "interrupted",
            ]
            assert events[-1].interrupted.steps == events[-2].checkpoint.step
            assert backend.saved["run-1"].steps == events[-2].checkpoint.step
            assert [event async for event in sampling][-1].HasField("cancelled")
            with pytest.raises(LadError, match="stopping"):
                worker.training.start(other_id, None)  # type: ignore[arg-type]

    asyncio.run(test())


def test_a_worker_with_a_lease_stops_when_nobody_holds_it() -> None:
    async def test() -> None:
        with tempfile.TemporaryDirectory(prefix="lad-") as folder:
            worker = make_worker(FakeBackend(), Path(folder))  # type: ignore[arg-type]
            ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
            server = asyncio.create_task(serve(worker, f"unix:{folder}/s", TOKEN, 1, ready.set_result))
            client = Client(await ready)
            hold = client.worker.Hold(worker_pb2.HoldRequest(), metadata=HEADERS)
            assert (await hold.read()).lease_seconds == 1
            await asyncio.sleep(1.5)
            assert not server.done()
            hold.cancel()
            left = time.monotonic()
            await asyncio.wait_for(server, 30)
            assert 0.8 < time.monotonic() - left < 15
            await client.channel.close()

    asyncio.run(test())
