"""An adapter that is being trained: its weights, the gradients gathered so far, its optimizer, and how far it has come."""

import weakref
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.torch_backend.adapters.offload import OffloadedOptimizer
from lad_runtime.torch_backend.model.lora import LoraAdapter, Version
from lad_runtime.torch_backend.optimizers.optimizer import Optimizer, clip
from lad_runtime.types.adapters import AdapterClaims, AdapterSpec
from lad_runtime.types.training import OptimizerSpec


@dataclass(frozen=True, kw_only=True)
class Holding:
    """Bytes that an adapter holds beside its weights."""

    gradients: int = 0
    optimizer: int = 0
    offloaded: int = 0  # on the disk


@dataclass(frozen=True)
class Gradients:
    """What had been gathered at some moment, to go back to."""

    tensors: dict[str, Tensor | None]
    gathered: int


class TrainedAdapter:
    """`steps` counts optimizer steps over the adapter's life; `gathered` the micro-batches whose gradients it now holds.

    Snapshots share its weights until they change: they are then moved to storage of their own, and the snapshots keep the old.
    Tensors belong to the thread that made the adapter, which publishes after every change what it holds: the sizes are plain
    numbers, for any thread to read.
    """

    def __init__(
        self,
        adapter: LoraAdapter,
        steps: int = 0,
        *,
        claims: AdapterClaims | None = None,
        is_snapshot: bool = False,
    ) -> None:
        self.adapter = adapter
        self.steps = steps
        self.claims = claims  # how it was trained last, if that is known
        self.gathered = 0
        self.is_snapshot = is_snapshot
        self._holding = Holding()
        self._learned: AdapterClaims | None = None  # how the gradients that it now holds came about
        self._optimizer: Optimizer | None = None
        self._offloaded: OffloadedOptimizer | None = None
        # the view that all live snapshots of the current weights share
        self._view: weakref.ref[LoraAdapter] | None = None
        self._version = Version()  # of those weights

    @property
    def optimizer(self) -> Optimizer | None:
        """The optimizer, read back from the disk where it was sent there. Raises STORAGE where it cannot be read."""
        if self._offloaded is not None:
            self._hold_optimizer(self._offloaded.load(self.parameters))
        return self._optimizer

    def forget_optimizer(self) -> None:
        self._hold_optimizer(None)

    def offload(self, folder: Path) -> None:
        """Moves the optimizer's state to a file, until it is used again. Raises STORAGE, nothing changed, on a full disk."""
        if self._optimizer is not None:
            self._hold_optimizer(OffloadedOptimizer.write(self._optimizer, folder))

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
        """Weights, gradients and optimizer state now held in memory."""
        return self.adapter.weight_nbytes + self.state_nbytes

    @property
    def state_nbytes(self) -> int:
        """Gradients and optimizer state now held in memory."""
        holding = self._holding
        return holding.gradients + holding.optimizer

    @property
    def optimizer_nbytes(self) -> int:
        return self._holding.optimizer

    @property
    def offloaded_nbytes(self) -> int:
        return self._holding.offloaded

    @property
    def copy_nbytes(self) -> int:
        """Extra bytes of the next step, because live snapshots share the weights."""
        return self.adapter.weight_nbytes if self._is_read else 0

    @property
    def snapshot_nbytes(self) -> int:
        """Extra bytes that a new snapshot may cost; 0 if a live one has these weights, or if this is a snapshot."""
        return 0 if self._is_read or self.is_snapshot else self.adapter.weight_nbytes

    @property
    def dropout_seed(self) -> int | None:
        """Keys the dropout masks of the next micro-batch; None for an adapter without dropout."""
        return (self.steps << 24) + self.gathered if self.spec.dropout > 0 else None

    def snapshot(self) -> "TrainedAdapter":
        """The weights alone, as they are now: no later step changes them. Takes no memory until the next step.

        Whoever asks before the next step gets the same weights, to be computed with in one batch, and finds the same prompts.
        """
        if self.is_snapshot:
            return TrainedAdapter(self.adapter, steps=self.steps, claims=self.claims, is_snapshot=True)
        view = self._view() if self._view else None
        if view is None:
            view = self.adapter.view(self._version)
            self._view = weakref.ref(view)
        return TrainedAdapter(view, steps=self.steps, claims=self.claims, is_snapshot=True)

    def optimizer_for(self, spec: OptimizerSpec) -> Optimizer:
        """Returns the optimizer. It keeps its state if `spec` has the same kind; otherwise a new one is made."""
        state = self._offloaded or self._optimizer
        if state is not None and state.spec.kind != spec.kind:
            self.forget_optimizer()
        if self.optimizer is None:
            self._hold_optimizer(Optimizer(spec, self.parameters))
        assert self._optimizer is not None
        return self._optimizer

    def step(self, spec: OptimizerSpec, learning_rate: float, max_gradient_norm: float) -> float:
        """One optimizer step on the gradients gathered, which it clears; returns their norm before clipping.

        Raises DIVERGED, weights and optimizer untouched and the gradients cleared, where the norm is no finite number.
        """
        learned = self._learned or self.claims
        try:
            norm = clip(self.parameters, max_gradient_norm)
            self._leave_snapshots()
            self.optimizer_for(spec).step(spec, learning_rate)
        finally:
            self.clear_gradients()
        if learned is not None:
            before = self.claims.steps if self.claims else self.steps
            self.claims = replace(learned, steps=before + 1)
        self.steps += 1
        return norm

    def learn(self, how: AdapterClaims) -> None:
        """Says how the gradients that it now holds came about: its claims from the next step on, which counts their steps."""
        self._learned = how

    def check_finite(self) -> None:
        """Raises DIVERGED where a weight is no longer a finite number."""
        for parameter in self.parameters.values():
            if not bool(torch.isfinite(parameter).all()):
                raise LadError(
                    ErrorCode.DIVERGED,
                    "Not every weight of the adapter is a finite number any more.",
                    option="learningRate",
                    remedy="Go back to an earlier checkpoint, or create the adapter anew, and lower learningRate.",
                )

    def gather(self) -> None:
        """Counts a micro-batch whose gradients have been added."""
        self.gathered += 1
        if self.gathered == 1:  # which has a gradient for every parameter
            self._count_gradients()

    def clear_gradients(self) -> None:
        for parameter in self.parameters.values():
            parameter.grad = None
        self.gathered = 0
        self._learned = None
        self._count_gradients()

    def gradients(self) -> Gradients:
        """A copy of the gradients gathered so far."""
        tensors = {n: None if p.grad is None else p.grad.clone() for n, p in self.parameters.items()}
        return Gradients(tensors, self.gathered)

    def restore_gradients(self, kept: Gradients) -> None:
        for name, parameter in self.parameters.items():
            parameter.grad = kept.tensors[name]
        self.gathered = kept.gathered
        self._count_gradients()

    def _leave_snapshots(self) -> None:
        """Before a change of the weights: moves them to storage of their own where a living snapshot reads them."""
        self._version = Version()
        if self._is_read:
            self.adapter.move()
        self._view = None

    @property
    def _is_read(self) -> bool:
        """Whether living snapshots share the weights."""
        view = self._view
        return view is not None and view() is not None

    def _hold_optimizer(self, held: Optimizer | OffloadedOptimizer | None) -> None:
        """Makes an optimizer, or its file, or neither what the adapter has."""
        self._optimizer = held if isinstance(held, Optimizer) else None
        self._offloaded = held if isinstance(held, OffloadedOptimizer) else None
        self._holding = replace(
            self._holding,
            optimizer=self._optimizer.nbytes if self._optimizer else 0,
            offloaded=self._offloaded.nbytes if self._offloaded else 0,
        )

    def _count_gradients(self) -> None:
        gradients = (parameter.grad for parameter in self.parameters.values())
        held = sum(gradient.nbytes for gradient in gradients if gradient is not None)
        self._holding = replace(self._holding, gradients=held)

    @torch.no_grad()
    def load_parameters(self, tensors: Mapping[str, Tensor]) -> None:
        """Overwrites the weights, in place; names and shapes must be this adapter's."""
        assert tensors.keys() == self.parameters.keys(), "the same parameters"
        self._leave_snapshots()
        for name, parameter in self.parameters.items():
            parameter.copy_(tensors[name])
        self.clear_gradients()
