"""The matmuls of a training step and nothing else: what the same threads could do if all the rest were free."""

import time
from pathlib import Path

import torch
from torch import Tensor

from bench.sides.device import DTYPES, finish_device
from bench.sides.serve import Values, serve
from lad_runtime.torch_backend.files.model_files import read_json
from lad_runtime.torch_backend.kernel_choice.matmul_choice import choose_kernels
from lad_runtime.torch_backend.kernels.matmul import product
from lad_runtime.torch_backend.kernels.matrix_kernels import HEAD, empty_matrix, usual_kernels
from lad_runtime.torch_backend.model.config import LlamaConfig
from lad_runtime.torch_backend.model.layers import FUSED, matrix_shapes
from lad_runtime.types.bases import MatmulKernel, MatrixKernel

_HEAD_ROWS = 256
"""The head's matmuls go in chunks of so many rows, since the logits of all rows at once would be memory traffic of their own."""


class Matmuls:
    """Forward and backward with respect to the input, weights frozen: 4 FLOP a parameter and row.

    The products are those that the worker computes, by the same kernels on the same layouts.
    """

    def load(self, request: Values) -> Values:
        threads, device, dtype = (
            request["threads"],
            torch.device(request["device"]),
            DTYPES[request["device"]],
        )
        torch.set_num_threads(threads)
        config = LlamaConfig.from_hf(read_json(Path(request["folder"]), "config.json"))
        ways = choose_kernels(config, device=device, dtype=dtype, threads=threads)
        matrices = {
            way.matrix: _Matrices(way, matrix_shapes(config)[way.matrix], device, dtype)
            for way in ways or usual_kernels(device, dtype)
        }
        self._layers = [[matrices[matrix].another() for matrix in FUSED] for _ in range(config.num_layers)]
        self._head = matrices[HEAD].another()
        parameters = sum(weight.numel() for layer in self._layers for weight, _ in layer)
        return {"matmulParameters": parameters + self._head[0].numel()}

    def prepare(self, request: Values) -> None:
        rows = request["rows"]
        widths = {width for weight, _ in self._layers[0] for width in weight.shape}
        self._inputs = {width: torch.randn(rows, width).to(self._head[0]) for width in widths}

    @torch.no_grad()
    def run(self, request: Values) -> Values:
        started = time.perf_counter()
        flop = 0
        for layer in self._layers:
            for matrix in layer:
                flop += self._forward(*matrix)
        flop += self._head_both_ways(*self._head)
        for layer in reversed(self._layers):
            for matrix in reversed(layer):
                flop += self._backward(*matrix)
        finish_device()
        return {"seconds": time.perf_counter() - started, "flop": flop}

    def _forward(self, weight: Tensor, kernel: MatmulKernel) -> int:
        x = self._inputs[weight.shape[1]]
        product(x, weight.t(), kernel)
        return 2 * len(x) * weight.numel()

    def _backward(self, weight: Tensor, kernel: MatmulKernel) -> int:
        dy = self._inputs[weight.shape[0]]
        product(dy, weight, kernel)
        return 2 * len(dy) * weight.numel()

    def _head_both_ways(self, head: Tensor, kernel: MatmulKernel) -> int:
        x = self._inputs[head.shape[1]]
        for start in range(0, len(x), _HEAD_ROWS):
            logits = product(x[start : start + _HEAD_ROWS], head.t(), kernel)
            product(logits, head, kernel)
        return 4 * len(x) * head.numel()


class _Matrices:
    """Random matrices of one kind, each with the kernel that multiplies with it."""

    def __init__(
        self, way: MatrixKernel, shape: tuple[int, int], device: torch.device, dtype: torch.dtype
    ) -> None:
        self._way, self._shape, self._device, self._dtype = way, shape, device, dtype

    def another(self) -> tuple[Tensor, MatmulKernel]:
        weight = empty_matrix(*self._shape, self._way.layout, device=self._device, dtype=self._dtype)
        return weight.normal_(0.0, 1 / 32), self._way.kernel


if __name__ == "__main__":
    serve(Matmuls())
