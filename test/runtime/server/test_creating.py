"""Calls that make something, through a server: repeated, cancelled, called off; and runs that end before what they use."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
import pytest

from fake_backend import FakeBackend
from lad_runtime.gen.lad.v1 import adapters_pb2, data_pb2, runs_pb2, sampling_pb2, training_pb2, worker_pb2
from test_server import HEADERS, LINES, Client, refused, served, serving
from test_wire import DRAW, refining, training_spec


class Making:
    """Calls for a base, an adapter and a data set, under ids that a test gives."""

    def __init__(self, client: Client, base_id: str, adapter_id: str, dataset_id: str) -> None:
        self.client = client
        self.base_id = base_id
        self.adapter_id = adapter_id
        self.dataset_id = dataset_id

    @classmethod
    async def on(cls, client: Client) -> "Making":
        base_id = await client.base()
        return cls(client, base_id, await client.adapter(base_id), await client.dataset())

    def create(self, adapter_id: str, rank: int = 4) -> Any:
        spec = worker_pb2.AdapterSpec(rank=rank, alpha=4, targets=["q_proj"])
        request = adapters_pb2.CreateAdapterRequest(base_id=self.base_id, spec=spec, adapter_id=adapter_id)
        return self.client.adapters.CreateAdapter(request, metadata=HEADERS)

    def snapshot(self, snapshot_id: str) -> Any:
        request = adapters_pb2.SnapshotAdapterRequest(adapter_id=self.adapter_id, snapshot_id=snapshot_id)
        return self.client.adapters.SnapshotAdapter(request, metadata=HEADERS)

    def upload(self, adapter_id: str) -> Any:
        header = adapters_pb2.UploadHeader(
            base_id=self.base_id,
            adapter_id=adapter_id,
            files=[
                adapters_pb2.FileSize(name="adapter_config.json", bytes=2),
                adapters_pb2.FileSize(name="adapter_model.safetensors", bytes=1),
            ],
        )
        pieces = [
            adapters_pb2.FilePiece(name="adapter_config.json", data=b"{}"),
            adapters_pb2.FilePiece(name="adapter_model.safetensors", data=b"x"),
        ]
        parts = [adapters_pb2.UploadAdapterRequest(header=header)]
        parts += [adapters_pb2.UploadAdapterRequest(piece=piece) for piece in pieces]
        return self.client.adapters.UploadAdapter(iter(parts), metadata=HEADERS)

    def save(self, name: str, adapter_id: str = "", **options: bool) -> Any:
        request = adapters_pb2.SaveCheckpointRequest(
            adapter_id=adapter_id or self.adapter_id, name=name, **options
        )
        return self.client.adapters.SaveCheckpoint(request, metadata=HEADERS)

    def load(self, adapter_id: str) -> Any:
        request = adapters_pb2.LoadCheckpointRequest(
            base_id=self.base_id, name="saved", adapter_id=adapter_id
        )
        return self.client.adapters.LoadCheckpoint(request, metadata=HEADERS)

    def train(self, run_id: str, **changes: Any) -> Any:
        spec = training_spec(dataset_id=self.dataset_id, **{"steps": 1_000_000, **changes})
        request = training_pb2.StartTrainingRequest(adapter_id=self.adapter_id, spec=spec, run_id=run_id)
        return self.client.training.StartTraining(request, metadata=HEADERS)

    def _sampling(self, run_id: str) -> sampling_pb2.StartSamplingRequest:
        spec = sampling_pb2.SamplingSpec(
            policy=refining(1_000_000), answer_tokens=4, draw=DRAW, attention=1, context=1, share_weight=1
        )
        canvases = [sampling_pb2.Canvas(ids=data_pb2.TokenIds(ids=[1, 2, 3]))]
        return sampling_pb2.StartSamplingRequest(
            base_id=self.base_id, canvases=canvases, spec=spec, run_id=run_id
        )

    def sample(self, run_id: str) -> Any:
        return self.client.sampling.StartSampling(self._sampling(run_id), metadata=HEADERS)

    def sample_and_follow(self, run_id: str) -> "asyncio.Task[sampling_pb2.StartSamplingResponse]":
        """The first reply of the call that starts a run and tells its events; cancelling it before that cancels the call."""
        call = self.client.runs.Sample(runs_pb2.SampleRequest(start=self._sampling(run_id)), metadata=HEADERS)

        async def first() -> sampling_pb2.StartSamplingResponse:
            async for reply in call:
                return reply.started  # type: ignore[no-any-return]
            raise AssertionError("it has no first reply")

        task = asyncio.create_task(first())
        task.add_done_callback(lambda done: call.cancel())
        return task

    def drop(self, adapter_id: str = "") -> Any:
        request = adapters_pb2.DropAdapterRequest(adapter_id=adapter_id or self.adapter_id)
        return self.client.adapters.DropAdapter(request, metadata=HEADERS)

    def cancel(self, run_id: str, *, wait: bool = False) -> Any:
        return self.client.runs.CancelRun(
            runs_pb2.CancelRunRequest(run_id=run_id, wait=wait), metadata=HEADERS
        )

    def of(self, kind: str) -> Callable[[str], Any]:
        return getattr(self, kind)  # type: ignore[no-any-return]

    async def there(self) -> set[str]:
        """Ids of all adapters, snapshots and runs but the adapter that a test begins with."""
        info = await self.client.worker.GetInfo(worker_pb2.GetInfoRequest(), metadata=HEADERS)
        runs = await self.client.runs.ListRuns(runs_pb2.ListRunsRequest(), metadata=HEADERS)
        ids = {adapter.id for adapter in info.adapters} | {run.id for run in runs.runs}
        return ids - {self.adapter_id}

    async def soon_there(self, expected: set[str]) -> None:
        for _ in range(1000):
            if (there := await self.there()) == expected:
                return
            await asyncio.sleep(0.01)
        raise AssertionError(f"there are {there}")


RUNS = ["train", "sample", "sample_and_follow"]
KINDS = ["create", "snapshot", "upload", "load", *RUNS]


def id_of(reply: Any) -> str:
    for part in ("adapter", "snapshot"):
        if part in reply.DESCRIPTOR.fields_by_name:
            return str(getattr(reply, part).id)
    return str(reply.run_id)


def served_with(
    test: Callable[[Making, FakeBackend], Awaitable[None]], backend: FakeBackend | None = None
) -> None:
    async def run(client: Client, fake: FakeBackend) -> None:
        making = await Making.on(client)
        await making.save("saved")
        await test(making, fake)

    served(run, backend)


async def hold_up(making: Making, backend: FakeBackend) -> threading.Event:
    """Has the engine's thread wait in the middle of a run of somebody else's, and every start of a run, until the event is set."""
    gate = backend.gate = threading.Event()
    backend.computing.clear()
    await making.sample("blocker")
    await asyncio.to_thread(backend.computing.wait, 30)

    def wait(*_: Any) -> None:
        assert gate.wait(30)

    backend.check = wait  # type: ignore[method-assign]
    return gate


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_made_has_the_id_that_is_given_however_often_it_is_asked_for(kind: str) -> None:
    async def test(making: Making, _: FakeBackend) -> None:
        call = making.of(kind)
        both = await asyncio.gather(call("mine"), call("mine"))
        replies = [*both, await call("mine")]
        assert [id_of(reply) for reply in replies] == ["mine"] * 3
        assert await making.there() == {"mine"}
        assert id_of(await making.snapshot("")).startswith("snapshot-")

    served_with(test)


@pytest.mark.parametrize("kind", KINDS)
def test_a_call_that_is_cancelled_before_its_reply_leaves_nothing(kind: str) -> None:
    async def test(making: Making, backend: FakeBackend) -> None:
        gate = await hold_up(making, backend)
        left = [making.of(kind)(f"left-{number}") for number in range(3)]
        await asyncio.sleep(0.2)
        for call in left:
            call.cancel()
        await asyncio.sleep(0.2)
        gate.set()
        await making.soon_there({"blocker"})
        again = await making.of(kind)("left-0")
        assert id_of(again) == "left-0"

    served_with(test)


@pytest.mark.parametrize("kind", KINDS)
def test_of_two_calls_of_one_id_the_one_that_stays_gets_it(kind: str) -> None:
    async def test(making: Making, backend: FakeBackend) -> None:
        gate = await hold_up(making, backend)
        leaving, staying = making.of(kind)("mine"), making.of(kind)("mine")
        await asyncio.sleep(0.2)
        leaving.cancel()
        await asyncio.sleep(0.1)
        gate.set()
        assert id_of(await staying) == "mine"
        assert "mine" in await making.there()

    served_with(test)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("moment", ["before", "while"])
def test_what_is_called_off_before_it_is_there_never_comes(kind: str, moment: str) -> None:
    async def test(making: Making, backend: FakeBackend) -> None:
        gate = await hold_up(making, backend)
        call_off = making.cancel if kind in RUNS else making.drop
        if moment == "before":
            _, detail = await refused(call_off("mine"))
            assert detail.code == "not-found"
            call = making.of(kind)("mine")
        else:
            call = making.of(kind)("mine")
            await asyncio.sleep(0.2)
            await call_off("mine")
        gate.set()
        _, detail = await refused(call)
        assert detail.code == "cancelled"
        await making.soon_there({"blocker"})

    served_with(test)


def test_another_request_under_an_id_that_is_taken_is_refused() -> None:
    async def test(making: Making, _: FakeBackend) -> None:
        await making.create("mine")
        await making.train("run")
        for call, option in ((making.create("mine", rank=5), "adapterId"), (making.sample("run"), "runId")):
            status, detail = await refused(call)
            assert (status, detail.option) == (grpc.StatusCode.ALREADY_EXISTS, option)
        _, detail = await refused(making.create("../mine"))
        assert (detail.code, detail.option) == ("invalid-option", "adapterId")
        await making.drop("mine")
        _, detail = await refused(making.create("mine"))
        assert detail.code == "cancelled"

    served_with(test)


def test_a_start_that_is_refused_is_no_run_and_can_be_asked_for_again() -> None:
    async def test(making: Making, _: FakeBackend) -> None:
        await making.train("first")
        _, detail = await refused(making.train("second"))
        assert (detail.code, "first" in detail.message) == ("invalid-state", True)
        await making.cancel("first", wait=True)
        assert (await making.train("second")).run_id == "second"
        assert await making.there() == {"first", "second"}

    served_with(test)


@pytest.mark.parametrize("kind", RUNS)
def test_cancelling_with_wait_replies_when_the_run_has_let_go(kind: str) -> None:
    async def test(making: Making, backend: FakeBackend) -> None:
        backend.gate = threading.Event()
        await making.of(kind)("mine")
        await asyncio.to_thread(backend.computing.wait, 30)
        waiting = asyncio.ensure_future(making.cancel("mine", wait=True))
        assert (await making.cancel("mine")).run.state == runs_pb2.RUN_STATE_RUNNING
        await asyncio.sleep(0.2)
        assert not waiting.done()
        backend.gate.set()
        assert (await waiting).run.state == runs_pb2.RUN_STATE_CANCELLED
        await making.drop()
        request = worker_pb2.UnloadBaseRequest(base_id=making.base_id)
        await making.client.worker.UnloadBase(request, metadata=HEADERS)

    served_with(test)


def test_what_a_run_that_is_ending_uses_is_dropped_as_soon_as_it_has_ended() -> None:
    async def test(making: Making, backend: FakeBackend) -> None:
        backend.gate = threading.Event()
        await making.train("mine")
        await asyncio.to_thread(backend.computing.wait, 30)
        _, detail = await refused(making.drop())
        assert (detail.code, "mine" in detail.message) == ("invalid-state", True)
        await making.sample("sampling")
        await asyncio.gather(making.cancel("mine"), making.cancel("sampling"))
        dropping = asyncio.ensure_future(making.drop())
        await asyncio.sleep(0.2)
        assert not dropping.done()
        backend.gate.set()
        await dropping
        request = worker_pb2.UnloadBaseRequest(base_id=making.base_id)
        await making.client.worker.UnloadBase(request, metadata=HEADERS)

    served_with(test)


def test_a_base_that_nobody_waits_for_when_it_has_been_loaded_is_dropped() -> None:
    async def test(client: Client, backend: FakeBackend) -> None:
        ready = threading.Event()
        load = backend.load_base

        def slow(*arguments: Any) -> Any:
            loaded = load(*arguments)
            assert ready.wait(30)
            return loaded

        backend.load_base = slow  # type: ignore[method-assign]
        loading = client.worker.LoadBase(worker_pb2.LoadBaseRequest(name="fake"), metadata=HEADERS)
        await loading.read()
        loading.cancel()
        await asyncio.sleep(0.2)
        ready.set()
        for _ in range(1000):
            if backend.bases == 0:
                break
            await asyncio.sleep(0.01)
        info = await client.worker.GetInfo(worker_pb2.GetInfoRequest(), metadata=HEADERS)
        assert (backend.bases, len(info.bases)) == (0, 0)

    served(test)


def test_a_data_set_whose_upload_is_cancelled_half_way_leaves_no_file() -> None:
    async def test() -> None:
        async with serving(FakeBackend()) as (client, worker):
            folder = worker.datasets._folder
            arrived = asyncio.Event()

            async def pieces() -> AsyncIterator[data_pb2.UploadDatasetRequest]:
                yield data_pb2.UploadDatasetRequest(data=LINES)
                while not any(folder.iterdir()):
                    await asyncio.sleep(0.01)
                arrived.set()
                await asyncio.Event().wait()

            uploading = client.data.UploadDataset(pieces(), metadata=HEADERS)
            await asyncio.wait_for(arrived.wait(), 30)
            uploading.cancel()
            for _ in range(1000):
                if not any(folder.iterdir()):
                    return
                await asyncio.sleep(0.01)
            raise AssertionError(list(folder.iterdir()))

    asyncio.run(test())


def test_a_checkpoints_name_is_its_writers_until_it_is_overwritten_or_deleted() -> None:
    async def test(making: Making, backend: FakeBackend) -> None:
        other = await making.client.adapter(making.base_id)
        await making.save("saved")
        status, detail = await refused(making.save("saved", other))
        assert (status, detail.option, detail.value) == (grpc.StatusCode.ALREADY_EXISTS, "name", "saved")
        assert making.adapter_id in detail.message
        _, detail = await refused(making.train("cold", checkpoint="saved"))
        assert (detail.code, detail.option) == ("already-exists", "checkpoint.name")
        await making.save("saved", other, overwrite=True)
        await making.train("run", checkpoint="claimed")
        _, detail = await refused(making.save("claimed", other, overwrite=True))
        assert (detail.code, "run is writing" in detail.message) == ("invalid-state", True)
        await making.cancel("run", wait=True)
        await making.save("claimed", other)
        delete = adapters_pb2.DeleteCheckpointRequest(name="claimed")
        await making.client.adapters.DeleteCheckpoint(delete, metadata=HEADERS)
        await making.save("claimed")
        assert set(backend.saved) == {"saved", "claimed"}
        delete.name = "nothing"
        _, detail = await refused(making.client.adapters.DeleteCheckpoint(delete, metadata=HEADERS))
        assert detail.code == "not-found"

    served_with(test)
