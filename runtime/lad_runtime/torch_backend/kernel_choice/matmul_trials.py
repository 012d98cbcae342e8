"""Times every way to multiply rows with matrices of given shapes, and tests whether its rows are independent.

`python -m …kernel_choice.matmul_trials` reads `{"shapes": {"qkv": [outputs, inputs], …}, "threads": n}` and prints the
times. A training step computes x · Wᵀ and dy · W over hundreds of rows, a sampling iteration x · Wᵀ over tens or hundreds. So the
forward with few rows, the forward with many and the backward with many are timed; their times per row count equally.
"""

import json
import math
import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial

import torch

from lad_runtime.torch_backend.kernel_choice.matmul_times import MatmulTime, Shape, write_times
from lad_runtime.torch_backend.kernel_choice.thread_clock import busiest_thread_seconds
from lad_runtime.torch_backend.kernels.matmul import product
from lad_runtime.torch_backend.kernels.matrix_kernels import candidates, random_matrix
from lad_runtime.torch_backend.model.row_independence import keeps_rows_apart
from lad_runtime.types.bases import MatrixKernel

_FEW_ROWS = 64
_MANY_ROWS = (128, 512)
_MANY_NUMBERS = 1 << 29  # rows · numbers of a matrix (half a product's FLOP), within _MANY_ROWS
_PROBED_ROWS = 256
_REPETITIONS = (3, 12)
_ENOUGH_SECONDS = 1.5


def main() -> None:
    request = json.load(sys.stdin)
    torch.set_num_threads(request["threads"])
    shapes = {matrix: (outputs, inputs) for matrix, (outputs, inputs) in request["shapes"].items()}
    print(json.dumps(write_times(measure(shapes))))


@torch.no_grad()
def measure(shapes: Mapping[str, Shape]) -> list[MatmulTime]:
    """Measures with torch's present number of threads, on random numbers.

    Takes the minimum over several rounds, since other load on the machine slows some of them. In each round all ways take
    turns, so that a large matrix is out of the caches at its next turn, as in a model.
    """
    trials = [_Trial(way, shape) for matrix, shape in shapes.items() for way in candidates(matrix)]
    least, most = _REPETITIONS
    started = time.perf_counter()
    for repetition in range(most):
        if repetition >= least and time.perf_counter() - started > _ENOUGH_SECONDS:
            break
        for use in range(_Trial.USES):
            for trial in trials if repetition % 2 == 0 else reversed(trials):
                trial.time(use)
    return [trial.result() for trial in trials]


class _Trial:
    """Times one way with one matrix: the forward with few rows, the forward with many, the backward with many."""

    USES = 3

    def __init__(self, way: MatrixKernel, shape: Shape) -> None:
        outputs, inputs = shape
        weight_OI = random_matrix(way, shape)
        rows = _many_rows(shape)
        x, dy = torch.randn(rows, inputs), torch.randn(rows, outputs)
        self._way = way
        self._weight_OI = weight_OI
        self._uses = [(x[:_FEW_ROWS], weight_OI.t()), (x, weight_OI.t()), (dy, weight_OI)]
        self._seconds = [math.inf] * self.USES

    def time(self, use: int) -> None:
        x, matrix = self._uses[use]
        seconds = busiest_thread_seconds(partial(product, x, matrix, self._way.kernel))
        self._seconds[use] = min(self._seconds[use], seconds)

    def result(self) -> MatmulTime:
        a_row = [seconds / len(x) for seconds, (x, _) in zip(self._seconds, self._uses, strict=True)]
        rows = min(_PROBED_ROWS, _many_rows(self._weight_OI.shape))
        apart = keeps_rows_apart(self._weight_OI, self._way.kernel, rows)
        return MatmulTime(way=self._way, seconds=sum(a_row), keeps_rows_apart=apart)


def _many_rows(shape: Sequence[int]) -> int:
    least, most = _MANY_ROWS
    return max(least, min(most, _MANY_NUMBERS // math.prod(shape)))


if __name__ == "__main__":
    main()
