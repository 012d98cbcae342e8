"""The ways to multiply rows with each kind of a model's matrices: by which library, and on which layout in memory."""

from collections.abc import Sequence

import torch
from torch import Tensor

from lad_runtime.torch_backend.kernels.matmul import available_kernels
from lad_runtime.types.bases import MatrixKernel, MatrixLayout

HEAD = "head"
MATRICES = ("qkv", "o", "gate_up", "down", HEAD)

_TRIED_OUTPUTS = 1 << 14


def candidates(matrix: str) -> list[MatrixKernel]:
    """What may be chosen for a kind of matrix in float32 on the CPU, the earlier the rather where it makes no difference."""
    return [
        MatrixKernel(matrix=matrix, kernel=kernel, layout=layout)
        for kernel in available_kernels()
        for layout in _layouts(matrix)
    ]


def usual_kernels(device: torch.device, dtype: torch.dtype) -> list[MatrixKernel]:
    """One for each kind of matrix, where nothing has been chosen. Whatever is not float32 on the CPU goes to `torch.mm`."""
    if chooses(device, dtype):
        return [candidates(matrix)[0] for matrix in MATRICES]
    return [MatrixKernel(matrix=matrix, kernel="mkl", layout=_layouts(matrix)[0]) for matrix in MATRICES]


def chooses(device: torch.device, dtype: torch.dtype) -> bool:
    """Whether there is a choice: CUDA has its own library, and `torch.mm` knows by itself where half precision belongs."""
    return device.type == "cpu" and dtype == torch.float32


def empty_matrix(
    outputs: int, inputs: int, layout: MatrixLayout, *, device: torch.device, dtype: torch.dtype
) -> Tensor:
    """[outputs, inputs]. In memory `out-in` has the inputs of one output side by side, `in-out` the outputs of one input."""
    if layout == "out-in":
        return torch.empty(outputs, inputs, device=device, dtype=dtype)
    return torch.empty(inputs, outputs, device=device, dtype=dtype).t()


def tried_shape(matrix: str, outputs: int, inputs: int) -> tuple[int, int]:
    """As much of a matrix as is tried in its place: a vocabulary's rows are alike, and all of them may be gigabytes."""
    return (min(outputs, _TRIED_OUTPUTS) if matrix == HEAD else outputs), inputs


def random_matrix(way: MatrixKernel, shape: tuple[int, int]) -> Tensor:
    """[outputs, inputs] as `way` has it in memory, always the same."""
    weight = empty_matrix(*shape, way.layout, device=torch.device("cpu"), dtype=torch.float32)
    return weight.normal_(0.0, 0.02, generator=torch.Generator().manual_seed(0))


def _layouts(matrix: str) -> Sequence[MatrixLayout]:
    """The head is often the embedding too, whose rows are looked up: they lie side by side."""
    return ("out-in",) if matrix == HEAD else ("in-out", "out-in")
