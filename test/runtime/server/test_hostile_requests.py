"""What a worker's clients, and those who are none, can send at worst: its memory, its connections and its log stay as they were."""

import asyncio
import os
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc import aio

from lad_runtime.gen.lad.v1 import adapters_pb2, adapters_pb2_grpc, data_pb2, training_pb2, worker_pb2
from lad_runtime.server.calls.methods import LARGEST
from test_server import HEADERS, Client, details_of, refused
from test_worker_process import LINES, START_SECONDS, WINDOW, Started, worker

MIB = 1 << 20
BUDGET = 300 * MIB
WEIGHTS = "adapter_model.safetensors"
REFLECTION = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"


@pytest.fixture(scope="module")
def tcp_worker() -> Iterator[Started]:
    with worker("--listen", "127.0.0.1:0", "--memory-budget", str(BUDGET)) as started:
        asyncio.run(asyncio.wait_for(_warm_up(started.address), 150))
        yield started


async def _warm_up(address: str) -> None:
    """What the first calls of any worker load stays."""
    client = Client(address)
    base_id = await client.base("stub")
    adapter_id = await client.adapter(base_id)
    pieces = await download(client, adapter_id)
    await client.upload(base_id, pieces)
    await client.dataset(LINES)
    await client.channel.close()


async def download(client: Client, adapter_id: str) -> list[adapters_pb2.FilePiece]:
    request = adapters_pb2.DownloadAdapterRequest(adapter_id=adapter_id)
    return [reply.piece async for reply in client.adapters.DownloadAdapter(request, metadata=HEADERS)]


def rss(started: Started) -> int:
    status = Path(f"/proc/{started.process.pid}/status").read_text()
    return 1024 * int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])


class Growth:
    """How much a process has grown at most while this is entered, and how much of it is left."""

    def __init__(self, started: Started) -> None:
        self._started = started

    async def __aenter__(self) -> "Growth":
        self._before = self._most = rss(self._started)
        self._watching = asyncio.create_task(self._watch())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._watching.cancel()
        self.most = self._most - self._before
        self.kept = rss(self._started) - self._before

    async def _watch(self) -> None:
        while True:
            self._most = max(self._most, rss(self._started))
            await asyncio.sleep(0.005)


async def statuses(*calls: Any) -> list[grpc.StatusCode]:
    ended = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(error, aio.AioRpcError) for error in ended), ended
    return [error.code() for error in ended]


def raw(client: Client, path: str, data: bytes, headers: Any = HEADERS) -> Any:
    """A call of bytes as they are."""
    return client.channel.unary_unary(path)(data, metadata=headers, timeout=60)


@pytest.mark.parametrize(
    "path", ["/lad.v1.TrainingService/ForwardBackward", "/lad.v1.WorkerService/None", "/no.Such/Thing"]
)
def test_nothing_is_received_of_calls_without_the_token(tcp_worker: Started, path: str) -> None:
    async def test(address: str) -> None:
        async with Growth(tcp_worker) as growth:
            clients = [Client(address, ()) for _ in range(10)]
            calls = [raw(client, path, bytes(60 * MIB), ()) for client in clients]
            codes = await statuses(*calls)
            for client in clients:
                await client.channel.close()
        assert set(codes) <= {grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.RESOURCE_EXHAUSTED}
        print(f"ten calls of 60 MB: at most {growth.most >> 20} MiB, kept {growth.kept >> 20}")
        assert growth.most < 100 * MIB and growth.kept < 50 * MIB

    asyncio.run(asyncio.wait_for(test(tcp_worker.address), 100))


def test_calls_without_the_token_that_a_message_could_hold_leave_nothing_behind(tcp_worker: Started) -> None:
    """As long as may be received: neither the transport refuses them, nor does anything take them in."""

    async def test(address: str) -> None:
        paths = ["/lad.v1.TrainingService/ForwardBackward", "/lad.v1.DataService/UploadDataset", REFLECTION]
        async with Growth(tcp_worker) as growth:
            clients = [Client(address, ()) for _ in range(8)]
            body = bytes(LARGEST - 64)
            calls = [raw(client, path, body, ()) for client in clients for path in paths for _ in range(2)]
            assert set(await statuses(*calls)) == {grpc.StatusCode.UNAUTHENTICATED}
            for client in clients:
                await client.channel.close()
        print(f"48 calls of 8 MiB: at most {growth.most >> 20} MiB, kept {growth.kept >> 20}")
        assert growth.most < 100 * MIB and growth.kept < 50 * MIB

    asyncio.run(asyncio.wait_for(test(tcp_worker.address), 100))


def test_health_answers_a_stranger_without_reading_what_it_sends(tcp_worker: Started) -> None:
    async def test(address: str) -> None:
        client = Client(address, ())
        async with Growth(tcp_worker) as growth:
            calls = [
                client.channel.unary_unary("/grpc.health.v1.Health/Check")(bytes(LARGEST - 64), timeout=60)
                for _ in range(32)
            ]
            replies = await asyncio.gather(*calls)
        assert replies == [b"\x08\x01"] * 32  # SERVING
        print(f"32 health checks of 8 MiB: at most {growth.most >> 20} MiB, kept {growth.kept >> 20}")
        assert growth.most < 100 * MIB and growth.kept < 50 * MIB
        watch = client.channel.unary_stream("/grpc.health.v1.Health/Watch")(b"", timeout=60)
        status, _ = await refused(watch.read())
        assert status is grpc.StatusCode.UNAUTHENTICATED
        await client.channel.close()

    asyncio.run(asyncio.wait_for(test(tcp_worker.address), 100))


@pytest.mark.parametrize(
    ("path", "body", "option"),
    [
        ("/lad.v1.WorkerService/GetInfo", bytes(65 << 10), "request"),
        ("/lad.v1.WorkerService/LoadBase", b"\x0a\x80\x80\x10" + b"x" * (256 << 10), "name"),
        ("/lad.v1.DataService/Encode", b"\x12\x00" * (4 * MIB - 64), "texts"),
        ("/lad.v1.DataService/Encode", b"\x0a\x00" * (4 * MIB - 64), "request"),
        ("/lad.v1.DataService/Encode", b"\xff" * 1000, "request"),
    ],
)
def test_a_request_beyond_its_limits_is_refused_before_it_is_parsed(
    tcp_worker: Started, path: str, body: bytes, option: str
) -> None:
    async def test(address: str) -> None:
        client = Client(address)
        async with Growth(tcp_worker) as growth:
            for _ in range(12):
                status, detail = await refused(raw(client, path, body))
                assert (status, detail.option) == (grpc.StatusCode.INVALID_ARGUMENT, option)
                assert detail.remedy
        assert growth.most < 100 * MIB and growth.kept < 50 * MIB
        await client.channel.close()

    asyncio.run(asyncio.wait_for(test(tcp_worker.address), 100))


def test_a_million_empty_sequences_take_no_memory(tcp_worker: Started) -> None:
    async def test(address: str) -> None:
        client = Client(address)
        sequences = training_pb2.TargetedSequences(sequences=[training_pb2.TargetedSequence()] * 1_000_000)
        body = training_pb2.ForwardBackwardRequest(sequences=sequences).SerializeToString()
        async with Growth(tcp_worker) as growth:
            _, detail = await refused(raw(client, "/lad.v1.TrainingService/ForwardBackward", body))
        assert (detail.option, detail.value) == ("sequences", "4097")
        print(f"a million rows: at most {growth.most >> 20} MiB")
        assert growth.most < 50 * MIB
        await client.channel.close()

    asyncio.run(asyncio.wait_for(test(tcp_worker.address), 100))


def test_an_upload_over_the_budget_is_refused_before_a_piece_of_it_is_read(tcp_worker: Started) -> None:
    """1.5 GB under a budget of 300 MB, from four clients at once, whether or not it was declared to be so long."""

    def upload(address: str, base_id: str, declared: int) -> str:
        files = [adapters_pb2.FileSize(name=WEIGHTS, bytes=declared)]
        header = adapters_pb2.UploadHeader(base_id=base_id, files=files)
        piece = adapters_pb2.FilePiece(name=WEIGHTS, data=bytes(MIB))
        parts = [adapters_pb2.UploadAdapterRequest(header=header)]
        parts += [adapters_pb2.UploadAdapterRequest(piece=piece)] * 1500
        with grpc.insecure_channel(address) as channel, pytest.raises(grpc.RpcError) as raised:
            stub = adapters_pb2_grpc.AdaptersServiceStub(channel)
            stub.UploadAdapter(iter(parts), metadata=HEADERS, timeout=100)
        return details_of(raised.value)[1].code  # type: ignore[arg-type]

    async def test(address: str) -> None:
        client = Client(address)
        base_id = await client.base("stub")
        await client.channel.close()
        async with Growth(tcp_worker) as growth:
            for declared, code in ((1500 * MIB, "invalid-option"), (100, "invalid-file")):
                uploads = (asyncio.to_thread(upload, address, base_id, declared) for _ in range(4))
                assert set(await asyncio.gather(*uploads)) == {code}
        print(f"uploads of 1.5 GB: at most {growth.most >> 20} MiB, kept {growth.kept >> 20}")
        assert growth.most < 100 * MIB and growth.kept < 50 * MIB

    asyncio.run(asyncio.wait_for(test(tcp_worker.address), 200))
    assert not list(tcp_worker.folder.glob("lad-state-*/transfers/*"))


def test_the_worker_keeps_files_for_itself_and_serves_again_when_strangers_say_nothing() -> None:
    """400 connections over TCP, where 256 files may be open: more than may connect, and none that says a word."""

    async def test(address: str) -> None:
        host, port = address.split(":")
        silent = [socket.create_connection((host, int(port)), timeout=10) for _ in range(400)]
        await asyncio.sleep(0.5)
        assert len(os.listdir(f"/proc/{started.process.pid}/fd")) < 200
        shut_out = time.monotonic()
        await served_within(address, 60)
        print(f"served again after {time.monotonic() - shut_out:.1f} s")
        for connection in silent:
            connection.close()

    with worker("--listen", "127.0.0.1:0", most_files=256) as started:
        assert "at most 112 clients can be connected" in started.stderr()
        asyncio.run(asyncio.wait_for(test(started.address), 100))


async def served_within(address: str, seconds: float) -> None:
    end = time.monotonic() + seconds
    while True:
        client = Client(address)
        try:
            await client.worker.GetInfo(worker_pb2.GetInfoRequest(), metadata=HEADERS, timeout=5)
            return
        except aio.AioRpcError:
            assert time.monotonic() < end
            await asyncio.sleep(0.2)
        finally:
            await client.channel.close()


def test_a_worker_that_may_hardly_open_a_file_says_so() -> None:
    with worker("--listen", "127.0.0.1:0", most_files=150, wait=False) as started:
        assert started.process.wait(START_SECONDS) == 1
        assert "may have 150 files open, of which it needs 144 itself" in started.stderr()


def test_a_state_folder_that_is_removed_under_the_worker_is_noticed_and_made_again(
    tcp_worker: Started,
) -> None:
    state, said = tcp_worker.state, tcp_worker.stderr()

    async def test(address: str) -> None:
        client = Client(address)
        base_id, dataset_id = await client.base("stub"), await client.dataset(LINES)
        adapter_id = await client.adapter(base_id)
        save = adapters_pb2.SaveCheckpointRequest(adapter_id=adapter_id, name="kept")
        load = adapters_pb2.LoadCheckpointRequest(base_id=base_id, name="kept")
        await client.adapters.SaveCheckpoint(save, metadata=HEADERS)

        shutil.rmtree(state)
        has = data_pb2.HasDatasetRequest(dataset_id=dataset_id)
        assert not (await client.data.HasDataset(has, metadata=HEADERS)).found
        _, detail = await refused(client.train(adapter_id, dataset_id, window=WINDOW, batch_size=4))
        assert (detail.code, detail.option) == ("not-found", "datasetId")
        _, detail = await refused(client.adapters.LoadCheckpoint(load, metadata=HEADERS))
        assert detail.code == "not-found"

        assert await client.dataset(LINES) == dataset_id
        run_id = await client.train(adapter_id, dataset_id, steps=2, window=WINDOW, batch_size=4)
        assert (await client.events(run_id))[-1].HasField("training_finished")
        await client.adapters.SaveCheckpoint(save, metadata=HEADERS)
        assert (await client.adapters.LoadCheckpoint(load, metadata=HEADERS)).adapter.steps == 2
        await client.upload(base_id, await download(client, adapter_id))
        await client.channel.close()

    asyncio.run(asyncio.wait_for(test(tcp_worker.address), 100))
    assert "Traceback" not in tcp_worker.stderr().removeprefix(said)
