"""An adapter that is being trained: its weights, the gradients gathered so far, its optimizer, and how far it has come."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from lad_runtime.torch_backend.lora import LoraAdapter
from lad_runtime.torch_backend.optimizer import Optimizer, clip
from lad_runtime.types import AdapterSpec, OptimizerSpec


@dataclass(frozen=True)
class Gradients:
    """What had been gathered at some moment, to go back to."""

    tensors: dict[str, Tensor | None]
    gathered: int


class TrainedAdapter:
    """`steps` counts optimizer steps over the adapter's life; `gathered` the micro-batches whose gradients it now holds."""

    def __init__(self, adapter: LoraAdapter, optimizer: Optimizer | None = None, steps: int = 0) -> None:
        self.adapter = adapter
        self.optimizer = optimizer
        self.steps = steps
        self.gathered = 0

    @property
    def spec(self) -> AdapterSpec:
        return self.adapter.spec

    @property
    def parameters(self) -> dict[str, Tensor]:
        return self.adapter.parameters

    @property
    def parameter_count(self) -> int:
        return self.adapter.parameter_count

    @property
    def nbytes(self) -> int:
        """Weights, gradients and optimizer state now held."""
        return self.adapter.nbytes + (self.optimizer.nbytes if self.optimizer else 0)

    @property
    def dropout_seed(self) -> int | None:
        """Keys the dropout masks of the next micro-batch; None for an adapter without dropout."""
        return (self.steps << 24) + self.gathered if self.spec.dropout > 0 else None

    def snapshot(self) -> "TrainedAdapter":
        """A copy of the weights alone, which later steps do not touch."""
        return TrainedAdapter(self.adapter.snapshot(), steps=self.steps)

    def optimizer_for(self, spec: OptimizerSpec) -> Optimizer:
        """The optimizer, its state gone on with where `spec` is of the same kind, and made afresh where it is not."""
        if self.optimizer is None or self.optimizer.spec.kind != spec.kind:
            self.optimizer = Optimizer(spec, self.parameters)
        return self.optimizer

    def step(self, spec: OptimizerSpec, learning_rate: float, max_gradient_norm: float) -> float:
        """One optimizer step on the gradients gathered, which it clears; returns their norm before clipping.

        Raises DIVERGED, weights and optimizer untouched and the gradients cleared, where the norm is no finite number.
        """
        try:
            norm = clip(self.parameters, max_gradient_norm)
            self.optimizer_for(spec).step(spec, learning_rate)
        finally:
            self.clear_gradients()
        self.steps += 1
        return norm

    def clear_gradients(self) -> None:
        for parameter in self.parameters.values():
            parameter.grad = None
        self.gathered = 0

    def gradients(self) -> Gradients:
        """A copy of the gradients gathered so far."""
        tensors = {n: None if p.grad is None else p.grad.clone() for n, p in self.parameters.items()}
        return Gradients(tensors, self.gathered)

    def restore_gradients(self, kept: Gradients) -> None:
        for name, parameter in self.parameters.items():
            parameter.grad = kept.tensors[name]
        self.gathered = kept.gathered

    @torch.no_grad()
    def load_parameters(self, tensors: Mapping[str, Tensor]) -> None:
        """Overwrites the weights, in place; names and shapes must be this adapter's."""
        assert tensors.keys() == self.parameters.keys(), "the same parameters"
        for name, parameter in self.parameters.items():
            parameter.copy_(tensors[name])
        self.clear_gradients()
