"""Adapters on their way to a hub: all of their files in one commit, and no token in anything that is told."""

import json
import logging
import threading
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import pytest

from fake_hub_writes import COMMIT, TOKEN, WritableHub
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.types.adapters import PushSpec
from worker_support import Bench


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[WritableHub]:
    made = WritableHub()
    monkeypatch.setenv("HF_ENDPOINT", made.endpoint)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    yield made
    made.close()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path / "state")
    yield made
    made.worker.drain(30)


def spec(**changes: object) -> PushSpec:
    given = {
        "repo": "owner/capitals",
        "private": True,
        "message": "",
        "hub_token": TOKEN,
        "idle_timeout_ms": 30_000,
    }
    return PushSpec(**{**given, **changes})  # type: ignore[arg-type]


def test_a_push_writes_what_a_save_writes(hub: WritableHub, bench: Bench, tmp_path: Path) -> None:
    adapter_id = bench.adapter(bench.base()).id
    pushed = bench.worker.pushes.push(adapter_id, spec())
    assert (pushed.url, pushed.commit) == (f"{hub.endpoint}/owner/capitals", COMMIT)
    (tmp_path / "saved").mkdir()
    bench.worker.adapters.export(adapter_id, tmp_path / "saved", with_card=True).result(30)
    saved = {path.name: path.read_bytes() for path in (tmp_path / "saved").iterdir()}
    assert hub.files == {"owner/capitals": saved}
    assert {"README.md", "adapter_config.json", "adapter_model.safetensors"} <= saved.keys()
    assert len(hub.messages) == 1 and hub.messages[0].startswith("An adapter of lad ")
    assert hub.made[0]["name"] == "capitals"
    assert not any((tmp_path / "state" / "transfers").iterdir())


def test_a_repository_is_made_as_asked_and_written_to_again(hub: WritableHub, bench: Bench) -> None:
    adapter_id = bench.adapter(bench.base()).id
    bench.worker.pushes.push(adapter_id, spec())
    bench.worker.pushes.push(adapter_id, spec(message="better"))
    bench.worker.pushes.push(adapter_id, spec(repo="owner/open", private=False))
    assert hub.messages[1] == "better" and len(hub.made) == 2
    told = [json.dumps(made) for made in hub.made]
    assert (
        "private" in told[0] and '"private": true' not in told[1] and '"visibility": "private"' not in told[1]
    )


def test_what_a_hub_refuses_has_a_name_and_never_the_token(
    hub: WritableHub, bench: Bench, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    adapter_id = bench.adapter(bench.base()).id
    wrong = "hf_another_token"
    for changes, code, option in [
        ({"hub_token": wrong}, ErrorCode.ACCESS_DENIED, "hubToken"),
        ({"hub_token": ""}, ErrorCode.ACCESS_DENIED, "hubToken"),
        ({"repo": "owner/full"}, ErrorCode.UNAVAILABLE, "repo"),
    ]:
        with pytest.raises(LadError) as refused:
            bench.worker.pushes.push(adapter_id, spec(**changes))
        assert (refused.value.code, refused.value.option) == (code, option)
        told = "".join(traceback.format_exception(refused.value)) + str(refused.value.__dict__)
        assert TOKEN not in told and wrong not in told
    bench.worker.pushes.push(adapter_id, spec())
    told = caplog.text + "".join(capfd.readouterr()) + repr(spec())
    assert TOKEN not in told and wrong not in told


def test_weights_go_by_git_lfs_to_a_hub_that_offers_xet(hub: WritableHub, bench: Bench) -> None:
    assert find_spec("hf_xet") is not None, "the library would not take Xet anyway"
    bench.worker.pushes.push(bench.adapter(bench.base()).id, spec())
    assert "/owner/capitals.git/info/lfs/objects/batch" in hub.asked
    assert any(path.startswith("/store/") for path in hub.asked)
    assert not [path for path in hub.asked if "xet" in path]


@pytest.mark.parametrize("name", ["silent", "drips", "later", "stuck"])
def test_a_hub_that_keeps_one_waiting_is_left(hub: WritableHub, bench: Bench, name: str) -> None:
    """It never answers, its answer never ends, it names a time that is far off, or it takes weights and says nothing."""
    adapter_id = bench.adapter(bench.base()).id
    with pytest.raises(LadError, match=r"idleTimeoutMs \(700 ms\)") as refused:
        bench.worker.pushes.push(adapter_id, spec(repo=f"owner/{name}", idle_timeout_ms=700))
    assert (refused.value.code, refused.value.option) == (ErrorCode.UNAVAILABLE, "idleTimeoutMs")
    assert not hub.files.get(f"owner/{name}")


@pytest.mark.parametrize(
    ("name", "problem"),
    [("endless", "longer than 8 MiB"), ("packed", "packed"), ("nonsense", "not understood")],
)
def test_an_answer_that_no_hub_gives_is_refused(
    hub: WritableHub, bench: Bench, name: str, problem: str
) -> None:
    with pytest.raises(LadError, match=problem) as refused:
        bench.worker.pushes.push(bench.adapter(bench.base()).id, spec(repo=f"owner/{name}"))
    assert refused.value.code is ErrorCode.UNAVAILABLE


@pytest.mark.parametrize("name", ["silent", "drips", "later", "stuck"])
def test_a_push_ends_at_once_when_nobody_waits_for_it(
    hub: WritableHub, bench: Bench, tmp_path: Path, name: str
) -> None:
    adapter_id = bench.adapter(bench.base()).id
    left = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        pushing = pool.submit(bench.worker.pushes.push, adapter_id, spec(repo=f"owner/{name}"), left.is_set)
        while not hub.asked:
            time.sleep(0.01)
        left.set()
        error = pushing.exception(timeout=20)
    assert isinstance(error, LadError) and error.code is ErrorCode.CANCELLED
    assert not hub.files.get(f"owner/{name}")
    assert not any((tmp_path / "state" / "transfers").iterdir())


def test_a_hub_that_does_not_answer_is_unavailable(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(LadError) as refused:
        bench.worker.pushes.push(bench.adapter(bench.base()).id, spec())
    assert refused.value.code is ErrorCode.UNAVAILABLE


@pytest.mark.parametrize("repo", ["", "name", "a/b/c", "../b", "a/..", "a/b--c", "a b/c"])
def test_a_name_that_is_no_repositorys_is_refused(repo: str) -> None:
    with pytest.raises(LadError, match="repo is"):
        spec(repo=repo)


def test_an_adapter_that_is_not_there_is_not_pushed(hub: WritableHub, bench: Bench) -> None:
    with pytest.raises(LadError) as refused:
        bench.worker.pushes.push("nobody", spec())
    assert refused.value.code is ErrorCode.NOT_FOUND and hub.files == {}
