"""The product of frozen weights: as exact as `torch.mm`, and a row the same whatever company it has."""

from collections.abc import Iterator

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lad_runtime.torch_backend import matmul
from lad_runtime.torch_backend.batch import ROW_MULTIPLE
from lad_runtime.torch_backend.matmul import product
from lad_runtime.torch_backend.processor import is_intel

sizes = st.integers(1, 200)
apart = pytest.mark.skipif(
    not (is_intel() or matmul._has_onednn()), reason="torch.mm alone does not promise it on this processor"
)
onednn = pytest.mark.skipif(not matmul._has_onednn(), reason="this build of PyTorch lacks oneDNN's linear")


def drawn(rows: int, inputs: int, outputs: int, transposed: bool) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(rows + inputs)
    x = torch.randn(rows, inputs, generator=generator)
    if transposed:
        return x, torch.randn(outputs, inputs, generator=generator).t()
    return x, torch.randn(inputs, outputs, generator=generator)


@given(rows=sizes, inputs=sizes, outputs=sizes, transposed=st.booleans())
def test_it_is_the_matrix_product_in_either_layout(
    rows: int, inputs: int, outputs: int, transposed: bool
) -> None:
    x, matrix = drawn(rows, inputs, outputs, transposed)
    exact = x.double() @ matrix.double()
    scale = x.double().abs() @ matrix.double().abs()
    assert ((product(x, matrix) - exact).abs() <= 1e-6 * scale).all()


@apart
@given(
    rows=st.integers(1, 60), more=st.integers(0, 60), inputs=sizes, outputs=sizes, transposed=st.booleans()
)
def test_a_rows_bits_depend_on_no_other_row(
    rows: int, more: int, inputs: int, outputs: int, transposed: bool
) -> None:
    few, many = rows * ROW_MULTIPLE, (rows + more) * ROW_MULTIPLE
    x, matrix = drawn(many, inputs, outputs, transposed)
    whole = product(x, matrix)
    assert torch.equal(product(x[:few], matrix), whole[:few])
    assert torch.equal(product(x[many - few :], matrix), whole[many - few :])


def test_no_rows_give_no_rows() -> None:
    assert product(torch.empty(0, 8), torch.ones(8, 3)).shape == (0, 3)


def test_a_row_that_is_not_finite_leaves_the_others_as_they_are() -> None:
    x, matrix = drawn(16, 64, 32, False)
    spoilt = x.clone()
    spoilt[3] = torch.nan
    y = product(spoilt, matrix)
    assert y[3].isnan().all()
    others = [row for row in range(16) if row != 3]
    assert torch.equal(y[others], product(x, matrix)[others])


@pytest.fixture
def forget_the_choice() -> Iterator[None]:
    matmul._onednn_is_faster.cache_clear()
    yield
    matmul._onednn_is_faster.cache_clear()


@pytest.mark.usefixtures("forget_the_choice")
def test_without_the_operator_it_is_torch_mm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matmul, "_has_onednn", lambda: False)
    x, matrix = drawn(8, 16, 24, True)
    assert torch.equal(product(x, matrix), torch.mm(x, matrix))


@onednn
@pytest.mark.usefixtures("forget_the_choice")
@pytest.mark.parametrize("intel", [True, False])
def test_the_processor_decides_and_two_threads_keep_rows_apart_in_either_library(
    monkeypatch: pytest.MonkeyPatch, intel: bool
) -> None:
    monkeypatch.setattr(matmul, "is_intel", lambda: intel)
    assert matmul._onednn_is_faster() != (intel and torch.backends.mkl.is_available())
    if intel and not is_intel():
        pytest.skip("MKL's reproducible mode is for Intel's processors alone")
    x, matrix = drawn(128, 960, 576, False)
    torch.set_num_threads(2)
    try:
        whole = product(x, matrix)
        assert all(torch.equal(product(x[:rows], matrix), whole[:rows]) for rows in range(4, 128, 4))
    finally:
        torch.set_num_threads(1)


@onednn
def test_an_operator_that_computes_something_else_is_not_relied_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(matmul, "_onednn", lambda x, matrix: torch.mm(x, matrix) + 1.0)
    matmul._has_onednn.cache_clear()
    try:
        assert not matmul._has_onednn()
    finally:
        matmul._has_onednn.cache_clear()
