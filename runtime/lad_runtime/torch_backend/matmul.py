"""The product of rows with a frozen matrix: in float32 on the CPU by whichever of MKL and oneDNN is the faster there.

`torch.mm` takes float32 to MKL. On Intel's processors that reaches nine tenths of what the cores can do, and oneDNN half of it
where the rows of a matrix are a multiple of 4 KiB apart (Xeon with AVX-512, two threads). On others oneDNN's kernels, which read
a matrix of either layout as it lies, were 1.1 to 1.9 times as fast on a Llama's, for 4 to 2,048 rows (AMD EPYC with AVX-512, two
threads). The processor decides, not a measurement: a run resumed on the same machine must round as it did before.

In float32 PyTorch reaches oneDNN by one operator alone, the one that its compiler makes of linear layers; since that is not
documented, it is tried before it is relied on. An adapter's narrow factors stay with `torch.mm`, whose calls cost less.
"""

from functools import cache

import torch
from torch import Tensor

from lad_runtime.torch_backend.processor import is_intel


def product(x_NI: Tensor, matrix_IO: Tensor) -> Tensor:
    """x · matrix, [N, O], without gradient. A row's bits depend on no other row from 4 rows on (`row_probe` measures it;
    MKL is told to have it so, see the package)."""
    if x_NI.device.type == "cpu" and x_NI.dtype == torch.float32 and _onednn_is_faster():
        return _onednn(x_NI, matrix_IO)
    return torch.mm(x_NI, matrix_IO)


def _onednn(x_NI: Tensor, matrix_IO: Tensor) -> Tensor:
    y: Tensor = torch.ops.mkldnn._linear_pointwise(x_NI, matrix_IO.t(), None, "none", [], "")
    return y


@cache
def _onednn_is_faster() -> bool:
    return not (is_intel() and torch.backends.mkl.is_available()) and _has_onednn()


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
