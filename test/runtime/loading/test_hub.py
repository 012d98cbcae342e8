"""Models from a hub, against a small one on loopback: pinned commits, safetensors only, and errors with a remedy."""

import json
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fake_hub import COMMIT, TOKEN, FakeHub
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.torch_backend.loading.hub import fetch_model, is_hub_id
from lad_runtime.torch_backend.loading.stub import write_stub
from lad_runtime.types.bases import LoadProgress

PIECE = 2**18


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[FakeHub]:
    folder = tmp_path / "served"
    folder.mkdir()
    write_stub(folder, seed=5)
    hub = FakeHub(folder)
    yield hub
    hub.close()


def fetch(
    hub: FakeHub | str, cache: Path, name: str = "owner/open", revision: str = "", token: str = ""
) -> tuple[Path, str, list[LoadProgress]]:
    events: list[LoadProgress] = []
    endpoint = hub if isinstance(hub, str) else hub.endpoint
    folder, commit = fetch_model(
        name, revision=revision, token=token, progress=events.append, endpoint=endpoint, cache=cache
    )
    return folder, commit, events


@pytest.fixture
def large(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """Weights of which the library hands on a piece now and then."""
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", PIECE)
    content = random.Random(7).randbytes(8 * PIECE + 123)
    (hub.folder / "model.safetensors").write_bytes(content)
    hub.has_digests = True
    return content


def interrupted(hub: FakeHub, cache: Path, after: int) -> None:
    """Fetches the model, and leaves when so many bytes of all its files are there."""

    def leave(event: LoadProgress) -> None:
        if event.done >= after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch_model("owner/open", revision="", token="", progress=leave, endpoint=hub.endpoint, cache=cache)


def partial_of(cache: Path) -> Path:
    [partial] = cache.glob("**/*.lad-partial")
    return partial


def shard(folder: Path) -> None:
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").unlink()
    for name in ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"):
        (folder / name).write_bytes(content)
    mapping = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": mapping}))


@pytest.mark.parametrize("revision", ["", "main", "v1", COMMIT])
def test_a_revision_is_resolved_to_its_commit(hub: FakeHub, tmp_path: Path, revision: str) -> None:
    folder, commit, _ = fetch(hub, tmp_path / "cache", revision=revision)
    assert commit == COMMIT
    served = (hub.folder / "model.safetensors").read_bytes()
    assert (folder / "model.safetensors").read_bytes() == served


def test_only_what_the_worker_reads_is_fetched_and_only_once(hub: FakeHub, tmp_path: Path) -> None:
    for name in (
        "pytorch_model.bin",
        "evil.py",
        "README.md",
        "consolidated.safetensors",
        "training_args.bin",
    ):
        (hub.folder / name).write_bytes(b"x" * 1000)
    _, _, events = fetch(hub, tmp_path / "cache")
    expected = {"config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"}
    assert set(hub.fetched) == expected
    total = sum((hub.folder / name).stat().st_size for name in expected)
    assert (events[-1].phase, events[-1].done, events[-1].total) == ("download", total, total)
    assert [event.done for event in events] == sorted(event.done for event in events)
    hub.fetched.clear()
    fetch(hub, tmp_path / "cache")
    assert hub.fetched == []


def test_the_shards_that_the_index_names_are_fetched(hub: FakeHub, tmp_path: Path) -> None:
    shard(hub.folder)
    (hub.folder / "model-00009-of-00009.safetensors").write_bytes(b"stray")
    folder, _, events = fetch(hub, tmp_path / "cache")
    weights = {path.name for path in folder.glob("*.safetensors")}
    assert weights == {"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"}
    assert events[-1].done == events[-1].total


def test_of_a_half_fetched_file_only_the_rest_is_asked_for(
    hub: FakeHub, large: bytes, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    small = sum(path.stat().st_size for path in hub.folder.iterdir()) - len(large)
    interrupted(hub, cache, after=small + 3 * PIECE)
    there = partial_of(cache).stat().st_size
    assert 2 * PIECE <= there <= 3 * PIECE
    hub.fetched.clear()
    folder, _, events = fetch(hub, cache)
    assert hub.ranges == [("model.safetensors", f"bytes={there}-")]
    assert hub.fetched == ["model.safetensors"]
    assert (folder / "model.safetensors").read_bytes() == large
    assert events[-1].done == events[-1].total
    assert not list(cache.glob("**/*.lad-partial"))


def test_what_is_no_part_of_the_file_is_fetched_anew(hub: FakeHub, large: bytes, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    small = sum(path.stat().st_size for path in hub.folder.iterdir()) - len(large)
    interrupted(hub, cache, after=small + 3 * PIECE)
    partial = partial_of(cache)
    partial.write_bytes(bytes(partial.stat().st_size))
    folder, _, _ = fetch(hub, cache)
    assert (folder / "model.safetensors").read_bytes() == large


def test_a_part_that_the_hub_does_not_go_on_from_is_fetched_anew(
    hub: FakeHub, large: bytes, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    small = sum(path.stat().st_size for path in hub.folder.iterdir()) - len(large)
    interrupted(hub, cache, after=small + 3 * PIECE)
    hub.refuses_ranges = True
    folder, _, _ = fetch(hub, cache)
    assert len(hub.ranges) == 1
    assert (folder / "model.safetensors").read_bytes() == large


@pytest.mark.parametrize("has_digests", [False, True])
@pytest.mark.parametrize("more", [0, 5 * PIECE])
def test_what_is_not_the_file_or_more_than_it_is_neither_taken_nor_kept(
    hub: FakeHub, large: bytes, tmp_path: Path, has_digests: bool, more: int
) -> None:
    cache = tmp_path / "cache"
    hub.has_digests = has_digests
    hub.sends = bytes(len(large) + more)
    with pytest.raises(LadError, match=r"The hub did not send model\.safetensors of owner/open") as error:
        fetch(hub, cache)
    assert error.value.code is ErrorCode.INVALID_FILE
    assert partial_of(cache).stat().st_size == 0
    hub.sends = None
    folder, _, _ = fetch(hub, cache)
    assert (folder / "model.safetensors").read_bytes() == large


def test_a_link_in_the_place_of_a_part_is_not_followed(hub: FakeHub, large: bytes, tmp_path: Path) -> None:
    cache, other = tmp_path / "cache", tmp_path / "other"
    other.write_bytes(b"somebody's")
    small = sum(path.stat().st_size for path in hub.folder.iterdir()) - len(large)
    interrupted(hub, cache, after=small + 3 * PIECE)
    partial = partial_of(cache)
    partial.unlink()
    partial.symlink_to(other)
    with pytest.raises(LadError) as error:
        fetch(hub, cache)
    assert error.value.code is ErrorCode.STORAGE
    assert other.read_bytes() == b"somebody's"


def test_a_killed_process_leaves_what_the_next_one_goes_on_from(
    hub: FakeHub, large: bytes, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    hub.stalls_after = 4 * PIECE
    program = (
        "import sys, huggingface_hub.constants; from pathlib import Path\n"
        f"huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE = {PIECE}\n"
        "from lad_runtime.torch_backend.loading.hub import fetch_model\n"
        "fetch_model('owner/open', revision='', token='', progress=lambda _: None, endpoint=sys.argv[1], "
        "cache=Path(sys.argv[2]))\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program, hub.endpoint, str(cache)])
    try:
        waiting = time.monotonic() + 60
        while not any(path.stat().st_size >= 3 * PIECE for path in cache.glob("**/*.lad-partial")):
            assert process.poll() is None and time.monotonic() < waiting
            time.sleep(0.02)
    finally:
        process.kill()
        process.wait()
    there = partial_of(cache).stat().st_size
    hub.stalls_after = None
    folder, _, _ = fetch(hub, cache)
    assert hub.ranges == [("model.safetensors", f"bytes={there}-")]
    assert (folder / "model.safetensors").read_bytes() == large


def test_an_index_that_points_outside_is_refused_before_its_shards_are_fetched(
    hub: FakeHub, tmp_path: Path
) -> None:
    shard(hub.folder)
    bad = {"weight_map": {"a": "../../../evil.safetensors"}}
    (hub.folder / "model.safetensors.index.json").write_text(json.dumps(bad))
    with pytest.raises(LadError, match="outside the model's folder"):
        fetch(hub, tmp_path / "cache")
    assert hub.fetched == ["model.safetensors.index.json"]


def test_a_model_with_pickles_only_is_refused_before_any_download(hub: FakeHub, tmp_path: Path) -> None:
    (hub.folder / "model.safetensors").rename(hub.folder / "pytorch_model.bin")
    with pytest.raises(LadError, match=r"only pytorch_model\.bin") as caught:
        fetch(hub, tmp_path / "cache")
    assert caught.value.code is ErrorCode.INVALID_FILE
    assert hub.fetched == []


@pytest.mark.parametrize("token", ["", "hf_wrong"])
def test_a_gated_model_without_the_right_token_says_how_to_get_in(
    hub: FakeHub, tmp_path: Path, token: str
) -> None:
    with pytest.raises(LadError, match="gated") as caught:
        fetch(hub, tmp_path / "cache", name="owner/gated", token=token)
    assert (caught.value.code, caught.value.option) == (ErrorCode.ACCESS_DENIED, "hubToken")
    assert "HF_TOKEN" in caught.value.remedy
    assert "hf_wrong" not in str(caught.value)


def test_a_gated_model_opens_with_the_right_token(hub: FakeHub, tmp_path: Path) -> None:
    folder, _, _ = fetch(hub, tmp_path / "cache", name="owner/gated", token=TOKEN)
    assert (folder / "model.safetensors").is_file()


def test_a_model_that_does_not_exist_is_not_found(hub: FakeHub, tmp_path: Path) -> None:
    with pytest.raises(LadError, match="no model owner/nothing") as caught:
        fetch(hub, tmp_path / "cache", name="owner/nothing")
    assert caught.value.code is ErrorCode.NOT_FOUND


def test_a_revision_that_does_not_exist_is_not_found(hub: FakeHub, tmp_path: Path) -> None:
    with pytest.raises(LadError, match="no revision 'v9'") as caught:
        fetch(hub, tmp_path / "cache", revision="v9")
    assert (caught.value.code, caught.value.option) == (ErrorCode.NOT_FOUND, "revision")


@pytest.mark.parametrize("revision", ["../main", "a b", "-x", "a" * 200])
def test_a_revision_that_is_no_name_is_refused(tmp_path: Path, revision: str) -> None:
    with pytest.raises(LadError, match="revision is") as caught:
        fetch("http://127.0.0.1:9", tmp_path, revision=revision)
    assert caught.value.code is ErrorCode.INVALID_OPTION


def unused_endpoint() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


def test_a_hub_that_cannot_be_reached_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(LadError, match="cannot be reached") as caught:
        fetch(unused_endpoint(), tmp_path / "cache")
    assert caught.value.code is ErrorCode.UNAVAILABLE


def test_a_hub_that_fails_is_unavailable(hub: FakeHub, tmp_path: Path) -> None:
    with pytest.raises(LadError, match="status 503") as caught:
        fetch(hub, tmp_path / "cache", name="owner/broken")
    assert caught.value.code is ErrorCode.UNAVAILABLE


@pytest.mark.parametrize("revision", ["", COMMIT])
def test_a_copy_in_the_cache_serves_without_the_hub(hub: FakeHub, tmp_path: Path, revision: str) -> None:
    folder, _, _ = fetch(hub, tmp_path / "cache", revision=revision)
    again, commit, _ = fetch(unused_endpoint(), tmp_path / "cache", revision=revision)
    assert (again, commit) == (folder, COMMIT)


def test_a_cache_that_cannot_be_written_is_a_storage_error(hub: FakeHub, tmp_path: Path) -> None:
    cache = tmp_path / "a file"
    cache.write_text("")
    with pytest.raises(LadError, match="cannot be stored") as caught:
        fetch(hub, cache)
    assert caught.value.code is ErrorCode.STORAGE


def test_hub_ids_are_owner_and_name() -> None:
    assert is_hub_id("meta-llama/Llama-3.2-1B-Instruct")
    for name in ("tiny", "a/b/c", "../b", "/etc/passwd", "a/..", "a /b", "https://x/y", "a/b\n", ""):
        assert not is_hub_id(name)
