"""Work that blocks for long: it takes threads of its own kind alone, one for each thing, and gives them back when nobody waits."""

import asyncio
import os
import signal
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from fake_backend import FakeAdapter, FakeBackend, FakeBase
from lad_runtime.engine.data import datasets
from lad_runtime.engine.worker import Worker
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.gen.lad.v1 import adapters_pb2, data_pb2, training_pb2
from lad_runtime.server.calls.threads import Shared, Threads
from lad_runtime.types.bases import LoadProgress
from lad_runtime.types.data import Example, PreparedExample, WindowReport, WindowSpec
from test_server import HEADERS, Client, serving
from test_wire import LOSS, NOISE, WINDOW

MANY = 40  # more than there are threads for texts and files
SECONDS = 20  # for what takes none


@dataclass
class SlowBackend(FakeBackend):
    """Loads, prepares and exports only once `go_on` is set; a data set's preparing looks at its examples meanwhile."""

    go_on: threading.Event = field(default_factory=threading.Event)
    begun: list[str] = field(default_factory=list)
    found: list[bool] = field(default_factory=list)

    def load_base(
        self, spec: Any, progress: Callable[[LoadProgress], None], admit: Callable[[int], None]
    ) -> FakeBase:
        if spec.name.startswith("silent"):
            self.begun.append(spec.name)
            assert self.go_on.wait(60)
        return super().load_base(spec, progress, admit)

    def prepare(
        self, base: FakeBase, examples: Iterable[Example], window: WindowSpec
    ) -> tuple[list[PreparedExample], WindowReport]:
        self.begun.append(f"window {window.window}")
        return super().prepare(base, self._slowly(examples), window)

    def _slowly(self, examples: Iterable[Example]) -> Iterator[Example]:
        for example in examples:
            yield example
            self.go_on.wait(0.05)

    def export_adapter(
        self, base: FakeBase, adapter: FakeAdapter, folder: Path, *, with_card: bool = False
    ) -> None:
        self.begun.append("export")
        assert self.go_on.wait(60)
        self.found.append(folder.is_dir())
        super().export_adapter(base, adapter, folder, with_card=with_card)


def slow(test: Callable[[Client, SlowBackend, Worker], Awaitable[None]]) -> None:
    async def run() -> None:
        backend = SlowBackend()
        try:
            async with serving(backend) as (client, worker):
                await asyncio.wait_for(test(client, backend, worker), 100)
        finally:
            backend.go_on.set()

    asyncio.run(run())


@asynccontextmanager
async def under_way(calls: Iterable[Coroutine[Any, Any, Any]]) -> AsyncIterator[None]:
    """Calls, cancelled at the end."""
    tasks = [asyncio.ensure_future(call) for call in calls]
    await asyncio.sleep(0.3)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def until(true: Callable[[], bool]) -> None:
    ends = time.monotonic() + SECONDS
    while not true():
        assert time.monotonic() < ends
        await asyncio.sleep(0.02)


async def answers(client: Client, base_id: str) -> None:
    """What a neighbour asks for."""
    other = Client(client.address)
    try:
        encode = data_pb2.EncodeRequest(base_id=base_id, texts=["a"])
        await other.data.Encode(encode, metadata=HEADERS, timeout=SECONDS)
        has = data_pb2.HasDatasetRequest(dataset_id="0" * 64)
        await other.data.HasDataset(has, metadata=HEADERS, timeout=SECONDS)
    finally:
        await other.channel.close()


def lines(count: int) -> bytes:
    return b"".join(b'{"instruction": "%d", "output": "%d"}\n' % (n, n) for n in range(count))


def window(size: int) -> data_pb2.WindowSpec:
    changed = data_pb2.WindowSpec()
    changed.CopyFrom(WINDOW)
    changed.window = size
    return changed


async def prepare(client: Client, base_id: str, dataset_id: str, size: int) -> int:
    request = data_pb2.PrepareDatasetRequest(base_id=base_id, dataset_id=dataset_id, window=window(size))
    return (await client.data.PrepareDataset(request, metadata=HEADERS)).report.kept


def test_bases_that_do_not_come_hold_up_no_texts_and_not_the_end() -> None:
    async def test(client: Client, backend: SlowBackend, _: Worker) -> None:
        base_id = await client.base()
        same = [client.base("silent") for _ in range(MANY)]
        async with under_way([*same, *(client.base(f"silent-{n}") for n in range(MANY))]):
            await answers(client, base_id)
            assert backend.begun.count("silent") == 1
        await answers(client, base_id)

    slow(test)


def test_a_load_that_all_have_left_is_taken_up_by_the_next_who_wants_it() -> None:
    async def test(client: Client, backend: SlowBackend, _: Worker) -> None:
        async with under_way([client.base("silent")]):
            pass
        waiting = asyncio.ensure_future(client.base("silent"))
        await asyncio.sleep(0.3)
        backend.go_on.set()
        assert await asyncio.wait_for(waiting, SECONDS) == "silent-r1"
        assert backend.begun == ["silent"]

    slow(test)


def test_a_data_set_is_prepared_beside_texts_and_its_threads_come_back_when_all_have_left() -> None:
    async def test(client: Client, backend: SlowBackend, _: Worker) -> None:
        base_id = await client.base()
        adapter_id = await client.adapter(base_id)
        long_id, short_id = await client.dataset(lines(600)), await client.dataset(lines(1))

        async def validate(size: int) -> None:
            request = training_pb2.ValidateRequest(
                base_id=base_id,
                dataset_id=long_id,
                window=window(size),
                noise=NOISE,
                loss=LOSS,
                attention=1,
                context=1,
            )
            await client.training.Validate(request, metadata=HEADERS)

        async def train(size: int) -> None:
            examples = training_pb2.NoisedExamples(
                dataset_id=long_id, rows=[0], window=window(size), noise=NOISE, loss=LOSS, context=1
            )
            request = training_pb2.ForwardBackwardRequest(adapter_id=adapter_id, examples=examples, mode=1)
            await client.training.ForwardBackward(request, metadata=HEADERS)

        calls = {100: lambda size: prepare(client, base_id, long_id, size), 200: validate, 300: train}
        for size, call in calls.items():
            same = [call(size) for _ in range(MANY)]
            async with under_way([*same, *(call(size + 1 + n) for n in range(MANY))]):
                await answers(client, base_id)
                assert backend.begun.count(f"window {size}") == 1
            assert await asyncio.wait_for(prepare(client, base_id, short_id, size), SECONDS) == 1

    slow(test)


def test_a_hub_data_set_that_does_not_come_holds_up_no_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    async def test(client: Client, backend: SlowBackend, _: Worker) -> None:
        def silent(source: object) -> Iterator[bytes]:
            backend.go_on.wait(60)
            yield from ()

        monkeypatch.setattr(datasets, "hub_lines", silent)
        base_id = await client.base()
        request = data_pb2.OpenDatasetRequest(hub=data_pb2.HubDataset(name="owner/silent"))

        async def opened() -> None:
            await client.data.OpenDataset(request, metadata=HEADERS)

        async with under_way(opened() for _ in range(MANY)):
            await answers(client, base_id)
        await answers(client, base_id)

    slow(test)


def test_a_worker_ends_also_while_all_threads_for_texts_and_files_are_taken() -> None:
    async def test(client: Client, backend: SlowBackend, worker: Worker) -> None:
        loop = asyncio.get_running_loop()
        taken = [loop.run_in_executor(None, backend.go_on.wait, 60) for _ in range(MANY)]

        def stopped() -> bool:
            try:
                worker.engine.call(lambda: None)
            except LadError as error:
                return error.code is ErrorCode.UNAVAILABLE
            return False

        os.kill(os.getpid(), signal.SIGTERM)
        await until(stopped)
        backend.go_on.set()
        await asyncio.gather(*taken)

    slow(test)


def test_a_download_that_is_cancelled_keeps_its_folder_until_the_export_has_ended() -> None:
    async def test(client: Client, backend: SlowBackend, worker: Worker) -> None:
        adapter_id = await client.adapter(await client.base())
        request = adapters_pb2.DownloadAdapterRequest(adapter_id=adapter_id)
        download = client.adapters.DownloadAdapter(request, metadata=HEADERS)
        reading = asyncio.ensure_future(download.read())
        await until(lambda: backend.begun == ["export"])
        reading.cancel()
        download.cancel()
        await asyncio.sleep(0.5)
        backend.go_on.set()
        transfers = Path(client.address.removeprefix("unix:")).parent / "transfers"
        await until(lambda: backend.found == [True] and not any(transfers.iterdir()))

    slow(test)


def test_a_merge_that_is_left_on_its_way_gives_everything_back() -> None:
    async def test(client: Client, backend: SlowBackend, worker: Worker) -> None:
        backend.go_on.set()
        base_id = await client.base()
        adapter_id = await client.adapter(base_id)
        request = adapters_pb2.MergeAdapterRequest(adapter_id=adapter_id, shard_bytes=1)
        merge = client.adapters.MergeAdapter(request, metadata=HEADERS)
        first = await merge.read()
        assert (first.piece.name, len(first.piece.data)) == ("model.safetensors", 1 << 20)
        base = worker.registry.base(base_id)
        transfers = Path(client.address.removeprefix("unix:")).parent / "transfers"
        assert any(user.startswith("merge-") for user in base.uses) and any(transfers.iterdir())
        merge.cancel()
        await until(lambda: not any(user.startswith("merge-") for user in base.uses))
        await until(lambda: not any(transfers.iterdir()))
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("lad-reading")]

    slow(test)


def test_many_merges_that_wait_for_the_device_leave_the_threads_to_others() -> None:
    async def test(client: Client, backend: SlowBackend, worker: Worker) -> None:
        base_id = await client.base()
        adapter_id = await client.adapter(base_id)
        request = adapters_pb2.MergeAdapterRequest(adapter_id=adapter_id, shard_bytes=1)

        async def merged() -> None:
            async for _ in client.adapters.MergeAdapter(request, metadata=HEADERS):
                pass

        async with under_way(merged() for _ in range(MANY)):
            await answers(client, base_id)
            backend.go_on.set()

    slow(test)


def test_what_waits_for_a_thread_is_bounded_and_never_begins_once_it_is_left() -> None:
    async def test() -> None:
        threads, gate, begun = Threads("testing", 1, 2), threading.Event(), []

        def work(name: str) -> Callable[[Shared[str]], str]:
            def run(_: Shared[str]) -> str:
                begun.append(name)
                assert gate.wait(60)
                return name

            return run

        first = asyncio.ensure_future(threads.run("a", work("a")))
        left = asyncio.ensure_future(threads.run("b", work("b")))
        await until(lambda: begun == ["a"])
        with pytest.raises(LadError, match="2 calls wait for testing") as refused:
            await threads.run("c", work("c"))
        assert refused.value.code is ErrorCode.BUSY and refused.value.retry_after_ms > 0
        left.cancel()
        await asyncio.gather(left, return_exceptions=True)
        last = asyncio.ensure_future(threads.run("c", work("c")))
        gate.set()
        assert await asyncio.gather(first, last) == ["a", "c"]
        assert begun == ["a", "c"]

    asyncio.run(asyncio.wait_for(test(), 60))


def test_who_comes_while_a_work_gives_up_begins_it_anew() -> None:
    async def test() -> None:
        threads, looked, gate = Threads("testing", 2, 2), threading.Event(), threading.Event()
        tries = 0

        def work(shared: Shared[int]) -> int:
            nonlocal tries
            tries += 1
            if tries > 1:
                return tries
            while not shared.left():
                time.sleep(0.01)
            looked.set()
            assert gate.wait(60)
            raise LadError(ErrorCode.CANCELLED, "Nobody waits.")

        first = asyncio.ensure_future(threads.run("a", work))
        await until(lambda: tries == 1)
        first.cancel()
        await until(looked.is_set)
        second = asyncio.ensure_future(threads.run("a", work))
        await asyncio.sleep(0.1)
        gate.set()
        assert await asyncio.wait_for(second, SECONDS) == 2

    asyncio.run(asyncio.wait_for(test(), 60))
