"""Cross-entropy of a frozen head in chunks of rows: keeps no [rows, vocabulary] logits and computes no head gradient."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from lad_runtime.torch_backend.kernels.matmul import ROW_MULTIPLE, product
from lad_runtime.types.bases import MatmulKernel

CHUNK_BYTES = {"cpu": 28 << 20, "cuda": 256 << 20}
"""The approximate bytes of one chunk's float32 logits. On the CPU they stay below 32 MiB, from where glibc returns freed memory
to the system at once, so that the next chunk faults its pages in again: 98,000 page faults for 2,048 rows of 49,152 logits in
chunks of 48 MiB."""


def cross_entropy(hidden_RD: Tensor, head_VD: Tensor, targets_R: Tensor, kernel: MatmulKernel) -> Tensor:
    """−log softmax(head · hidden)[target] in nats, [R] float32, without gradient. `kernel` multiplies with the head."""
    with torch.no_grad():
        return _chunked(hidden_RD, head_VD, targets_R, None, kernel)[0]


def weighted_cross_entropy(
    hidden_RD: Tensor, head_VD: Tensor, targets_R: Tensor, weights_R: Tensor, kernel: MatmulKernel
) -> tuple[Tensor, Tensor]:
    """(Σ weight · CE, differentiable with respect to `hidden` alone; every row's unweighted CE [R]), both float32.

    The forward computes the gradient of the hidden states, too, chunk by chunk, since it has the probabilities.
    """
    return _FrozenHeadLoss.apply(hidden_RD, head_VD, targets_R, weights_R, kernel)


class _FrozenHeadLoss(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, hidden: Tensor, head: Tensor, targets: Tensor, weights: Tensor, kernel: MatmulKernel
    ) -> tuple[Tensor, Tensor]:
        ce, gradient = _chunked(hidden, head, targets, weights, kernel)
        ctx.save_for_backward(gradient)
        ctx.mark_non_differentiable(ce)
        return torch.dot(weights, ce), ce

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_total: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = ctx.saved_tensors
        return gradient * d_total, None, None, None, None


def _chunked(
    hidden: Tensor, head: Tensor, targets: Tensor, weights: Tensor | None, kernel: MatmulKernel
) -> tuple[Tensor, Tensor | None]:
    """Every row's CE and, if weights are given, the gradient of Σ weight · CE with respect to the hidden states."""
    rows, vocabulary = hidden.shape[0], head.shape[0]
    # A chunk's size depends on the vocabulary alone, so that other rows of a batch do not change a row's matmul.
    chunk = max(CHUNK_BYTES[hidden.device.type] // (4 * vocabulary) // ROW_MULTIPLE, 4) * ROW_MULTIPLE
    ce = torch.empty(rows, device=hidden.device, dtype=torch.float32)
    gradient = None if weights is None else torch.empty_like(hidden)
    for start in range(0, rows, chunk):
        part = slice(start, min(start + chunk, rows))
        logits = product(hidden[part], head.t(), kernel).float()
        target = targets[part].unsqueeze(1)
        logits.sub_(logits.amax(dim=1, keepdim=True))
        chosen = logits.gather(1, target)
        total = logits.exp_().sum(dim=1, keepdim=True)
        ce[part] = (total.log() - chosen).squeeze(1)
        if gradient is not None and weights is not None:
            # Here a row is softmax · total; it is divided by total after the product with the head, when it is narrow. In half
            # precision it is divided before, since that has no range for sums over a vocabulary.
            if hidden.dtype != torch.float32:
                logits.div_(total)
                total = torch.ones_like(total)
            logits.scatter_add_(1, target, -total)  # (softmax − one-hot) · total
            scale = (weights[part].unsqueeze(1) / total).to(hidden.dtype)
            torch.mul(product(logits.to(hidden.dtype), head, kernel), scale, out=gradient[part])
        del logits  # frees them before the next chunk's are made
    return ce, gradient
