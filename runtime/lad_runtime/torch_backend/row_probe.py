"""Whether this machine's matmul computes a row to the same bits whatever rows stand beside it."""

import torch
from torch import Tensor

from lad_runtime.torch_backend.batch import ROW_MULTIPLE
from lad_runtime.torch_backend.matmul import product
from lad_runtime.torch_backend.model import Llama

_ROWS = 64


@torch.no_grad()
def rows_are_independent(model: Llama) -> bool:
    """Try it on the shapes of every kind of matrix of the model, as forward and backward use them.

    Where it holds, a wish's result does not depend on what else is computed with it. It holds for oneDNN and MKL on the CPU;
    it is not promised on CUDA.
    """
    generator = torch.Generator().manual_seed(0)
    layer = model.layers[0]
    for weight in (layer.qkv, layer.o, layer.gate_up, layer.down, model.head):
        for matrix in (weight.t(), weight):
            if not _independent(matrix, generator):
                return False
    return True


def _independent(matrix_IO: Tensor, generator: torch.Generator) -> bool:
    rows = torch.randn(_ROWS, matrix_IO.shape[0], generator=generator).to(matrix_IO)
    whole = product(rows, matrix_IO)
    counts = (ROW_MULTIPLE, 2 * ROW_MULTIPLE, 3 * ROW_MULTIPLE, 5 * ROW_MULTIPLE, _ROWS // 2)
    return all(
        torch.equal(product(rows[_ROWS - count :], matrix_IO), whole[_ROWS - count :]) for count in counts
    )
