"""Which library multiplies with each kind of a base's matrices, and on which layout: one for all rows, chosen once a machine.

A base's bits follow from the choice, so it depends on what is recorded of the machine and on nothing that comes and goes.
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
"""The environment variable that names one library for all matrices, for measurements; the layouts are then its fastest."""

MEASURED_NUMBERS = 1 << 18
"""A smaller matrix is not measured. A base made of such is loaded in less time than measuring takes, and gains little: a training
step of `tiny` takes a twentieth less time by the faster library (AMD EPYC, Zen 3)."""

_SAME = 1.03
"""Times that are no further apart are the same: two machines of a kind, or two measurements, should not choose differently."""


def choose_kernels(
    config: LlamaConfig, *, device: torch.device, dtype: torch.dtype, threads: int
) -> tuple[MatrixKernel, ...]:
    """One for each kind of matrix, for a base that computes with so many threads; empty where there is nothing to choose.

    The fastest of those that keep rows apart. The first time that a machine meets matrices of these shapes it takes a few
    seconds. Raises LadError(INVALID_OPTION) where LAD_MATMUL names a library that there is not.
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
    """By time where there are times, else the first that keeps rows apart; the first of all where none does."""
    known = {one.way: one for one in times}
    timed = [known[way] for way in ways if way in known]
    apart = [one for one in timed if one.keeps_rows_apart] or timed
    if apart:
        fastest = min(one.seconds for one in apart)
        return next(one.way for one in apart if one.seconds <= _SAME * fastest)
    return next((way for way in ways if keeps_rows_apart(random_matrix(way, shape), way.kernel)), ways[0])
