"""The product of frozen weights: as exact as `torch.mm` by either library, and a row the same whatever company it has."""

from collections.abc import Iterator

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lad_runtime.torch_backend.kernels import matmul
from lad_runtime.torch_backend.kernels.lora_linear import linear
from lad_runtime.torch_backend.kernels.matmul import ROW_MULTIPLE, available_kernels, product, rows_through
from lad_runtime.torch_backend.kernels.matrix_kernels import (
    candidates,
    empty_matrix,
    random_matrix,
    usual_kernels,
)
from lad_runtime.torch_backend.model.row_independence import keeps_rows_apart
from lad_runtime.types.bases import MatrixKernel

sizes = st.integers(1, 200)
ways = st.sampled_from(candidates("qkv"))
every_way = pytest.mark.parametrize("way", candidates("qkv"), ids=lambda way: f"{way.kernel} {way.layout}")
onednn = pytest.mark.skipif(not matmul._has_onednn(), reason="this build of PyTorch lacks oneDNN's linear")


def drawn(rows: int, inputs: int, outputs: int, way: MatrixKernel) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows, and a weight [outputs, inputs] as the way has it in memory."""
    generator = torch.Generator().manual_seed(rows + inputs)
    weight = empty_matrix(outputs, inputs, way.layout, device=torch.device("cpu"), dtype=torch.float32)
    return torch.randn(rows, inputs, generator=generator), weight.normal_(generator=generator)


@pytest.fixture
def two_threads() -> Iterator[None]:
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(1)


@settings(deadline=None)
@given(rows=sizes, inputs=sizes, outputs=sizes, way=ways)
def test_forward_and_backward_are_the_matrix_product_to_float32_rounding(
    rows: int, inputs: int, outputs: int, way: MatrixKernel
) -> None:
    x, weight = drawn(rows, inputs, outputs, way)
    x.requires_grad_()
    y = linear(x, weight, kernel=way.kernel)
    dy = torch.randn(y.shape, generator=torch.Generator().manual_seed(rows))
    (dx,) = torch.autograd.grad(y, x, dy)
    for result, left, right in ((y, x, weight.t()), (dx, dy, weight)):
        exact = left.double() @ right.double()
        scale = left.double().abs() @ right.double().abs()
        assert ((result - exact).abs() <= 1e-6 * scale).all()


@settings(deadline=None)
@given(rows=st.integers(1, 60), more=st.integers(0, 60), inputs=sizes, outputs=sizes, way=ways)
def test_a_rows_bits_depend_on_no_other_row_where_the_probe_says_so(
    rows: int, more: int, inputs: int, outputs: int, way: MatrixKernel
) -> None:
    few, many = rows * ROW_MULTIPLE, (rows + more) * ROW_MULTIPLE
    x, weight = drawn(many, inputs, outputs, way)
    if not keeps_rows_apart(weight, way.kernel):
        return
    for left, right in ((x, weight.t()), (torch.randn(many, outputs), weight)):
        whole = product(left, right, way.kernel)
        assert torch.equal(product(left[:few], right, way.kernel), whole[:few])
        assert torch.equal(product(left[many - few :], right, way.kernel), whole[many - few :])


@pytest.mark.usefixtures("two_threads")
@every_way
@pytest.mark.parametrize("shape", [(960, 576), (3072, 576), (576, 1536)], ids=str)
def test_what_the_probe_passes_keeps_rows_apart_up_to_a_whole_batch_on_two_threads(
    way: MatrixKernel, shape: tuple[int, int]
) -> None:
    weight = random_matrix(way, shape)
    if not keeps_rows_apart(weight, way.kernel, 256):
        pytest.skip("it does not on this machine, and is not chosen")
    for matrix in (weight.t(), weight):
        x = torch.randn(1024, matrix.shape[0])
        whole = product(x, matrix, way.kernel)
        for rows in (*range(4, 132, 4), 256, 600, 1000):
            assert torch.equal(product(x[:rows], matrix, way.kernel), whole[:rows])


def test_what_is_usual_on_this_machine_keeps_rows_apart() -> None:
    for way in usual_kernels(torch.device("cpu"), torch.float32):
        for shape in ((24, 16), (200, 100), (960, 192)):
            assert keeps_rows_apart(random_matrix(way, shape), way.kernel), (way, shape)


@every_way
@pytest.mark.parametrize("shape", [(24, 16), (192, 512), (576, 192)])
def test_rows_through_a_weight_are_their_product_with_it_transposed(
    way: MatrixKernel, shape: tuple[int, int]
) -> None:
    weight = random_matrix(way, shape)
    x = torch.randn(8, shape[1], generator=torch.Generator().manual_seed(1))
    assert torch.equal(rows_through(x, weight, way.kernel), product(x, weight.t(), way.kernel))


@every_way
def test_no_rows_give_no_rows(way: MatrixKernel) -> None:
    assert product(torch.empty(0, 8), torch.ones(8, 3), way.kernel).shape == (0, 3)


@every_way
def test_a_row_that_is_not_finite_leaves_the_others_as_they_are(way: MatrixKernel) -> None:
    x, weight = drawn(16, 64, 32, way)
    spoilt = x.clone()
    spoilt[3] = torch.nan
    y = product(spoilt, weight.t(), way.kernel)
    assert y[3].isnan().all()
    others = [row for row in range(16) if row != 3]
    assert torch.equal(y[others], product(x, weight.t(), way.kernel)[others])


@pytest.fixture
def forget_what_is_available() -> Iterator[None]:
    available_kernels.cache_clear()
    yield
    available_kernels.cache_clear()


@pytest.mark.usefixtures("forget_what_is_available")
def test_without_the_operator_everything_is_left_to_torch_mm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matmul, "_has_onednn", lambda: False)
    assert available_kernels() == ("mkl",)
    assert {way.kernel for way in usual_kernels(torch.device("cpu"), torch.float32)} == {"mkl"}


@pytest.mark.parametrize(("device", "dtype"), [("cuda", torch.float32), ("cpu", torch.bfloat16)])
def test_whatever_is_not_float32_on_the_cpu_goes_to_torch_mm(device: str, dtype: torch.dtype) -> None:
    assert {way.kernel for way in usual_kernels(torch.device(device), dtype)} == {"mkl"}


@onednn
@pytest.mark.usefixtures("forget_what_is_available")
@pytest.mark.parametrize("intel", [True, False])
def test_where_nothing_tells_them_apart_mkl_is_for_its_makers_processors(
    monkeypatch: pytest.MonkeyPatch, intel: bool
) -> None:
    monkeypatch.setattr(matmul, "is_intel", lambda: intel)
    first, second = available_kernels()
    assert (first == "mkl") == (intel and torch.backends.mkl.is_available())
    assert {first, second} == {"mkl", "onednn"}


@onednn
def test_an_operator_that_computes_something_else_is_not_relied_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matmul, "_onednn", lambda x, matrix: torch.mm(x, matrix) + 1.0)
    matmul._has_onednn.cache_clear()
    try:
        assert not matmul._has_onednn()
    finally:
        matmul._has_onednn.cache_clear()
