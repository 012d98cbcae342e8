"""The product of rows with a frozen matrix, by one of two libraries: MKL, which `torch.mm` takes float32 to, or oneDNN.

Which is faster, and on which layout, differs from one processor to the next by up to a factor of two: `matmul_choice` chooses.
In float32 PyTorch reaches oneDNN by one operator alone, the one that its compiler makes of linear layers; since that is not
documented, it is tried before it is relied on. An adapter's narrow factors stay with `torch.mm`, whose calls cost less.
"""

from functools import cache

import torch
from torch import Tensor

from lad_runtime.torch_backend.kernels.cpu import is_intel
from lad_runtime.types.bases import MatmulKernel

ROW_MULTIPLE = 4
"""A CPU matmul gives a row the same bits whatever rows stand beside it, once their number is a multiple of this.

True of oneDNN and MKL in float32 and bfloat16, for any number of rows from 4 on, one thread or several (`row_independence`
measures it).
"""


def product(x_NI: Tensor, matrix_IO: Tensor, kernel: MatmulKernel) -> Tensor:
    """x · matrix, [N, O], without gradient; `onednn` is for the CPU. A row's bits depend on no other row, from 4 rows on,
    where `row_independence` finds it so."""
    return _onednn(x_NI, matrix_IO) if kernel == "onednn" else torch.mm(x_NI, matrix_IO)


@cache
def available_kernels() -> tuple[MatmulKernel, ...]:
    """What this build of PyTorch has for float32 on the CPU, first what is taken where there is nothing to choose by."""
    if not _has_onednn():
        return ("mkl",)
    return ("mkl", "onednn") if is_intel() and torch.backends.mkl.is_available() else ("onednn", "mkl")


@cache
def _has_onednn() -> bool:
    """Whether this build of PyTorch has the operator, with the arguments and the result that are expected of it."""
    if not torch.backends.mkldnn.is_available():
        return False
    x, matrix = torch.arange(12.0).view(4, 3), torch.arange(15.0).view(3, 5)
    try:
        return torch.equal(_onednn(x, matrix), torch.mm(x, matrix))
    except (AttributeError, RuntimeError, TypeError):
        return False


def _onednn(x_NI: Tensor, matrix_IO: Tensor) -> Tensor:
    y: Tensor = torch.ops.mkldnn._linear_pointwise(x_NI, matrix_IO.t(), None, "none", [], "")
    return y
