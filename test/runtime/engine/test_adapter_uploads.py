"""Adapters on their way in and out: admitted by what they declare, on the disk meanwhile, and gone from there whatever happens."""

import gc
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
import torch
from safetensors.torch import load, save

from adapter_files import adapter_files
from lad_runtime.engine.calls.adapter_uploads import AdapterUpload
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.torch_backend.adapters.peft_format import write_adapter
from lad_runtime.torch_backend.loading.stub import CONFIG as CONFIG_OF_STUB
from torch_files import RANK, write_both
from worker_support import Bench, budget_of

T = TypeVar("T")

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path / "state")
    yield made
    made.worker.drain(30)


def in_engine(bench: Bench, function: Callable[[], T]) -> T:
    """Where an adapter's tensors may be touched."""
    return bench.worker.engine.call(function).result(30)


def files_of(bench: Bench, rank: int = 8) -> dict[str, bytes]:
    adapter_id = bench.adapter(bench.base(), rank).id
    registry = bench.worker.registry
    files = in_engine(bench, lambda: adapter_files(registry.adapter(adapter_id).resident.adapter))
    bench.worker.adapters.drop(adapter_id)
    gc.collect()
    return files


def begun(bench: Bench, files: dict[str, bytes]) -> AdapterUpload:
    sizes = [(name, len(content)) for name, content in files.items()]
    return bench.worker.uploads.begin(bench.base().id, sizes)


def left(bench: Bench, tmp_path: Path) -> tuple[list[Path], int, set[str]]:
    """What uploads leave behind: folders, reservations, uses of the base."""
    folders = list((tmp_path / "state" / "transfers").glob("*"))
    return folders, len(bench.worker.memory._reservations), set(bench.base().uses)


def test_what_is_written_is_what_is_read_back_whatever_the_pieces(bench: Bench, tmp_path: Path) -> None:
    files = files_of(bench)
    with begun(bench, files) as upload:
        for name, content in files.items():
            for start in range(0, len(content), 1000):
                upload.write(name, content[start : start + 1000])
        upload.finish()
        entry = upload.take_in("mine").result(30)
    assert entry.id == "mine"
    assert in_engine(bench, lambda: adapter_files(entry.resident.adapter)) == files
    assert left(bench, tmp_path) == ([], 0, {"mine"})
    folder = tmp_path / "out"
    folder.mkdir()
    bench.worker.adapters.export("mine", folder).result(30)
    written = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert written[WEIGHTS] == files[WEIGHTS] and json.loads(written[CONFIG])["r"] == 8


def test_the_weights_file_is_what_safetensors_writes(bench: Bench, tmp_path: Path) -> None:
    adapter = bench.adapter(bench.base()).resident.adapter

    def write() -> bytes:
        write_adapter(tmp_path, adapter)
        tensors = {f"base_model.model.model.{n}.weight": p.detach() for n, p in adapter.parameters.items()}
        return save(tensors, metadata={"format": "pt"})

    assert in_engine(bench, write) == (tmp_path / WEIGHTS).read_bytes()


@pytest.mark.parametrize(
    ("name", "data", "problem"),
    [
        (CONFIG, b"x" * 11, "longer than was declared"),
        ("README.md", b"x", "not declared"),
        ("../../evil", b"x", "not declared"),
        (CONFIG, b"x" * 3, "7 bytes of it are missing"),
    ],
)
def test_pieces_that_do_not_add_up_to_the_header_are_refused_and_leave_nothing(
    bench: Bench, tmp_path: Path, name: str, data: bytes, problem: str
) -> None:
    bench.base()
    with pytest.raises(LadError, match=problem) as refused, begun(bench, {CONFIG: bytes(10)}) as upload:
        upload.write(name, data)
        upload.finish()
    assert refused.value.code is ErrorCode.INVALID_FILE
    assert left(bench, tmp_path) == ([], 0, set())


@pytest.mark.parametrize(
    ("sizes", "value"),
    [
        ([], "0"),
        ([(f"f{n}", 1) for n in range(17)], "17"),
        ([("../evil", 1)], "../evil"),
        ([("a", 1), ("a", 1)], "['a', 'a']"),
        ([(WEIGHTS, 2**63)], f"{2**63} bytes"),
    ],
)
def test_a_header_that_is_no_adapter_of_the_base_is_refused(
    bench: Bench, tmp_path: Path, sizes: list[tuple[str, int]], value: str
) -> None:
    with pytest.raises(LadError) as refused:
        bench.worker.uploads.begin(bench.base().id, sizes)
    assert (refused.value.code, refused.value.option) == (ErrorCode.INVALID_OPTION, "files")
    assert refused.value.value == value
    assert left(bench, tmp_path) == ([], 0, set())


def test_a_file_of_torch_save_may_hold_the_base_too_and_only_the_adapter_is_reserved(
    bench: Bench, tmp_path: Path
) -> None:
    base = bench.base()
    most = bench.worker.uploads._most_bytes(base)
    whole = most + 4 * base.info.parameter_count
    with bench.worker.uploads.begin(base.id, [("adapter_model.pth", whole)]):
        (reserved,) = bench.worker.memory._reservations.values()
        assert reserved.making == most
    for sizes in (
        [("adapter_model.pth", whole + 1)],
        [(WEIGHTS, whole)],
        [("adapter_model.pth", whole), (CONFIG, 1)],
    ):
        with pytest.raises(LadError, match="the largest adapter of this base"):
            bench.worker.uploads.begin(base.id, sizes)
    assert left(bench, tmp_path) == ([], 0, set())


def test_a_file_of_torch_save_becomes_an_adapter(bench: Bench, tmp_path: Path) -> None:
    whole, _, tensors = write_both(tmp_path, CONFIG_OF_STUB)
    content = whole.read_bytes()
    with begun(bench, {"adapter_model.pth": content}) as upload:
        upload.write("adapter_model.pth", content)
        upload.finish()
        entry = upload.take_in("theirs").result(30)
    assert entry.info.spec.rank == RANK and entry.info.claims is None
    factor = "layers.1.self_attn.v_proj.lora_B"
    wanted = tensors[f"llama.base_model.model.model.{factor}.default.weight"]
    ours = in_engine(bench, lambda: entry.resident.adapter.parameters[factor].detach())
    assert torch.equal(ours, wanted.float())
    assert left(bench, tmp_path) == ([], 0, {"theirs"})


def test_uploads_at_the_same_time_count_together_against_the_budget(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "state", budget_of(tmp_path, 1.5))
    files = files_of(bench, rank=64)
    with begun(bench, files):
        with pytest.raises(LadError, match="The uploaded adapter needs") as refused:
            begun(bench, files)
        assert refused.value.code is ErrorCode.OUT_OF_MEMORY
    with begun(bench, files):
        pass
    bench.worker.drain(30)


def test_weights_of_half_a_size_are_admitted_by_what_they_become(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "state", budget_of(tmp_path, 0.8))
    spec_files = files_of(Bench(tmp_path / "other"), rank=64)
    bench.base()
    halves = {name: tensor.to(torch.bfloat16) for name, tensor in load(spec_files[WEIGHTS]).items()}
    files = spec_files | {WEIGHTS: save(halves)}
    with pytest.raises(LadError) as refused, begun(bench, files) as upload:
        for name, content in files.items():
            upload.write(name, content)
        upload.finish()
    assert refused.value.code is ErrorCode.OUT_OF_MEMORY
    bench.worker.drain(30)


def test_a_base_stays_while_an_adapter_of_it_arrives(bench: Bench) -> None:
    base_id = bench.base().id
    with begun(bench, {CONFIG: b"{}"}), pytest.raises(LadError, match="is used by upload-"):
        bench.worker.bases.unload(base_id)
    bench.worker.bases.unload(base_id)


def test_an_upload_that_has_ended_takes_nothing_more(bench: Bench, tmp_path: Path) -> None:
    with begun(bench, {CONFIG: b"{}"}) as upload:
        pass
    for act in (lambda: upload.write(CONFIG, b"{}"), upload.finish):
        with pytest.raises(LadError) as refused:
            act()
        assert refused.value.code is ErrorCode.CANCELLED
    assert left(bench, tmp_path) == ([], 0, set())


def test_a_header_of_the_weights_that_would_be_endless_is_not_read(bench: Bench, tmp_path: Path) -> None:
    files = {CONFIG: b"{}", WEIGHTS: (1 << 40).to_bytes(8, "little") + bytes(1000)}
    with pytest.raises(LadError, match="damaged") as refused, begun(bench, files) as upload:
        for name, content in files.items():
            upload.write(name, content)
        upload.finish()
    assert refused.value.code is ErrorCode.INVALID_FILE
    assert left(bench, tmp_path) == ([], 0, set())


def test_what_a_killed_worker_left_half_way_is_removed(tmp_path: Path) -> None:
    half = tmp_path / "state" / "transfers" / "0123"
    half.mkdir(parents=True)
    (half / WEIGHTS).write_bytes(b"x")
    Bench(tmp_path / "state").worker.drain(30)
    assert not half.exists()


def test_a_state_folder_that_went_away_is_made_again(bench: Bench, tmp_path: Path) -> None:
    files = files_of(bench)
    (tmp_path / "state").rename(tmp_path / "gone")
    with begun(bench, files) as upload:
        for name, content in files.items():
            upload.write(name, content)
        upload.finish()
        assert upload.take_in().result(30).id
