"""Muon: momentum whose update is made orthogonal (Keller Jordan et al., 2024, kellerjordan.github.io/posts/muon).

torch.optim.Muon computes the same in bfloat16 always, which a CPU does ten times slower than float32 and less exactly.
"""

from collections.abc import Sequence
from math import sqrt

import torch
from torch import Tensor

_COEFFICIENTS = (3.4445, -4.7750, 2.0315)  # of the quintic that lifts small singular values fastest


@torch.no_grad()
def muon_step(
    parameters: Sequence[Tensor],
    momenta: Sequence[Tensor],
    *,
    learning_rate: float,
    momentum: float,
    weight_decay: float,
    newton_schulz_steps: int,
) -> None:
    """One step on matrices with gradients, in place: Nesterov momentum, orthogonalised; decay is decoupled.

    A matrix [rows, columns] moves by learning_rate · √max(1, rows / columns), so that its effect on outputs does not shrink
    with its shape.
    """
    for matrix, average in zip(parameters, momenta, strict=True):
        gradient = matrix.grad
        assert gradient is not None, "every parameter has a gradient"
        average.lerp_(gradient, 1 - momentum)
        update = orthogonalized(gradient.lerp(average, momentum), newton_schulz_steps)
        rows, columns = matrix.shape
        matrix.mul_(1 - learning_rate * weight_decay)
        matrix.add_(update, alpha=-learning_rate * sqrt(max(1.0, rows / columns)))


def orthogonalized(matrix_MN: Tensor, steps: int) -> Tensor:
    """The matrix with its singular values brought near 1 (0.7 … 1.2 after five Newton–Schulz steps); zero stays zero."""
    a, b, c = _COEFFICIENTS
    work = matrix_MN.bfloat16() if matrix_MN.is_cuda else matrix_MN.float()
    wide = work.mT if work.size(0) > work.size(1) else work
    wide = wide / wide.norm().clamp(min=1e-7)
    for _ in range(steps):
        gram = wide @ wide.mT
        wide = torch.addmm(wide, torch.addmm(gram, gram, gram, beta=b, alpha=c), wide, beta=a)
    return (wide.mT if work.size(0) > work.size(1) else wide).to(matrix_MN.dtype)
