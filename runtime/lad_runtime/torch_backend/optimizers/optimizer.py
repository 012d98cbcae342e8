"""The optimizers, and their state as named tensors that a checkpoint can hold."""

from collections.abc import Mapping
from math import isfinite

import torch
from torch import Tensor
from torch.nn.utils import get_total_norm
from torch.optim.adamw import adamw

from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.torch_backend.optimizers.muon import muon_step
from lad_runtime.types.training import OptimizerSpec

SLOTS = {"adamw": ("exp_avg", "exp_avg_sq"), "muon": ("momentum",)}


class Optimizer:
    """AdamW (torch's own, tensor by tensor) or Muon over named parameters; steps are bit-reproducible.

    The state is there from the start, so that what it occupies is known before the first step.
    """

    def __init__(self, spec: OptimizerSpec, parameters: Mapping[str, Tensor]) -> None:
        self.spec = spec
        self._parameters = dict(parameters)
        self._slots = {
            slot: {name: torch.zeros_like(p) for name, p in parameters.items()} for slot in SLOTS[spec.kind]
        }
        self._steps = 0
        self.nbytes = sum(t.nbytes for slot in self._slots.values() for t in slot.values())

    @torch.no_grad()
    def step(self, spec: OptimizerSpec, learning_rate: float) -> None:
        """One step on the gradients as they are. `spec` is of the kind this optimizer is; its other values may have changed."""
        assert spec.kind == self.spec.kind, "another kind needs another optimizer"
        self.spec = spec
        self._steps += 1
        parameters = list(self._parameters.values())
        if spec.kind == "muon":
            muon_step(
                parameters,
                list(self._slots["momentum"].values()),
                learning_rate=learning_rate,
                momentum=spec.momentum,
                weight_decay=spec.weight_decay,
                newton_schulz_steps=spec.newton_schulz_steps,
            )
        else:
            self._adamw(parameters, learning_rate)

    def state(self) -> dict[str, Tensor]:
        """Everything that the next step depends on beside weights and gradients: `<slot>/<parameter>` and `steps`."""
        tensors = {f"{slot}/{name}": t for slot, named in self._slots.items() for name, t in named.items()}
        return tensors | {"steps": torch.tensor(self._steps, dtype=torch.int64)}

    def load(self, state: Mapping[str, Tensor]) -> None:
        """Takes over a state made by an optimizer of this kind over the same parameters; INVALID_FILE where it is not."""
        own = self.state()
        if {n: t.shape for n, t in own.items()} != {n: t.shape for n, t in state.items()}:
            raise LadError(
                ErrorCode.INVALID_FILE,
                f"The optimizer state does not belong to {self.spec.kind} over this adapter.",
                remedy="Load the checkpoint into an adapter of the rank and targets that it was saved from.",
            )
        for name, tensor in own.items():
            tensor.copy_(state[name])
        self._steps = int(state["steps"].item())

    def _adamw(self, parameters: list[Tensor], learning_rate: float) -> None:
        """torch.optim.AdamW's own step function, on this class's state."""
        spec = self.spec
        adamw(
            parameters,
            [_gradient(p) for p in parameters],
            list(self._slots["exp_avg"].values()),
            list(self._slots["exp_avg_sq"].values()),
            [],
            [torch.tensor(float(self._steps - 1)) for _ in parameters],
            foreach=parameters[0].is_cuda,
            fused=not parameters[0].is_cuda,
            amsgrad=False,
            beta1=spec.beta1,
            beta2=spec.beta2,
            lr=learning_rate,
            weight_decay=spec.weight_decay,
            eps=spec.epsilon,
            maximize=False,
        )


@torch.no_grad()
def clip(parameters: Mapping[str, Tensor], max_norm: float) -> float:
    """Scales the gradients so that their norm, all parameters together, is at most `max_norm` (0: leaves them).

    Parameters that no gradient reached get one of zeros. Returns the norm before clipping. Raises DIVERGED, having changed nothing
    else, where the norm is no finite number.
    """
    for p in parameters.values():
        if p.grad is None:
            p.grad = torch.zeros_like(p)
    gradients = [_gradient(p) for p in parameters.values()]
    norm = get_total_norm(gradients).item()
    if not isfinite(norm):
        raise diverged("The gradient", norm)
    if max_norm > 0 and norm > max_norm:
        torch._foreach_mul_(gradients, max_norm / norm)
    return float(norm)


def diverged(what: str, value: float) -> LadError:
    """The error for a loss, gradient or weight that is no longer a number."""
    return LadError(
        ErrorCode.DIVERGED,
        f"{what} is {value}: the step was not taken, and the adapter is as the one before it left it.",
        option="learningRate",
        remedy="Lower learningRate or maxGradientNorm, or give more warmupSteps, and go on from an earlier checkpoint or a new "
        "adapter.",
    )


def _gradient(parameter: Tensor) -> Tensor:
    assert parameter.grad is not None
    return parameter.grad
