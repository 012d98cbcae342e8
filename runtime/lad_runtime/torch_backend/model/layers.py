"""A Llama's weights in memory: read by their Hugging Face names; projections of the same input are fused into one matrix."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.torch_backend.kernels.generator import seeded_generator
from lad_runtime.torch_backend.kernels.matrix_kernels import HEAD, empty_matrix
from lad_runtime.torch_backend.model.config import LlamaConfig
from lad_runtime.types.bases import MatrixLayout

FUSED = {
    "qkv": ("q_proj", "k_proj", "v_proj"),
    "o": ("o_proj",),
    "gate_up": ("gate_proj", "up_proj"),
    "down": ("down_proj",),
}
"""The projections of each matrix of a `Layer`, in the order of its output rows."""


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One transformer layer's weights. Matrices are [outputs, inputs], each in the memory layout chosen for its kind."""

    attention_norm: Tensor
    qkv: Tensor
    o: Tensor
    mlp_norm: Tensor
    gate_up: Tensor
    down: Tensor


class TensorReader:
    """Checks named tensors and copies them to a device. Raises LadError (invalid-file) that names the tensor."""

    def __init__(
        self,
        tensors: Mapping[str, Tensor],
        device: torch.device,
        dtype: torch.dtype,
        layouts: Mapping[str, MatrixLayout],
    ) -> None:
        self._tensors = tensors
        self._device = device
        self._dtype = dtype
        self._layouts = layouts

    def layer(self, config: LlamaConfig, index: int) -> Layer:
        hidden = (config.hidden_size,)
        return Layer(
            attention_norm=self.tensor(norm_name(index, "input_layernorm"), hidden),
            mlp_norm=self.tensor(norm_name(index, "post_attention_layernorm"), hidden),
            **{matrix: self._matrix(config, index, matrix) for matrix in FUSED},
        )

    def tensor(self, name: str, shape: tuple[int, ...]) -> Tensor:
        target = torch.empty(shape, device=self._device, dtype=self._dtype)
        self._read_into(name, target)
        return target

    def _matrix(self, config: LlamaConfig, index: int, matrix: str) -> Tensor:
        outputs, inputs = matrix_shapes(config)[matrix]
        fused = empty_matrix(outputs, inputs, self._layouts[matrix], device=self._device, dtype=self._dtype)
        rows = [config.projection_shape(projection)[0] for projection in FUSED[matrix]]
        for projection, part in zip(FUSED[matrix], fused.split(rows), strict=True):
            self._read_into(projection_name(index, projection), part)
        return fused

    def _read_into(self, name: str, target: Tensor) -> None:
        try:
            source = self._tensors[name]
        except KeyError as missing:
            raise _invalid(f"the tensor {name} is missing.", name) from missing
        if tuple(source.shape) != tuple(target.shape):
            shapes = f"{list(source.shape)}, and the configuration asks for {list(target.shape)}"
            raise _invalid(f"the tensor {name} has the shape {shapes}.", name)
        if not source.dtype.is_floating_point:
            raise _invalid(f"the tensor {name} holds {source.dtype}, not floating-point numbers.", name)
        target.copy_(source)


class RandomTensors(Mapping[str, Tensor]):
    """Initial weights for training from scratch: matrices ~ N(0, deviation²), norms 1. Each look-up draws new numbers."""

    def __init__(self, config: LlamaConfig, seed: int, deviation: float) -> None:
        self._generator = seeded_generator(seed)
        self._deviation = deviation
        self._shapes = tensor_shapes(config)

    def __getitem__(self, name: str) -> Tensor:
        shape = self._shapes[name]
        if len(shape) == 1:
            return torch.ones(shape)
        return torch.empty(shape).normal_(0.0, self._deviation, generator=self._generator)

    def __iter__(self) -> Iterator[str]:
        return iter(self._shapes)

    def __len__(self) -> int:
        return len(self._shapes)


def tensor_shapes(config: LlamaConfig) -> dict[str, tuple[int, ...]]:
    """The shape of every tensor in a checkpoint of this configuration, by its Hugging Face name."""
    hidden = (config.hidden_size,)
    shapes: dict[str, tuple[int, ...]] = {
        "model.embed_tokens.weight": (config.vocab_size, config.hidden_size)
    }
    for index in range(config.num_layers):
        shapes[norm_name(index, "input_layernorm")] = hidden
        for projections in FUSED.values():
            for projection in projections:
                shapes[projection_name(index, projection)] = config.projection_shape(projection)
        shapes[norm_name(index, "post_attention_layernorm")] = hidden
    shapes["model.norm.weight"] = hidden
    if not config.tied:
        shapes["lm_head.weight"] = (config.vocab_size, config.hidden_size)
    return shapes


def weight_count(config: LlamaConfig) -> int:
    """How many numbers a checkpoint of this configuration has."""
    of_layer = 2 * config.hidden_size
    for projections in FUSED.values():
        of_layer += sum(math.prod(config.projection_shape(projection)) for projection in projections)
    vocabulary = config.vocab_size * config.hidden_size
    return (1 if config.tied else 2) * vocabulary + config.num_layers * of_layer + config.hidden_size


def matrix_shapes(config: LlamaConfig) -> dict[str, tuple[int, int]]:
    """(outputs, inputs) of each kind of matrix: the matrices of a `Layer`, and the head."""
    shapes = {}
    for matrix, projections in FUSED.items():
        parts = [config.projection_shape(projection) for projection in projections]
        shapes[matrix] = (sum(outputs for outputs, _ in parts), parts[0][1])
    return shapes | {HEAD: (config.vocab_size, config.hidden_size)}


def fused_columns(config: LlamaConfig) -> dict[str, slice]:
    """The columns of each projection's outputs within its fused matrix's outputs."""
    columns = {}
    for projections in FUSED.values():
        start = 0
        for projection in projections:
            columns[projection] = slice(start, start + config.projection_shape(projection)[0])
            start = columns[projection].stop
    return columns


def projection_name(index: int, projection: str) -> str:
    """`model.layers.0.self_attn.q_proj.weight`."""
    block = "mlp" if projection in ("gate_proj", "up_proj", "down_proj") else "self_attn"
    return f"model.layers.{index}.{block}.{projection}.weight"


def norm_name(index: int, norm: str) -> str:
    """`model.layers.0.input_layernorm.weight`."""
    return f"model.layers.{index}.{norm}.weight"


def _invalid(problem: str, name: str) -> LadError:
    return LadError(
        ErrorCode.INVALID_FILE,
        f"The model's weights cannot be used: {problem}",
        value=name,
        remedy="Give an intact checkpoint.",
    )
