"""The Llama forward on flat token batches: any mixture of sequences, attention modes and LoRA adapters in one pass."""

from collections.abc import Mapping, Sequence
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from lad_runtime.torch_backend.kernels.cuda_graph import CudaRecorder
from lad_runtime.torch_backend.kernels.elementwise import EAGER, Kernels
from lad_runtime.torch_backend.kernels.lora_linear import Patch, linear
from lad_runtime.torch_backend.kernels.matrix_kernels import usual_kernels
from lad_runtime.torch_backend.kernels.rope import RotaryTable
from lad_runtime.torch_backend.model.attention import attend
from lad_runtime.torch_backend.model.config import LlamaConfig
from lad_runtime.torch_backend.model.flat_batch import FlatBatch
from lad_runtime.torch_backend.model.kv_cache import KeyValueCache, LivingCaches
from lad_runtime.torch_backend.model.layers import (
    FUSED,
    RandomTensors,
    TensorReader,
    fused_columns,
    norm_name,
    projection_name,
)
from lad_runtime.torch_backend.model.lora_dropout import Dropout
from lad_runtime.torch_backend.model.replays import Inputs, Replays
from lad_runtime.torch_backend.model.segment import Segment
from lad_runtime.types.bases import MatmulKernel, MatrixKernel

__all__ = ["Llama", "LlamaConfig"]


class Llama:
    """A base model on one device; frozen, unless `trainable_parameters` is called.

    `tensors` are looked up by their Hugging Face names, each once, and copied: a lazy mapping keeps peak memory low.
    `lm_head.weight` is not read if the head is tied. Raises LadError (invalid-file) naming a tensor that is missing, misshapen or
    not of floating-point numbers. `matrix_kernels` gives each kind of matrix its memory layout and library; the default depends
    on the machine.
    """

    def __init__(
        self,
        config: LlamaConfig,
        tensors: Mapping[str, Tensor],
        *,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
        kernels: Kernels = EAGER,
        matrix_kernels: Sequence[MatrixKernel] = (),
    ) -> None:
        self.config = config
        self._kernels = kernels
        self.device = torch.device(device)
        self.dtype = dtype
        ways = matrix_kernels or usual_kernels(self.device, dtype)
        self._matmuls = {way.matrix: way.kernel for way in ways}
        reader = TensorReader(tensors, self.device, dtype, {way.matrix: way.layout for way in ways})
        vocabulary = (config.vocab_size, config.hidden_size)
        self.embedding = reader.tensor("model.embed_tokens.weight", vocabulary)
        self.layers = [reader.layer(config, index) for index in range(config.num_layers)]
        self.norm = reader.tensor("model.norm.weight", (config.hidden_size,))
        self.head = self.embedding if config.tied else reader.tensor("lm_head.weight", vocabulary)
        self.caches = LivingCaches()
        self.replays = Replays(CudaRecorder() if self._is_recordable else None)
        self._columns = fused_columns(config)
        self._rotary = RotaryTable(
            config.head_dim, config.rope_theta, config.rope_scaling, self.device, dtype
        )

    @classmethod
    def random(
        cls,
        config: LlamaConfig,
        seed: int,
        *,
        device: torch.device | str = "cpu",
        dtype: torch.dtype = torch.float32,
        deviation: float = 0.02,
    ) -> "Llama":
        """A model for training from scratch: matrices ~ N(0, deviation²) from a generator with this seed, norms 1."""
        return cls(config, RandomTensors(config, seed, deviation), device=device, dtype=dtype)

    @property
    def weights(self) -> dict[str, Tensor]:
        """Every tensor by its Hugging Face name, without gradient: views of the model's own memory."""
        named = {"model.embed_tokens.weight": self.embedding.detach()}
        for index, layer in enumerate(self.layers):
            named[norm_name(index, "input_layernorm")] = layer.attention_norm.detach()
            named[norm_name(index, "post_attention_layernorm")] = layer.mlp_norm.detach()
            for matrix, projections in FUSED.items():
                rows = [self.config.projection_shape(projection)[0] for projection in projections]
                parts = getattr(layer, matrix).detach().split(rows)
                named |= {
                    projection_name(index, name): part for name, part in zip(projections, parts, strict=True)
                }
        named["model.norm.weight"] = self.norm.detach()
        if not self.config.tied:
            named["lm_head.weight"] = self.head.detach()
        return named

    @property
    def parameter_count(self) -> int:
        return sum(tensor.numel() for tensor in self.weights.values())

    @property
    def nbytes(self) -> int:
        return sum(tensor.nbytes for tensor in self.weights.values())

    def kernel_of(self, matrix: str) -> MatmulKernel:
        """The library that multiplies rows with this kind of matrix: qkv, o, gate_up, down or head."""
        return self._matmuls[matrix]

    def trainable_parameters(self) -> list[Tensor]:
        """Unfreezes every weight, for training the base itself; returns the leaves; a fused matrix is one leaf."""
        leaves = [self.embedding, self.norm] if self.config.tied else [self.embedding, self.norm, self.head]
        for layer in self.layers:
            leaves += (layer.attention_norm, layer.qkv, layer.o, layer.mlp_norm, layer.gate_up, layer.down)
        return [leaf.requires_grad_() for leaf in leaves]

    def cache(self, capacity: int) -> KeyValueCache:
        """An empty cache for this model's keys and values, counted in `caches` while it lives. Raises as `KeyValueCache`."""
        return self.caches.counted(KeyValueCache(self.config, capacity, self.device, self.dtype))

    def batch(self, segments: Sequence[Segment]) -> FlatBatch:
        """Lays out segments for this model on its device. Raises LadError as `FlatBatch` does."""
        config = self.config
        return FlatBatch(
            segments, vocab_size=config.vocab_size, max_positions=config.max_positions, device=self.device
        )

    def hidden_states(self, batch: FlatBatch, *, checkpointing: bool = False) -> Tensor:
        """The final norm's output [N, hidden] of one forward; padding rows are undefined.

        Differentiable if gradients are enabled. With `checkpointing` only each layer's input is kept, and the backward computes
        the rest again (arXiv 1604.06174), to the same bits. The segments' caches grow by the segments' tokens.
        """
        compute = partial(self._hidden_states, batch, checkpointing=checkpointing)
        hidden_ND = self.replays.hidden_states(batch, lambda: self._inputs(batch), compute)
        batch.advance_caches(hidden_ND)
        return hidden_ND

    def _inputs(self, batch: FlatBatch) -> Inputs:
        cos, sin = self._rotary.at(batch.positions, batch.end)
        return Inputs(ids_N=batch.ids, cos=cos, sin=sin, padding=batch.padding)

    def _hidden_states(self, batch: FlatBatch, inputs: Inputs, *, checkpointing: bool) -> Tensor:
        cos, sin = inputs.cos, inputs.sin
        dropouts = [Dropout.of(rows, self.device, self.dtype) for rows in batch.adapters]
        x = F.embedding(inputs.ids_N, self.embedding)
        if inputs.padding is not None:
            # Zeros stay zeros in every layer, so padding cannot overflow.
            x = x.index_fill_(0, inputs.padding, 0.0)
        for index in range(len(self.layers)):
            patches = {matrix: self._patches(batch, dropouts, index, matrix) for matrix in FUSED}
            if checkpointing and torch.is_grad_enabled():
                recomputed = partial(self._layer, index, batch=batch, cos=cos, sin=sin, patches=patches)
                x = checkpoint(recomputed, x, use_reentrant=False, preserve_rng_state=False)
            else:
                x = self._layer(index, x, batch=batch, cos=cos, sin=sin, patches=patches)
        return self._kernels.rms_norm(x, self.norm, self.config.rms_norm_eps)

    @property
    def _is_recordable(self) -> bool:
        """Where forwards wait for their launches. Compiled kernels bring launchers of their own."""
        halves = self.dtype in (torch.float16, torch.bfloat16)
        return self.device.type == "cuda" and halves and self._kernels is EAGER

    def _layer(
        self,
        index: int,
        x: Tensor,
        *,
        batch: FlatBatch,
        cos: Tensor,
        sin: Tensor,
        patches: Mapping[str, Sequence[Patch]],
    ) -> Tensor:
        """One transformer layer over [N, hidden]. Without gradients it overwrites and returns `x`."""
        layer, eps, kernels = self.layers[index], self.config.rms_norm_eps, self._kernels
        normed = kernels.rms_norm(x, layer.attention_norm, eps)
        by = self.kernel_of
        qkv = linear(normed, layer.qkv, patches["qkv"], kernel=by("qkv"))
        attended = attend(qkv, batch, index, cos, sin, self.config)
        x = linear(attended, layer.o, patches["o"], x, kernel=by("o"))
        normed = kernels.rms_norm(x, layer.mlp_norm, eps)
        inner = kernels.swiglu(linear(normed, layer.gate_up, patches["gate_up"], kernel=by("gate_up")))
        return linear(inner, layer.down, patches["down"], x, kernel=by("down"))

    def logits(self, hidden_RD: Tensor) -> Tensor:
        """Scores of the vocabulary [R, V], float32. A row is independent of the others if R is a multiple of 4."""
        return linear(hidden_RD, self.head, kernel=self.kernel_of("head")).float()

    def _patches(
        self, batch: FlatBatch, dropouts: Sequence[Dropout | None], index: int, matrix: str
    ) -> list[Patch]:
        patches = []
        for group, dropout in zip(batch.adapters, dropouts, strict=True):
            for projection in FUSED[matrix]:
                factors = group.adapter.factors(index, projection)
                if factors is not None:
                    lora_a, lora_b = factors
                    patch = Patch(
                        rows=slice(group.start, group.stop),
                        columns=self._columns[projection],
                        lora_a=lora_a,
                        lora_b=lora_b,
                        scaling=group.adapter.scaling,
                        keep=None if dropout is None else dropout.next_mask(lora_a.shape[1]),
                    )
                    patches.append(patch)
        return patches
