"""The product of rows with a frozen matrix by one of two libraries: MKL, which `torch.mm` uses for float32, or oneDNN.

The faster library and layout differ between processors, by up to a factor of two: `matmul_choice` chooses them. PyTorch offers
oneDNN for float32 through one operator, which its compiler uses for linear layers. It is not documented, so it is tried before
use. An adapter's narrow factors always use `torch.mm`, whose calls have less overhead.
"""

from functools import cache

import torch
from torch import Tensor

from lad_runtime.torch_backend.kernels.cpu import is_intel
from lad_runtime.types.bases import MatmulKernel

ROW_MULTIPLE = 4
"""If the number of rows is a multiple of this, a CPU matmul computes each row to the same bits whatever the other rows are.

This holds for oneDNN and MKL in float32 and bfloat16, with any number of rows from 4 on and any number of threads
(`row_independence` measures it).
"""


def product(x_NI: Tensor, matrix_IO: Tensor, kernel: MatmulKernel) -> Tensor:
    """x · matrix, [N, O], without gradient; `onednn` is for the CPU. From 4 rows on, a row's bits do not depend on the others
    on machines where `row_independence` finds it so."""
    return _onednn(x_NI, matrix_IO) if kernel == "onednn" else torch.mm(x_NI, matrix_IO)


def rows_through(x_NI: Tensor, weight_OI: Tensor, kernel: MatmulKernel) -> Tensor:
    """x · Wᵀ, to the bits of `product` with Wᵀ: oneDNN takes the weight as it is, so that nothing is transposed twice."""
    return _pointwise(x_NI, weight_OI) if kernel == "onednn" else torch.mm(x_NI, weight_OI.t())


@cache
def available_kernels() -> tuple[MatmulKernel, ...]:
    """The kernels of this PyTorch build for float32 on the CPU. The first is the default when nothing is measured."""
    if not _has_onednn():
        return ("mkl",)
    return ("mkl", "onednn") if is_intel() and torch.backends.mkl.is_available() else ("onednn", "mkl")


@cache
def _has_onednn() -> bool:
    """Whether this PyTorch build has the operator, and it takes the expected arguments and returns the expected result."""
    if not torch.backends.mkldnn.is_available():
        return False
    x, matrix = torch.arange(12.0).view(4, 3), torch.arange(15.0).view(3, 5)
    try:
        return torch.equal(_onednn(x, matrix), torch.mm(x, matrix))
    except (AttributeError, RuntimeError, TypeError):
        return False


def _onednn(x_NI: Tensor, matrix_IO: Tensor) -> Tensor:
    return _pointwise(x_NI, matrix_IO.t())


def _pointwise(x_NI: Tensor, weight_OI: Tensor) -> Tensor:
    y: Tensor = torch.ops.mkldnn._linear_pointwise(x_NI, weight_OI, None, "none", [], "")
    return y
