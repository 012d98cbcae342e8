"""Which library multiplies on which layout: measured once a machine and kept, and never at the cost of a row's bits."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.torch_backend.forward.base import load_base
from lad_runtime.torch_backend.kernel_choice import matmul_choice, matmul_record, matmul_times, thread_clock
from lad_runtime.torch_backend.kernel_choice.matmul_choice import choose_kernels
from lad_runtime.torch_backend.kernel_choice.matmul_times import MatmulTime, Shape, times_of_this_machine
from lad_runtime.torch_backend.kernel_choice.thread_clock import busiest_thread_seconds
from lad_runtime.torch_backend.kernels.matmul import available_kernels
from lad_runtime.torch_backend.kernels.matrix_kernels import MATRICES, candidates, usual_kernels
from lad_runtime.torch_backend.model.config import LlamaConfig
from lad_runtime.torch_backend.model.layers import FUSED
from lad_runtime.torch_backend.model.llama import Llama
from lad_runtime.torch_backend.model.row_independence import rows_are_independent
from lad_runtime.torch_backend.model.segment import Segment
from lad_runtime.types.bases import MatrixKernel
from type_specs import base_spec

CPU = torch.device("cpu")
CONFIG = LlamaConfig(
    vocab_size=600,
    hidden_size=512,
    intermediate_size=520,
    num_layers=1,
    num_heads=8,
    num_kv_heads=8,
    head_dim=64,
    max_positions=64,
    tied=True,
)  # every matrix is large enough to be measured
SMALL = replace(CONFIG, hidden_size=64, intermediate_size=96, num_heads=4, num_kv_heads=4, head_dim=16)
needs_both = pytest.mark.skipif(len(available_kernels()) < 2, reason="this build of PyTorch has one library")


class Machine:
    """Takes a second a row for every way to multiply, but for those that a test says otherwise of."""

    def __init__(self) -> None:
        self.seconds: dict[MatrixKernel, float] = {}
        self.mixes_rows: set[MatrixKernel] = set()
        self.asked: list[tuple[dict[str, Shape], int]] = []

    def times(self, shapes: Mapping[str, Shape], threads: int) -> list[MatmulTime]:
        self.asked.append((dict(shapes), threads))
        return [
            MatmulTime(
                way=way, seconds=self.seconds.get(way, 1.0), keeps_rows_apart=way not in self.mixes_rows
            )
            for matrix in shapes
            for way in candidates(matrix)
        ]


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Machine]:
    machine = Machine()
    monkeypatch.setenv("LAD_HOME", str(tmp_path / "home"))
    monkeypatch.delenv(matmul_choice.FORCED, raising=False)
    monkeypatch.setattr(matmul_record, "times_of_this_machine", machine.times)
    another_process(monkeypatch)
    yield machine


def another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forgets what this one knows."""
    monkeypatch.setattr(matmul_record, "_recorded", {})


def chosen(config: LlamaConfig = CONFIG, threads: int = 2) -> dict[str, MatrixKernel]:
    kernels = choose_kernels(config, device=CPU, dtype=torch.float32, threads=threads)
    assert tuple(way.matrix for way in kernels) == MATRICES
    return {way.matrix: way for way in kernels}


def record() -> Path:
    (path,) = [path for path in matmul_record.user_cache().rglob("*") if path.is_file()]  # type: ignore[union-attr]
    return path


# --- the choice ----------------------------------------------------------------------------------------------------------


def test_the_fastest_way_is_chosen_for_each_kind_of_matrix(machine: Machine) -> None:
    fast = [candidates("qkv")[-1], candidates("down")[1]]
    machine.seconds = dict.fromkeys(fast, 0.5)
    choice = chosen()
    assert [choice["qkv"], choice["down"]] == fast
    assert [choice[matrix] for matrix in ("o", "gate_up", "head")] == [
        candidates(matrix)[0] for matrix in ("o", "gate_up", "head")
    ]


def test_what_is_faster_by_less_than_measuring_can_tell_changes_nothing(machine: Machine) -> None:
    machine.seconds = {way: 0.98 for matrix in MATRICES for way in candidates(matrix)[1:]}
    assert list(chosen().values()) == usual_kernels(CPU, torch.float32)


def test_the_fastest_way_is_not_chosen_where_it_mixes_rows(machine: Machine) -> None:
    fast, second = candidates("o")[1], candidates("o")[-1]
    machine.seconds = {fast: 0.2, second: 0.5}
    assert chosen(threads=1)["o"] == fast
    machine.mixes_rows = {fast}
    assert chosen(threads=2)["o"] == second


def test_a_small_matrix_is_not_measured_and_gets_the_first_way_that_keeps_rows_apart(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert list(chosen(SMALL).values()) == usual_kernels(CPU, torch.float32)
    assert machine.asked == []
    first = candidates("o")[0].kernel
    monkeypatch.setattr(matmul_choice, "keeps_rows_apart", lambda weight, kernel: kernel != first)
    assert {way.kernel for way in chosen(SMALL).values()} == {*available_kernels()[1:]} or len(
        available_kernels()
    ) == 1


@pytest.mark.parametrize(("device", "dtype"), [("cuda", torch.float32), ("cpu", torch.bfloat16)])
def test_nothing_is_chosen_on_cuda_and_in_half_precision(
    machine: Machine, device: str, dtype: torch.dtype
) -> None:
    assert choose_kernels(CONFIG, device=torch.device(device), dtype=dtype, threads=2) == ()
    assert machine.asked == []


@needs_both
@pytest.mark.parametrize("kernel", ["mkl", "onednn"])
@pytest.mark.parametrize("config", [CONFIG, SMALL], ids=["large", "small"])
def test_the_environment_forces_a_library_whose_fastest_layout_is_taken(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, kernel: str, config: LlamaConfig
) -> None:
    machine.seconds = {way: 0.5 for way in candidates("o") if way.layout == "out-in"}
    monkeypatch.setenv("LAD_MATMUL", kernel)
    choice = chosen(config)
    assert {way.kernel for way in choice.values()} == {kernel}
    assert choice["o"].layout == ("out-in" if config is CONFIG else "in-out")


def test_a_library_that_there_is_not_is_an_error_that_names_the_variable(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAD_MATMUL", "blis")
    with pytest.raises(LadError, match="LAD_MATMUL is 'blis'") as caught:
        chosen()
    assert caught.value.code is ErrorCode.INVALID_OPTION


# --- the record ----------------------------------------------------------------------------------------------------------


def test_a_machine_is_measured_once_and_another_process_reads_what_was_kept(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.seconds = {candidates("qkv")[1]: 0.5}
    first = chosen()
    machine.seconds = {candidates("qkv")[-1]: 0.1}
    another_process(monkeypatch)
    assert chosen() == first
    assert len(machine.asked) == 1
    kept = json.loads(record().read_text())
    assert kept["machine"]["threads"] == 2 and kept["machine"]["torch"] == torch.__version__


def test_every_number_of_threads_and_every_set_of_shapes_is_measured_for_itself(machine: Machine) -> None:
    chosen(threads=1)
    chosen(threads=2)
    chosen(replace(CONFIG, intermediate_size=1024), threads=2)
    assert [threads for _, threads in machine.asked] == [1, 2, 2]


@pytest.mark.parametrize("spoil", ["", "{", '{"machine": {}}', "[1, 2]", "shortened", "without times"])
def test_a_damaged_file_is_measured_and_written_anew(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, spoil: str
) -> None:
    first = chosen()
    path, whole = record(), record().read_text()
    spoilt = {
        "shortened": whole[: len(whole) // 2],
        "without times": json.dumps(json.loads(whole) | {"times": []}),
    }
    path.write_text(spoilt.get(spoil, spoil))
    another_process(monkeypatch)
    assert chosen() == first
    assert len(machine.asked) == 2
    assert path.read_text() == whole and record() == path


@pytest.mark.parametrize("home", ["a file", "relative"])
def test_where_it_cannot_be_kept_it_is_measured_once_a_process(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, home: str
) -> None:
    (tmp_path / "a file").write_text("")
    monkeypatch.setenv("LAD_HOME", "relative" if home == "relative" else str(tmp_path / home))
    first = chosen()
    machine.seconds = {candidates("qkv")[-1]: 0.1}
    assert chosen() == first
    assert len(machine.asked) == 1


def test_of_two_processes_that_measure_at_once_the_first_ones_times_count_for_both(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = {candidates("qkv")[-1]: 0.1}
    theirs = {candidates("qkv")[1]: 0.1}

    def times(shapes: Mapping[str, Shape], threads: int) -> list[MatmulTime]:
        monkeypatch.setattr(matmul_record, "times_of_this_machine", machine.times)
        machine.seconds = theirs
        matmul_record._read_or_measured(
            json.dumps(matmul_record._machine(shapes, threads), sort_keys=True), shapes, threads
        )
        machine.seconds = mine
        return machine.times(shapes, threads)

    monkeypatch.setattr(matmul_record, "times_of_this_machine", times)
    assert chosen()["qkv"] == candidates("qkv")[1]


def test_a_machine_that_cannot_be_measured_gets_what_is_usual_and_keeps_nothing(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matmul_record, "times_of_this_machine", times_of_this_machine)
    monkeypatch.setattr(matmul_times, "_TRIALS", "lad_runtime.no_such_module")
    assert list(chosen().values()) == usual_kernels(CPU, torch.float32)
    assert not (matmul_record.user_cache() / "matmuls").exists()  # type: ignore[operator]


# --- the measurement -----------------------------------------------------------------------------------------------------


def test_a_process_of_its_own_measures_every_way_and_probes_it() -> None:
    threads = torch.get_num_threads()
    shapes = {"o": (256, 128), "head": (300, 64)}
    times = times_of_this_machine(shapes, threads=2)
    assert [one.way for one in times] == [way for matrix in shapes for way in candidates(matrix)]
    assert all(0 < one.seconds < 1 for one in times)
    assert any(one.keeps_rows_apart for one in times)
    assert torch.get_num_threads() == threads


@pytest.mark.parametrize("clocks", ["each thread's", "the wall's"])
def test_a_computation_takes_as_long_as_its_busiest_thread_computes(
    monkeypatch: pytest.MonkeyPatch, clocks: str
) -> None:
    if clocks == "the wall's":
        monkeypatch.setattr(thread_clock, "_thread_clocks", dict)
    x = torch.randn(400, 400)

    def times(n: int) -> float:
        return min(busiest_thread_seconds(lambda: [x @ x for _ in range(n)]) for _ in range(5))

    assert 0 < times(1) < times(20)


# --- the model -----------------------------------------------------------------------------------------------------------


def test_a_model_lies_in_memory_and_multiplies_as_was_chosen_and_computes_the_same() -> None:
    ids = torch.arange(12)
    usual = Llama.random(CONFIG, 0)
    wanted = usual.logits(usual.hidden_states(usual.batch([Segment(ids=ids)])))
    for position in range(len(candidates("qkv"))):
        ways = [(candidates(matrix) * 2)[position] for matrix in MATRICES]
        model = Llama(CONFIG, usual.weights, matrix_kernels=ways)
        for way in ways:
            assert model.kernel_of(way.matrix) == way.kernel
            if way.matrix in FUSED:
                assert getattr(model.layers[0], way.matrix).is_contiguous() == (way.layout == "out-in")
        logits = model.logits(model.hidden_states(model.batch([Segment(ids=ids)])))
        assert torch.allclose(logits, wanted, rtol=1e-4, atol=1e-5)
        assert all(torch.equal(model.weights[name], tensor) for name, tensor in usual.weights.items())


def test_a_loaded_base_says_what_was_chosen(machine: Machine) -> None:
    base = load_base(base_spec(name="tiny"), "cpu", lambda _: None)
    assert list(base.info.kernels) == usual_kernels(CPU, torch.float32)
    assert rows_are_independent(base.model)
    assert machine.asked == []  # too small to be worth it
    half = load_base(base_spec(name="stub", dtype="bfloat16"), "cpu", lambda _: None)
    assert half.info.kernels == ()


def test_a_base_is_measured_by_as_many_threads_as_it_computes_with(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matmul_choice, "MEASURED_NUMBERS", 1)
    load_base(base_spec(name="stub"), "cpu", lambda _: None)
    load_base(base_spec(name="stub"), "cpu", lambda _: None, threads=3)
    assert [threads for _, threads in machine.asked] == [1, 3]
