"""The worker as a process: starting, stopping, dying; and the real `stub` base end to end over a unix socket."""

import asyncio
import math
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lad_runtime.gen.lad.v1 import (
    adapters_pb2,
    data_pb2,
    evaluation_pb2,
    sampling_pb2,
    training_pb2,
    worker_pb2,
)
from lad_runtime.method.policy import PolicySpec
from lad_runtime.wire.codec import writer
from sampling_specs import POLICY_BUILDERS
from test_server import HEADERS, TOKEN, Client, refused
from test_wire import CAUSAL, DRAW, LOSS, NOISE, OPTIMIZER

RUNTIME = Path(__file__).parents[3] / "runtime"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(RUNTIME), "OMP_NUM_THREADS": "1"}
WINDOW = data_pb2.WindowSpec(window=32, pad_to_window=True, too_long=1, supervise=1)
LINES = b"".join(b'{"instruction": "%d + 1", "output": "%d"}\n' % (n, n + 1) for n in range(24))
START_SECONDS = 150  # torch's import on a busy machine


@dataclass
class Started:
    process: "subprocess.Popen[bytes]"
    folder: Path
    address: str
    state: str = ""

    def stderr(self) -> str:
        return (self.folder / "stderr").read_text()


@contextmanager
def worker(
    *arguments: str, token_stdin: bool = True, wait: bool = True, most_files: int = 0
) -> Iterator[Started]:
    """A worker on a socket of its own, killed with its group at the end. It may open so many files, or as many as this process."""
    limited = ["sh", "-c", f'ulimit -n {most_files} && exec "$@"', "sh"] if most_files else []
    with tempfile.TemporaryDirectory(prefix="lad-") as name:
        folder = Path(name)
        (folder / "token").write_text(TOKEN + "\n")
        token = ["--token-stdin"] if token_stdin else ["--token-file", str(folder / "token")]
        address = [] if "--listen" in arguments else ["--socket", str(folder / "s")]
        with (folder / "stderr").open("wb") as stderr:
            process = subprocess.Popen(
                [*limited, sys.executable, "-m", "lad_runtime", *address, *token, *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                env={**ENVIRONMENT, "TMPDIR": str(folder)},
            )
        assert process.stdin is not None and process.stdout is not None
        try:
            if token_stdin:
                process.stdin.write(TOKEN.encode() + b"\n")
                process.stdin.flush()
            started = Started(process, folder, "")
            if wait:
                started.state = told(process, "state", started)
                started.address = told(process, "ready", started)
            yield started
        finally:
            process.kill()
            process.stdin.close()
            process.wait()


def told(process: "subprocess.Popen[bytes]", word: str, started: Started) -> str:
    """What the worker's next line says after its first word."""
    assert process.stdout is not None
    first, _, rest = process.stdout.readline().decode().rstrip("\n").partition(" ")
    assert first == word, started.stderr()
    return rest


def run_start(*arguments: str, stdin: str = TOKEN) -> "subprocess.CompletedProcess[bytes]":
    """A start that is expected to end by itself; its standard input stays open, so that the death pipe is not what ends it."""
    read_end, write_end = os.pipe()
    try:
        os.write(write_end, stdin.encode() + b"\n")
        return subprocess.run(
            [sys.executable, "-m", "lad_runtime", *arguments],
            stdin=read_end,
            capture_output=True,
            env=ENVIRONMENT,
            timeout=START_SECONDS,
            check=False,
        )
    finally:
        os.close(read_end)
        os.close(write_end)


@pytest.fixture(scope="module")
def stub_worker() -> Iterator[Started]:
    """One worker for the tests that only talk to it."""
    with worker() as started:
        yield started


def test_the_stub_is_trained_sampled_scored_saved_and_resumed_end_to_end(stub_worker: Started) -> None:
    async def test(address: str) -> None:
        client = Client(address)
        base_id = await client.base("stub")
        dataset_id = await client.dataset(LINES)
        adapter_id = await client.adapter(base_id)
        fields: dict[str, Any] = {"steps": 6, "batch_size": 4, "checkpoint": "run-1", "window": WINDOW}
        validation = training_pb2.ValidationSpec(dataset_id=dataset_id, max_examples=8)
        run_id = await client.train(adapter_id, dataset_id, validation=validation, **fields)
        events = await client.events(run_id)
        kinds = [event.WhichOneof("event") for event in events]
        assert kinds == [
            "training_started",
            "validation",
            *["training_step"] * 6,
            "validation",
            "checkpoint",
            "training_finished",
        ]
        first, last = events[2].training_step, events[7].training_step
        assert 0 < last.report.ce < first.report.ce < 2 * math.log(261)
        assert events[0].training_started.report.kept == 24

        load = adapters_pb2.LoadCheckpointRequest(base_id=base_id, name="run-1")
        loaded = (await client.adapters.LoadCheckpoint(load, metadata=HEADERS)).adapter
        assert loaded.steps == 6

        write_policy = writer(PolicySpec, sampling_pb2.Policy)
        answers = {}
        for given in (adapter_id, loaded.id):
            for name, build in POLICY_BUILDERS.items():
                policy = write_policy(build())
                run_id = await client.sample(base_id, given, canvases=2, policy=policy, answer_tokens=6)
                events = await client.events(run_id)
                assert events[-1].sampling_finished.canvases == 2
                answers[given, name] = [
                    tuple(event.answer.canvas_ids) for event in events if event.HasField("answer")
                ]
        assert all(answers[adapter_id, name] == answers[loaded.id, name] for name in POLICY_BUILDERS)

        predict = sampling_pb2.PredictRequest(
            base_id=base_id,
            adapter_id=adapter_id,
            canvases=[sampling_pb2.PredictCanvas(ids=[1, 2, 3, 257, 257], answer_start=3)],
            spec=sampling_pb2.PredictSpec(draw=DRAW, mode=1, top=5, logits=True),
        )
        prediction = (await client.sampling.Predict(predict, metadata=HEADERS)).predictions[0]
        assert (len(prediction.ids), len(prediction.top_ids)) == (2, 10)
        assert len(prediction.logits) == 4 * 2 * 261
        assert prediction.top_ids[0] == prediction.ids[0]

        item = evaluation_pb2.ScoreItem(
            prompt=data_pb2.TokenIds(ids=[1, 2]), continuation=data_pb2.TokenIds(ids=[3, 4])
        )
        score = evaluation_pb2.ScoreRequest(base_id=base_id, likelihood=CAUSAL, mode=2, items=[item])
        likelihood = (await client.evaluation.Score(score, metadata=HEADERS)).scores[0]
        assert likelihood.log_likelihood < 0

        download = adapters_pb2.DownloadAdapterRequest(adapter_id=adapter_id)
        replies = client.adapters.DownloadAdapter(download, metadata=HEADERS)
        uploaded = await client.upload(base_id, [reply.piece async for reply in replies])
        predict.adapter_id = uploaded.id
        again = (await client.sampling.Predict(predict, metadata=HEADERS)).predictions[0]
        assert again == prediction
        await client.channel.close()

    asyncio.run(asyncio.wait_for(test(stub_worker.address), 150))
    assert "ERROR" not in stub_worker.stderr()


def test_a_run_equals_the_same_loop_of_primitives(stub_worker: Started) -> None:
    async def test(address: str) -> None:
        client = Client(address)
        base_id, dataset_id = await client.base("stub"), await client.dataset(LINES)
        by_run, by_hand = await client.adapter(base_id), await client.adapter(base_id)
        run_id = await client.train(
            by_run, dataset_id, steps=1, batch_size=24, window=WINDOW, micro_batch_tokens=100
        )
        events = await client.events(run_id)
        step = next(event.training_step for event in events if event.HasField("training_step"))
        examples = training_pb2.NoisedExamples(
            dataset_id=dataset_id,
            window=WINDOW,
            noise=NOISE,
            loss=LOSS,
            seed=2**64 - 1,
            rows=range(24),
            context=1,
        )
        forward = training_pb2.ForwardBackwardRequest(
            adapter_id=by_hand, sequence=1, mode=1, examples=examples, micro_batch_tokens=100
        )
        computed = await client.training.ForwardBackward(forward, metadata=HEADERS)
        assert computed.loss == pytest.approx(step.report.loss, rel=1e-6)
        assert len(computed.ce) == 4 * 24 * 32
        optim = training_pb2.OptimStepRequest(
            adapter_id=by_hand, sequence=2, optimizer=OPTIMIZER, learning_rate=step.learning_rate
        )
        reply = await client.training.OptimStep(optim, metadata=HEADERS)
        assert reply.gradient_norm == pytest.approx(step.gradient_norm, rel=1e-5)
        await client.channel.close()

    asyncio.run(asyncio.wait_for(test(stub_worker.address), 150))


def test_bad_input_gets_a_typed_error_and_leaves_the_worker_serving(stub_worker: Started) -> None:
    async def test(address: str) -> None:
        client = Client(address)
        base_id, dataset_id = await client.base("stub"), await client.dataset(LINES)
        adapter_id = await client.adapter(base_id)
        failures: list[tuple[Any, str]] = [
            (client.base("no/such-folder-or-hub-id/x"), "not-found"),
            (client.adapters.CreateAdapter(_adapter(base_id, rank=0), metadata=HEADERS), "invalid-option"),
            (client.adapters.CreateAdapter(_adapter(base_id, rank=4096), metadata=HEADERS), "invalid-option"),
            (client.sample(base_id, policy=sampling_pb2.Policy()), "invalid-option"),
            (client.sample(base_id, answer_tokens=5000), "invalid-option"),
            (client.dataset(b""), "invalid-data"),
            (client.sample(base_id, draw=sampling_pb2.DrawSpec(temperature=math.nan)), "invalid-option"),
        ]
        for call, code in failures:
            _, detail = await refused(call)
            assert (detail.code, bool(detail.remedy)) == (code, True), detail
        wrong_mask = worker_pb2.LoadBaseRequest(name="stub", mask_token="two tokens")
        _, detail = await refused(client.worker.LoadBase(wrong_mask, metadata=HEADERS).read())
        assert (detail.code, detail.option) == ("invalid-option", "maskToken")
        too_fast = training_pb2.ScheduleSpec(learning_rate=1e30, decay=3)
        run_id = await client.train(
            adapter_id, dataset_id, steps=9, schedule=too_fast, window=WINDOW, batch_size=4
        )
        assert (await client.events(run_id))[-1].failed.code == "diverged"
        assert (await client.events(await client.sample(base_id)))[-1].HasField("sampling_finished")
        await client.channel.close()

    asyncio.run(asyncio.wait_for(test(stub_worker.address), 150))


def _adapter(base_id: str, rank: int) -> adapters_pb2.CreateAdapterRequest:
    spec = worker_pb2.AdapterSpec(rank=rank, alpha=1, targets=["q_proj"])
    return adapters_pb2.CreateAdapterRequest(base_id=base_id, spec=spec)


def test_the_worker_dies_with_its_client_within_milliseconds_and_leaves_nothing_behind() -> None:
    with worker() as started:
        assert list(started.folder.glob("lad-state-*"))
        assert started.process.stdin is not None
        closed = time.monotonic()
        started.process.stdin.close()
        assert started.process.wait(30) == -signal.SIGKILL
        assert time.monotonic() - closed < 2
        assert sorted(path.name for path in started.folder.iterdir()) == ["stderr", "token"]


def test_the_worker_dies_with_its_client_while_it_is_still_starting() -> None:
    with worker(wait=False) as started:
        assert started.process.stdin is not None
        time.sleep(0.3)
        started.process.stdin.close()
        closed = time.monotonic()
        assert started.process.wait(60) in (-signal.SIGKILL, 1)
        assert time.monotonic() - closed < 15


def test_the_worker_leads_a_process_group_of_its_own(stub_worker: Started) -> None:
    assert os.getpgid(stub_worker.process.pid) == stub_worker.process.pid != os.getpgrp()


def test_sigterm_checkpoints_a_run_and_exits_with_0() -> None:
    async def start(address: str) -> None:
        client = Client(address)
        base_id, dataset_id = await client.base("stub"), await client.dataset(LINES)
        adapter_id = await client.adapter(base_id)
        run_id = await client.train(
            adapter_id, dataset_id, steps=100_000, checkpoint="kept", window=WINDOW, batch_size=4
        )
        events = aiter(client.follow(run_id))
        while not (await anext(events)).HasField("training_step"):
            pass
        await client.channel.close()

    async def resume(address: str) -> None:
        client = Client(address)
        base_id = await client.base("stub")
        request = adapters_pb2.LoadCheckpointRequest(base_id=base_id, name="kept")
        assert (await client.adapters.LoadCheckpoint(request, metadata=HEADERS)).adapter.steps > 0
        dataset_id = await client.dataset(LINES)
        adapter_id = await client.adapter(base_id)
        run_id = await client.train(
            adapter_id,
            dataset_id,
            steps=100_000,
            checkpoint="kept",
            resume=True,
            window=WINDOW,
            batch_size=4,
        )
        events = aiter(client.follow(run_id))
        assert (await anext(events)).training_started.from_step > 0
        await client.channel.close()

    with tempfile.TemporaryDirectory(prefix="lad-") as state:
        with worker("--state", state) as started:
            asyncio.run(asyncio.wait_for(start(started.address), 150))
            started.process.terminate()
            assert started.process.wait(90) == 0
            assert started.stderr().splitlines()[-1].endswith("lad.server: stopped")
        half = Path(state) / "datasets" / "half.part"
        half.touch()
        with worker("--state", state) as started:
            assert started.state == state
            assert not half.exists()  # what no worker writes on
            asyncio.run(asyncio.wait_for(resume(started.address), 150))
        assert list(Path(state).glob("datasets/*.jsonl"))


def test_a_state_folder_is_one_workers_and_a_second_says_whose_it_is_or_takes_the_next(
    stub_worker: Started,
) -> None:
    folder = Path(stub_worker.state)
    half = folder / "datasets" / "half.part"
    half.touch()
    second = run_start("--listen", "127.0.0.1:0", "--token-stdin", "--state", str(folder))
    error = second.stderr.decode()
    assert second.returncode == 75
    assert f"{folder} is in use by another worker (process {stub_worker.process.pid} on " in error
    with worker("--state", str(folder), "--or-next-state") as third:
        assert third.state == f"{folder}-2"
    assert half.exists()


def test_the_socket_is_the_workers_alone(stub_worker: Started) -> None:
    path = stub_worker.folder / "s"
    assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0
    second = run_start("--socket", str(path), "--token-stdin")
    assert (second.returncode, b"another process listens there" in second.stderr) == (1, True)
    assert path.exists()


def test_a_socket_that_nobody_listens_at_is_replaced() -> None:
    with tempfile.TemporaryDirectory(prefix="lad-") as folder:
        path = Path(folder) / "s"
        with socket.socket(socket.AF_UNIX) as abandoned:
            abandoned.bind(str(path))
        assert path.exists()  # a socket file is no sign of life
        third = subprocess.Popen(
            [sys.executable, "-m", "lad_runtime", "--socket", str(path), "--token-stdin"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=ENVIRONMENT,
        )
        assert third.stdin is not None and third.stdout is not None
        with third:
            third.stdin.write(TOKEN.encode() + b"\n")
            third.stdin.flush()
            assert third.stdout.readline().startswith(b"state ")
            assert third.stdout.readline().startswith(b"ready ")
            third.terminate()


def test_health_can_be_checked_from_the_command_line_over_tcp() -> None:
    def check(address: str) -> int:
        command = [sys.executable, "-m", "lad_runtime.health", "--address", address, "--timeout-seconds", "5"]
        return subprocess.run(command, env=ENVIRONMENT, capture_output=True, check=False).returncode

    with worker("--listen", "127.0.0.1:0", token_stdin=False) as started:
        assert started.address.startswith("127.0.0.1:") and not started.address.endswith(":0")
        assert check(started.address) == 0
        started.process.terminate()
        started.process.wait(90)
        assert check(started.address) == 1


def test_a_lease_ends_a_worker_that_nobody_holds_and_leaves_nothing_behind() -> None:
    with worker("--lease-seconds", "1") as started:
        assert started.process.wait(90) == 0
        assert sorted(path.name for path in started.folder.iterdir()) == ["stderr", "token"]


def test_a_port_in_use_is_named_with_a_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, tempfile.NamedTemporaryFile("w") as token:
        token.write(TOKEN)
        token.flush()
        port = taken.getsockname()[1]
        done = run_start("--listen", f"127.0.0.1:{port}", "--token-file", token.name)
    assert done.returncode == 1
    last = done.stderr.decode().splitlines()[-1]
    assert last.startswith(f"error: The worker cannot listen on 127.0.0.1:{port}.")
    assert "in use" in last


@pytest.mark.parametrize(
    ("arguments", "stdin", "status", "text"),
    [
        (["--listen", "nowhere", "--token-stdin"], TOKEN, 1, "--listen is nowhere: it is not HOST:PORT"),
        (["--socket", "/tmp/" + "x" * 120, "--token-stdin"], TOKEN, 1, "longer than 100 bytes"),
        (["--socket", "/tmp/worker.sock", "--token-stdin"], TOKEN, 1, "open to other users"),
        (["--socket", "/nowhere/s", "--token-stdin"], TOKEN, 1, "folder does not exist"),
        (["--listen", "127.0.0.1:0", "--token-stdin"], "short", 1, "fewer than 16 characters"),
        (["--listen", "127.0.0.1:0", "--token-file", "/nowhere"], "", 1, "cannot be read"),
        (["--listen", "127.0.0.1:0", "--token-stdin", "--threads", "-1"], TOKEN, 2, "from 0 to 1024"),
        (["--listen", "127.0.0.1:0"], TOKEN, 2, "--token-stdin"),
        (["--listen", "127.0.0.1:0", "--token-stdin", "--state", "/proc/x"], TOKEN, 1, "cannot be written"),
    ],
)
def test_a_start_that_cannot_succeed_says_why(
    arguments: list[str], stdin: str, status: int, text: str
) -> None:
    done = run_start(*arguments, stdin=stdin)
    assert (done.returncode, text in done.stderr.decode()) == (status, True), done.stderr.decode()


@pytest.mark.skipif(
    subprocess.run(["sh", "-c", "command -v nvidia-smi"], capture_output=True, check=False).returncode == 0,
    reason="this machine has a CUDA device",
)
def test_a_device_that_is_not_there_is_named() -> None:
    with worker("--device", "cuda", wait=False) as started:
        assert started.process.wait(START_SECONDS) == 1
        assert "device is cuda: torch finds no CUDA device" in started.stderr()


def test_starting_loads_torch_and_none_of_the_heavy_libraries() -> None:
    script = (
        "import sys, lad_runtime.__main__, lad_runtime.server.serve, lad_runtime.engine.worker\n"
        "import lad_runtime.torch_backend.backend\n"
        "heavy = {'transformers', 'peft', 'datasets', 'huggingface_hub', 'gguf', 'jinja2', 'torch._dynamo', 'sympy'}\n"
        "print(sorted(heavy & set(sys.modules)), 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], env=ENVIRONMENT, capture_output=True, check=True)
    assert done.stdout.decode().strip() == "[] True"
