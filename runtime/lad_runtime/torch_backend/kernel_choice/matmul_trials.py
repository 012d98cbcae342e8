"""Times every way to multiply rows with matrices of given shapes, and probes which ways keep rows apart.

`python -m …kernel_choice.matmul_trials` reads `{"shapes": {"qkv": [outputs, inputs], …}, "threads": n}` and prints the
times. A step of training computes x · Wᵀ and dy · W over hundreds of rows, an iteration of sampling x · Wᵀ over tens or hundreds:
the forward of few rows, the forward of many and the backward of many count alike, each by its time a row.
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
_MANY_NUMBERS = (
    1 << 29
)  # rows · numbers of a matrix, half of the FLOP of one product, for which there are more than the least rows
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
    """By as many threads as torch has now, on random numbers.

    The least of several repetitions, in which all ways take turns: whatever else the machine does slows some of them, and a
    large matrix is out of the caches when its turn comes again, as in a model.
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
    """One way to multiply with one matrix: the forward of few rows, the forward of many, the backward of many."""

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
