"""The ways to multiply rows with each kind of matrix in a model: combinations of a library and a memory layout."""

from collections.abc import Sequence

import torch
from torch import Tensor

from lad_runtime.torch_backend.kernels.matmul import available_kernels
from lad_runtime.types.bases import MatrixKernel, MatrixLayout

HEAD = "head"
MATRICES = ("qkv", "o", "gate_up", "down", HEAD)

_TRIED_OUTPUTS = 1 << 14


def candidates(matrix: str) -> list[MatrixKernel]:
    """The choices for a kind of matrix in float32 on the CPU; among equally fast ones, the first is preferred."""
    return [
        MatrixKernel(matrix=matrix, kernel=kernel, layout=layout)
        for kernel in available_kernels()
        for layout in _layouts(matrix)
    ]


def usual_kernels(device: torch.device, dtype: torch.dtype) -> list[MatrixKernel]:
    """The default way for each kind of matrix. Anything but float32 on the CPU uses `torch.mm`."""
    if chooses(device, dtype):
        return [candidates(matrix)[0] for matrix in MATRICES]
    return [MatrixKernel(matrix=matrix, kernel="mkl", layout=_layouts(matrix)[0]) for matrix in MATRICES]


def chooses(device: torch.device, dtype: torch.dtype) -> bool:
    """Whether there is a choice: CUDA has its own library, and `torch.mm` itself chooses one for half precision."""
    return device.type == "cpu" and dtype == torch.float32


def empty_matrix(
    outputs: int, inputs: int, layout: MatrixLayout, *, device: torch.device, dtype: torch.dtype
) -> Tensor:
    """An uninitialised [outputs, inputs]. In `out-in` the inputs of an output are adjacent in memory, in `in-out` the outputs of
    an input."""
    if layout == "out-in":
        return torch.empty(outputs, inputs, device=device, dtype=dtype)
    return torch.empty(inputs, outputs, device=device, dtype=dtype).t()


def tried_shape(matrix: str, outputs: int, inputs: int) -> tuple[int, int]:
    """The shape to measure in place of a matrix: fewer rows for the head, since a vocabulary's rows may take gigabytes."""
    return (min(outputs, _TRIED_OUTPUTS) if matrix == HEAD else outputs), inputs


def random_matrix(way: MatrixKernel, shape: tuple[int, int]) -> Tensor:
    """A fixed random [outputs, inputs] in the layout of `way`."""
    weight = empty_matrix(*shape, way.layout, device=torch.device("cpu"), dtype=torch.float32)
    return weight.normal_(0.0, 0.02, generator=torch.Generator().manual_seed(0))


def _layouts(matrix: str) -> Sequence[MatrixLayout]:
    """The layouts to try. The head is often the embedding too, where each row must be contiguous for look-ups."""
    return ("out-in",) if matrix == HEAD else ("in-out", "out-in")
