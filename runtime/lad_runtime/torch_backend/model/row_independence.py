"""Measures row independence: whether this machine's matmul computes a row to the same bits for any other rows."""

import torch
from torch import Tensor

from lad_runtime.torch_backend.kernels.matmul import ROW_MULTIPLE, product
from lad_runtime.torch_backend.kernels.matrix_kernels import HEAD
from lad_runtime.torch_backend.model.layers import FUSED
from lad_runtime.torch_backend.model.llama import Llama
from lad_runtime.types.bases import MatmulKernel

_ROWS = 64
_COUNTS = [ROW_MULTIPLE * multiple for multiple in (1, 2, 3, 5, 8, 13, 37)]


@torch.no_grad()
def rows_are_independent(model: Llama) -> bool:
    """Tests every kind of matrix of the model with its own kernel, as forward and backward use it.

    If it holds, a request's result does not depend on the other requests of its batch. It is not promised on CUDA.
    """
    layer = model.layers[0]
    matrices = {matrix: getattr(layer, matrix) for matrix in FUSED} | {HEAD: model.head}
    return all(keeps_rows_apart(weight, model.kernel_of(matrix)) for matrix, weight in matrices.items())


def keeps_rows_apart(weight_OI: Tensor, kernel: MatmulKernel, rows: int = _ROWS) -> bool:
    """Whether x · Wᵀ and dy · W give each of so many rows the same bits as products of fewer rows do."""
    generator = torch.Generator().manual_seed(0)
    return all(_independent(matrix, kernel, rows, generator) for matrix in (weight_OI.t(), weight_OI))


def _independent(matrix_IO: Tensor, kernel: MatmulKernel, rows: int, generator: torch.Generator) -> bool:
    x = torch.randn(rows, matrix_IO.shape[0], generator=generator).to(matrix_IO)
    whole = product(x, matrix_IO, kernel)
    return all(
        torch.equal(product(x[rows - count :], matrix_IO, kernel), whole[rows - count :])
        for count in _COUNTS
        if count < rows
    )
