"""The chunked loss of a frozen head against the plain one, and against torch's own fused one."""

from functools import partial

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from lad_runtime.torch_backend.kernels import frozen_head_loss as loss
from lad_runtime.torch_backend.kernels.matmul import available_kernels

(KERNEL, *_) = available_kernels()
cross_entropy = partial(loss.cross_entropy, kernel=KERNEL)
weighted_cross_entropy = partial(loss.weighted_cross_entropy, kernel=KERNEL)


def problem(rows: int, vocabulary: int = 300, hidden: int = 24) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(rows)
    states = torch.randn(rows, hidden, generator=generator).requires_grad_()
    head = torch.randn(vocabulary, hidden, generator=generator)
    targets = torch.randint(0, vocabulary, (rows,), generator=generator)
    return states, head, targets, torch.rand(rows, generator=generator)


@pytest.fixture(params=[16 * 300, 48 * 2**20], ids=["chunks of 4 rows", "one chunk"])
def chunk_bytes(request, monkeypatch) -> None:
    monkeypatch.setitem(loss.CHUNK_BYTES, "cpu", request.param)


@pytest.mark.parametrize("rows", [4, 16, 60])
def test_it_equals_the_plain_loss_and_its_gradient(chunk_bytes, rows: int) -> None:
    states, head, targets, weights = problem(rows)
    total, ce = weighted_cross_entropy(states, head, targets, weights)
    (gradient,) = torch.autograd.grad(3.0 * total, states)
    plain = F.cross_entropy(states @ head.t(), targets, reduction="none")
    (wanted,) = torch.autograd.grad(3.0 * (plain * weights).sum(), states)
    assert torch.allclose(ce, plain, rtol=1e-5, atol=1e-5)
    assert torch.allclose(total, (plain * weights).sum())
    assert torch.allclose(gradient, wanted, rtol=1e-4, atol=1e-5)
    assert torch.equal(ce, cross_entropy(states, head, targets))


def test_it_equals_torchs_fused_loss(chunk_bytes) -> None:
    states, head, targets, _ = problem(60)
    options = torch.nn.LinearCrossEntropyOptions()
    fused = F.linear_cross_entropy(states, head, targets, reduction="sum", options=options)
    (wanted,) = torch.autograd.grad(fused, states)
    total, _ = weighted_cross_entropy(states, head, targets, torch.ones(60))
    (gradient,) = torch.autograd.grad(total, states)
    assert torch.allclose(total, fused)
    assert torch.allclose(gradient, wanted, rtol=1e-4, atol=1e-5)


def test_the_head_gets_no_gradient(chunk_bytes) -> None:
    states, head, targets, weights = problem(8)
    head.requires_grad_()
    weighted_cross_entropy(states, head, targets, weights)[0].backward()
    assert head.grad is None


def test_a_row_is_the_same_in_any_company(chunk_bytes) -> None:
    states, head, targets, weights = problem(60)
    total, ce = weighted_cross_entropy(states, head, targets, weights)
    (gradient,) = torch.autograd.grad(total, states)
    for rows in (slice(8, 12), slice(4, 40)):
        part = states[rows].detach().requires_grad_()
        alone, ce_alone = weighted_cross_entropy(part, head, targets[rows], weights[rows])
        assert torch.equal(ce_alone, ce[rows])
        assert torch.equal(torch.autograd.grad(alone, part)[0], gradient[rows])


def test_improbable_targets_and_large_scores_stay_finite() -> None:
    states, head, targets, weights = problem(4)
    total, ce = weighted_cross_entropy(states, head * 1e4, targets, weights)
    (gradient,) = torch.autograd.grad(total, states)
    assert ce.isfinite().all() and gradient.isfinite().all()
    assert torch.allclose(
        ce, F.cross_entropy(states @ (head * 1e4).t(), targets, reduction="none"), rtol=1e-5
    )


def test_bfloat16_states_give_float32_losses() -> None:
    states, head, targets, weights = problem(16)
    total, ce = loss.weighted_cross_entropy(
        states.bfloat16(), head.bfloat16(), targets, weights, kernel="mkl"
    )
    assert total.dtype == ce.dtype == torch.float32
    exact = F.cross_entropy(
        states.bfloat16().float() @ head.bfloat16().float().t(), targets, reduction="none"
    )
    assert torch.allclose(ce, exact, rtol=2e-2, atol=0.1)
