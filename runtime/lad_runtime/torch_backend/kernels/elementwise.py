"""RMSNorm and SwiGLU with few passes over memory. For the backward they keep their inputs and no intermediates."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable


@dataclass(frozen=True, kw_only=True)
class Kernels:
    """The operations of a layer other than its matmuls and its attention."""

    normalise: Callable[[Tensor, Tensor, float], tuple[Tensor, Tensor]]
    """(x, weight, eps): x / sqrt(mean(x²) + eps) · weight, and the reciprocal root [N, 1] float32."""
    norm_gradient: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
    """(dy, x, weight, reciprocal root): the gradient of x."""
    gate: Callable[[Tensor], Tensor]
    """silu(gate) · up of [N, gate and up]."""
    gate_gradient: Callable[[Tensor, Tensor], Tensor]
    """(dy, gate and up): the gradient of gate and up."""

    def rms_norm(self, x_ND: Tensor, weight_D: Tensor, eps: float) -> Tensor:
        """x / sqrt(mean(x²) + eps) · weight (arXiv 1910.07467), the statistics in float32."""
        if (
            x_ND.is_cuda and self is EAGER
        ) or weight_D.requires_grad:  # one kernel on CUDA; the only one with a gradient of the weight
            return F.rms_norm(x_ND, weight_D.shape, weight_D, eps)
        if not torch.is_grad_enabled():
            return self.normalise(x_ND, weight_D, eps)[0]
        return _RmsNorm.apply(x_ND, weight_D, eps, self)

    def swiglu(self, gate_up_NF: Tensor) -> Tensor:
        """silu(gate) · up (arXiv 2002.05202), where gate and up are the halves of the last dimension. Without gradients it
        overwrites its input."""
        if torch.is_grad_enabled() and gate_up_NF.requires_grad:
            return _SwiGlu.apply(gate_up_NF, self)
        if self is EAGER:
            gate, up = gate_up_NF.chunk(2, dim=-1)
            return F.silu(gate, inplace=True).mul_(up)
        return self.gate(gate_up_NF)


def _normalise(x: Tensor, weight: Tensor, eps: float) -> tuple[Tensor, Tensor]:
    norm = torch.linalg.vector_norm(x, 2, -1, True, dtype=torch.float32)
    width, least = _scalar(x.shape[-1], x.device), _scalar(eps, x.device)
    scale = norm.mul_(norm).div_(width).add_(least).rsqrt_()
    if x.dtype == torch.float32:
        return (x * scale).mul_(weight), scale
    return (x.float() * scale).to(x.dtype).mul_(weight), scale


@cache
def _scalar(value: float, device: torch.device) -> Tensor:
    """A float32 number as a tensor: an operation given a Python number converts it anew, which takes longer than a few rows do."""
    return torch.tensor(value, dtype=torch.float32, device=device)


def _norm_gradient(dy: Tensor, x: Tensor, weight: Tensor, scale: Tensor) -> Tensor:
    x32 = x.float()
    dx = dy.float() * weight
    along = (dx * x32).sum(dim=-1, keepdim=True).mul_(scale.square() / x.shape[-1])
    return dx.addcmul_(x32, along, value=-1.0).mul_(scale).to(x.dtype)


def _gate(gate_up: Tensor) -> Tensor:
    gate, up = gate_up.chunk(2, dim=-1)
    return F.silu(gate).mul_(up)


def _gate_gradient(dy: Tensor, gate_up: Tensor) -> Tensor:
    gate, up = gate_up.chunk(2, dim=-1)
    gradient = torch.empty_like(gate_up)
    d_gate, d_up = gradient.chunk(2, dim=-1)
    torch.ops.aten.silu_backward.grad_input(dy * up, gate, grad_input=d_gate)
    torch.mul(F.silu(gate), dy, out=d_up)
    return gradient


EAGER = Kernels(normalise=_normalise, norm_gradient=_norm_gradient, gate=_gate, gate_gradient=_gate_gradient)


class _RmsNorm(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, eps: float, kernels: Kernels) -> Tensor:
        y, scale = kernels.normalise(x, weight, eps)
        ctx.save_for_backward(x, weight, scale)
        ctx.kernels = kernels
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        return ctx.kernels.norm_gradient(dy, *ctx.saved_tensors), None, None, None


class _SwiGlu(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, gate_up: Tensor, kernels: Kernels) -> Tensor:
        ctx.save_for_backward(gate_up)
        ctx.kernels = kernels
        return kernels.gate(gate_up)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        (gate_up,) = ctx.saved_tensors
        return ctx.kernels.gate_gradient(dy, gate_up), None
