"""Chooses the library and the layout for each kind of matrix of a base, once for each machine and for any number of rows.

A base's results depend on the choice in their last bits. So it depends only on recorded times, never on the machine's load.
"""

import math
import os
from collections.abc import Sequence

import torch

from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.torch_backend.kernel_choice.matmul_record import recorded_times
from lad_runtime.torch_backend.kernel_choice.matmul_times import MatmulTime, Shape
from lad_runtime.torch_backend.kernels.matmul import available_kernels
from lad_runtime.torch_backend.kernels.matrix_kernels import candidates, chooses, random_matrix, tried_shape
from lad_runtime.torch_backend.model.config import LlamaConfig
from lad_runtime.torch_backend.model.layers import matrix_shapes
from lad_runtime.torch_backend.model.row_independence import keeps_rows_apart
from lad_runtime.types.bases import MatmulKernel, MatrixKernel

FORCED = "LAD_MATMUL"
"""The environment variable that sets one library for all matrices, for measurements; each layout is then its fastest."""

MEASURED_NUMBERS = 1 << 18
"""Matrices with fewer numbers are not measured. A base of such matrices loads faster than measuring takes, and gains little: a
training step of `tiny` takes 5 % less time with the faster library (AMD EPYC, Zen 3)."""

_SAME = 1.03
"""Times within this factor count as equal, so that equal machines, and repeated measurements, make the same choice."""


def choose_kernels(
    config: LlamaConfig, *, device: torch.device, dtype: torch.dtype, threads: int
) -> tuple[MatrixKernel, ...]:
    """The way for each kind of matrix of a base that computes with so many threads; empty if there is no choice.

    It is the fastest with independent rows. The first call for matrices of these shapes on a machine takes a few seconds.
    Raises LadError(INVALID_OPTION) if LAD_MATMUL names an unavailable library.
    """
    if not chooses(device, dtype):
        return ()
    forced = _forced()
    shapes = {matrix: tried_shape(matrix, *shape) for matrix, shape in matrix_shapes(config).items()}
    large = {matrix: shape for matrix, shape in shapes.items() if math.prod(shape) >= MEASURED_NUMBERS}
    times = recorded_times(large, threads) if large else []
    return tuple(
        _chosen([way for way in candidates(matrix) if forced in (None, way.kernel)], shape, times)
        for matrix, shape in shapes.items()
    )


def _forced() -> MatmulKernel | None:
    name = os.environ.get(FORCED)
    if not name:
        return None
    for kernel in available_kernels():
        if kernel == name:
            return kernel
    raise LadError(
        ErrorCode.INVALID_OPTION,
        f"{FORCED} is {name!r}, which this worker cannot multiply by.",
        option=FORCED,
        value=name,
        remedy=f"Set it to {' or '.join(available_kernels())}, or leave it out.",
    )


def _chosen(ways: Sequence[MatrixKernel], shape: Shape, times: Sequence[MatmulTime]) -> MatrixKernel:
    """The fastest way with independent rows if there are times, else the first with independent rows, else the first."""
    known = {one.way: one for one in times}
    timed = [known[way] for way in ways if way in known]
    apart = [one for one in timed if one.keeps_rows_apart] or timed
    if apart:
        fastest = min(one.seconds for one in apart)
        return next(one.way for one in apart if one.seconds <= _SAME * fastest)
    return next((way for way in ways if keeps_rows_apart(random_matrix(way, shape), way.kernel)), ways[0])
