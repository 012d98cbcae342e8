"""Cross-entropy of a frozen head in chunks of rows: keeps no [rows, vocabulary] logits and computes no head gradient."""

from collections.abc import Iterator
from dataclasses import dataclass
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


@dataclass(frozen=True, kw_only=True)
class SoftRows:
    """Targets that are distributions: a row's label has its share, and K distinct tokens have their probabilities; all sum to 1."""

    label_share_R: Tensor  # float32
    ids_RK: Tensor  # int64
    probabilities_RK: Tensor  # float32

    def part(self, rows: slice) -> "SoftRows":
        return SoftRows(
            label_share_R=self.label_share_R[rows],
            ids_RK=self.ids_RK[rows],
            probabilities_RK=self.probabilities_RK[rows],
        )


def cross_entropy(
    hidden_RD: Tensor,
    head_VD: Tensor,
    targets_R: Tensor,
    kernel: MatmulKernel,
    *,
    soft: SoftRows | None = None,
) -> Tensor:
    """−log softmax(head · hidden)[target] in nats, and the CE of the soft targets Σ t · −log softmax, which equals it without any:
    [2, R] float32, without gradient. `kernel` multiplies with the head."""
    with torch.no_grad():
        return _chunked(hidden_RD, head_VD, targets_R, None, soft, kernel)[0]


def weighted_cross_entropy(
    hidden_RD: Tensor,
    head_VD: Tensor,
    targets_R: Tensor,
    weights_R: Tensor,
    kernel: MatmulKernel,
    *,
    soft: SoftRows | None = None,
) -> tuple[Tensor, Tensor]:
    """(Σ weight · CE of the targets, soft where there are such, differentiable with respect to `hidden` alone; every row's
    unweighted losses as of `cross_entropy` [2, R]), both float32.

    The forward computes the gradient of the hidden states, too, chunk by chunk, since it has the probabilities.
    """
    total, losses_2R = _FrozenHeadLoss.apply(hidden_RD, head_VD, targets_R, weights_R, soft, kernel)
    return total, losses_2R


def most_probable(
    hidden_RD: Tensor, head_VD: Tensor, count: int, kernel: MatmulKernel
) -> tuple[Tensor, Tensor]:
    """The `count` most probable tokens of every row at temperature 1, [R, K] int64, most probable first, and their probabilities,
    [R, K] float32, scaled to a sum of 1. Without gradient."""
    ids, probabilities = [], []
    with torch.no_grad():
        for part in _chunks(hidden_RD, head_VD):
            top = product(hidden_RD[part], head_VD.t(), kernel).float().topk(count, dim=1)
            ids.append(top.indices)
            probabilities.append(top.values.softmax(dim=1))
    return torch.cat(ids), torch.cat(probabilities)


class _FrozenHeadLoss(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        hidden: Tensor,
        head: Tensor,
        targets: Tensor,
        weights: Tensor,
        soft: SoftRows | None,
        kernel: MatmulKernel,
    ) -> tuple[Tensor, Tensor]:
        losses, gradient = _chunked(hidden, head, targets, weights, soft, kernel)
        ctx.save_for_backward(gradient)
        ctx.mark_non_differentiable(losses)
        return torch.dot(weights, losses[1]), losses

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_total: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = ctx.saved_tensors
        return gradient * d_total, None, None, None, None, None


def _chunked(
    hidden: Tensor,
    head: Tensor,
    targets: Tensor,
    weights: Tensor | None,
    soft: SoftRows | None,
    kernel: MatmulKernel,
) -> tuple[Tensor, Tensor | None]:
    """Every row's losses [2, R] and, if weights are given, the gradient of Σ weight · loss with respect to the hidden states."""
    losses = torch.empty(2, len(hidden), device=hidden.device, dtype=torch.float32)
    gradient = None if weights is None else torch.empty_like(hidden)
    for part in _chunks(hidden, head):
        logits = product(hidden[part], head.t(), kernel).float()
        target, distribution = targets[part].unsqueeze(1), soft.part(part) if soft else None
        logits.sub_(logits.amax(dim=1, keepdim=True))
        chosen = logits.gather(1, target)
        expected = chosen if distribution is None else _expected(logits, chosen, distribution)
        total = logits.exp_().sum(dim=1, keepdim=True)
        losses[0, part] = (total.log() - chosen).squeeze(1)
        losses[1, part] = (total.log() - expected).squeeze(1)
        if gradient is not None and weights is not None:
            # Here a row is softmax · total; it is divided by total after the product with the head, when it is narrow. In half
            # precision it is divided before, since that has no range for sums over a vocabulary.
            if hidden.dtype != torch.float32:
                logits.div_(total)
                total = torch.ones_like(total)
            _subtract_targets(logits, target, total, distribution)  # (softmax − target) · total
            scale = (weights[part].unsqueeze(1) / total).to(hidden.dtype)
            torch.mul(product(logits.to(hidden.dtype), head, kernel), scale, out=gradient[part])
        del logits  # frees them before the next chunk's are made
    return losses, gradient


def chunk_rows(device: torch.device, vocab_size: int) -> int:
    """Rows of one chunk, by the vocabulary alone, so that other rows of a batch do not change a row's matmul."""
    return max(CHUNK_BYTES[device.type] // (4 * vocab_size) // ROW_MULTIPLE, 4) * ROW_MULTIPLE


def _chunks(hidden: Tensor, head: Tensor) -> Iterator[slice]:
    rows = chunk_rows(hidden.device, head.shape[0])
    for start in range(0, len(hidden), rows):
        yield slice(start, min(start + rows, len(hidden)))


def _expected(logits_RV: Tensor, chosen_R1: Tensor, soft: SoftRows) -> Tensor:
    """The mean of the logits under the targets, [R, 1]."""
    others_R1 = (soft.probabilities_RK * logits_RV.gather(1, soft.ids_RK)).sum(dim=1, keepdim=True)
    return soft.label_share_R.unsqueeze(1) * chosen_R1 + others_R1


def _subtract_targets(rows_RV: Tensor, target_R1: Tensor, total_R1: Tensor, soft: SoftRows | None) -> None:
    if soft is None:
        rows_RV.scatter_add_(1, target_R1, -total_R1)
        return
    rows_RV.scatter_add_(1, target_R1, -soft.label_share_R.unsqueeze(1) * total_R1)
    rows_RV.scatter_add_(1, soft.ids_RK, -soft.probabilities_RK * total_R1)
