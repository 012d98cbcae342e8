"""A product with one frozen matrix and the low-rank updates of several adapters, as one differentiable operation."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from lad_runtime.torch_backend.kernels.matmul import product, rows_through
from lad_runtime.types.bases import MatmulKernel


@dataclass(frozen=True, kw_only=True)
class Patch:
    """One adapter's update of some rows and output columns: y[rows, columns] += scaling · (x[rows] · keep) Aᵀ Bᵀ."""

    rows: slice
    columns: slice
    lora_a: Tensor  # [r, d_in] float32
    lora_b: Tensor  # [d_out, r] float32
    scaling: float
    keep: Tensor | None = None  # [rows, d_in] dropout mask, already divided by the keep probability


def linear(
    x_NI: Tensor,
    weight_OI: Tensor,
    patches: Sequence[Patch] = (),
    residual_NO: Tensor | None = None,
    *,
    kernel: MatmulKernel,
) -> Tensor:
    """x Wᵀ (+ residual), with every patch added in place. Without gradients it overwrites and returns the residual.

    The backward computes only the gradients that are needed: none of a frozen weight, none of x below the first adapter.
    """
    if torch.is_grad_enabled():
        factors = [factor for patch in patches for factor in (patch.lora_a, patch.lora_b)]
        return _PatchedLinear.apply(x_NI, weight_OI, residual_NO, patches, kernel, *factors)
    y = rows_through(x_NI, weight_OI, kernel)
    if residual_NO is not None:
        y = residual_NO.add_(y)
    for patch in patches:
        _add(y, x_NI, patch)
    return y


def _add(y: Tensor, x: Tensor, patch: Patch) -> Tensor:
    """Applies one patch to y; returns its narrow activation [rows, r], which the backward needs."""
    rows = x[patch.rows] if patch.keep is None else x[patch.rows] * patch.keep
    narrow = torch.mm(rows, patch.lora_a.to(x.dtype).t())
    y[patch.rows, patch.columns].addmm_(narrow, patch.lora_b.to(x.dtype).t(), alpha=patch.scaling)
    return narrow


class _PatchedLinear(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        residual: Tensor | None,
        patches: Sequence[Patch],
        kernel: MatmulKernel,
        *factors: Tensor,
    ) -> Tensor:
        y = rows_through(x, weight, kernel)
        if residual is not None:
            y.add_(residual)
        narrows = [_add(y, x, patch) for patch in patches]
        needs_x = ctx.needs_input_grad[1] or any(ctx.needs_input_grad[5:])
        ctx.save_for_backward(x if needs_x else None, weight, *narrows, *factors)
        ctx.patches, ctx.kernel = patches, kernel
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, dy: Tensor) -> tuple[Tensor | None, ...]:
        wants_x, wants_weight, wants_residual, _, _, *wants_factors = ctx.needs_input_grad
        x, weight, *saved = ctx.saved_tensors
        narrows = saved[: len(ctx.patches)]
        dx = product(dy, weight, ctx.kernel) if wants_x else None
        dweight = torch.mm(dy.t(), x) if wants_weight else None
        factor_gradients: list[Tensor | None] = []
        for index, (patch, narrow) in enumerate(zip(ctx.patches, narrows, strict=True)):
            dy_rows = dy[patch.rows, patch.columns]
            dnarrow = torch.mm(dy_rows, patch.lora_b.to(dy.dtype)).mul_(patch.scaling)
            da = db = None
            if wants_factors[2 * index]:
                rows = x[patch.rows] if patch.keep is None else x[patch.rows] * patch.keep
                da = torch.mm(dnarrow.t(), rows).to(patch.lora_a.dtype)
            if wants_factors[2 * index + 1]:
                db = torch.mm(dy_rows.t(), narrow).mul_(patch.scaling).to(patch.lora_b.dtype)
            factor_gradients += (da, db)
            if dx is not None:
                if patch.keep is None:
                    dx[patch.rows].addmm_(dnarrow, patch.lora_a.to(dy.dtype))
                else:
                    dx[patch.rows].add_(torch.mm(dnarrow, patch.lora_a.to(dy.dtype)).mul_(patch.keep))
        return dx, dweight, dy if wants_residual else None, None, None, *factor_gradients
