"""The matmuls of a training step and nothing else: what the same threads could do if all the rest were free."""

import time
from pathlib import Path

import torch

from bench.sides.device import DTYPES, finish_device
from bench.sides.serve import Values, serve
from lad_runtime.torch_backend.config import LlamaConfig
from lad_runtime.torch_backend.layers import FUSED
from lad_runtime.torch_backend.matmul import product
from lad_runtime.torch_backend.model_files import read_json

_HEAD_ROWS = 256
"""The head's matmuls go in chunks of so many rows, since the logits of all rows at once would be memory traffic of their own."""


class Matmuls:
    """Forward and backward with respect to the input, weights frozen: 4 FLOP a parameter and row.

    The products are those that the worker computes, by the fastest matmul and on the fastest layout that it knows.
    """

    def load(self, request: Values) -> Values:
        torch.set_num_threads(request["threads"])
        config = LlamaConfig.from_hf(read_json(Path(request["folder"]), "config.json"))
        self._like = torch.empty(0, device=request["device"], dtype=DTYPES[request["device"]])
        self._layers = [
            [self._random(inputs, outputs).t() / 32 for outputs, inputs in _shapes(config)]
            for _ in range(config.num_layers)
        ]
        self._head = self._random(config.vocab_size, config.hidden_size) / 32
        parameters = sum(weight.numel() for layer in self._layers for weight in layer) + self._head.numel()
        return {"matmulParameters": parameters}

    def prepare(self, request: Values) -> None:
        rows = request["rows"]
        widths = {width for weight in self._layers[0] for width in weight.shape}
        self._inputs = {width: self._random(rows, width) for width in widths}

    @torch.no_grad()
    def run(self, request: Values) -> Values:
        started = time.perf_counter()
        flop = 0
        for layer in self._layers:
            for weight in layer:
                flop += self._forward(weight)
        flop += self._head_both_ways()
        for layer in reversed(self._layers):
            for weight in reversed(layer):
                flop += self._backward(weight)
        finish_device()
        return {"seconds": time.perf_counter() - started, "flop": flop}

    def _random(self, rows: int, columns: int) -> torch.Tensor:
        return torch.randn(rows, columns, dtype=self._like.dtype, device=self._like.device)

    def _forward(self, weight: torch.Tensor) -> int:
        x = self._inputs[weight.shape[1]]
        product(x, weight.t())
        return 2 * len(x) * weight.numel()

    def _backward(self, weight: torch.Tensor) -> int:
        dy = self._inputs[weight.shape[0]]
        product(dy, weight)
        return 2 * len(dy) * weight.numel()

    def _head_both_ways(self) -> int:
        x = self._inputs[self._head.shape[1]]
        for start in range(0, len(x), _HEAD_ROWS):
            logits = product(x[start : start + _HEAD_ROWS], self._head.t())
            product(logits, self._head)
        return 4 * len(x) * self._head.numel()


def _shapes(config: LlamaConfig) -> list[tuple[int, int]]:
    """(outputs, inputs) of one layer's matrices, those of the same input fused."""
    shapes = []
    for projections in FUSED.values():
        parts = [config.projection_shape(projection) for projection in projections]
        shapes.append((sum(outputs for outputs, _ in parts), parts[0][1]))
    return shapes


if __name__ == "__main__":
    serve(Matmuls())
