"""The chunked loss of a frozen head against the plain one, and against torch's own fused one."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from lad_runtime.torch_backend.kernels import frozen_head_loss as loss
from lad_runtime.torch_backend.kernels.matmul import available_kernels

(KERNEL, *_) = available_kernels()


def cross_entropy(*given: Tensor) -> Tensor:
    """Of labels alone, [R]."""
    return loss.cross_entropy(*given, kernel=KERNEL)[0]


def weighted_cross_entropy(*given: Tensor) -> tuple[Tensor, Tensor]:
    total, losses = loss.weighted_cross_entropy(*given, kernel=KERNEL)
    assert torch.equal(losses[0], losses[1]), "without soft targets the two losses are one"
    return total, losses[0]


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


def soft_rows(rows: int, width: int, vocabulary: int = 300) -> loss.SoftRows:
    """Distributions of which every fourth is the label alone, and the others share with it."""
    generator = torch.Generator().manual_seed(rows + width)
    label_share = torch.rand(rows, generator=generator)
    label_share[::4] = 1
    probabilities = torch.rand(rows, width, generator=generator).softmax(dim=1)
    return loss.SoftRows(
        label_share_R=label_share,
        ids_RK=torch.stack([torch.randperm(vocabulary, generator=generator)[:width] for _ in range(rows)]),
        probabilities_RK=(1 - label_share).unsqueeze(1) * probabilities,
    )


@pytest.mark.parametrize(("rows", "width"), [(4, 1), (16, 7), (60, 300)])
def test_soft_targets_are_a_cross_entropy_with_a_whole_distribution(
    chunk_bytes, rows: int, width: int
) -> None:
    states, head, targets, weights = problem(rows)
    soft = soft_rows(rows, width)
    total, losses = loss.weighted_cross_entropy(states, head, targets, weights, KERNEL, soft=soft)
    (gradient,) = torch.autograd.grad(3.0 * total, states)
    whole = torch.zeros(rows, 300).scatter_add_(1, soft.ids_RK, soft.probabilities_RK)
    whole += soft.label_share_R.unsqueeze(1) * F.one_hot(targets, 300)
    logits = states @ head.t()
    entropy = -(whole * whole.clamp(min=1e-30).log()).sum(dim=1)
    plain = F.kl_div(logits.log_softmax(dim=1), whole, reduction="none").sum(dim=1) + entropy
    (wanted,) = torch.autograd.grad(3.0 * (plain * weights).sum(), states)
    assert torch.allclose(losses[1], plain, rtol=1e-5, atol=1e-5)
    assert torch.equal(losses[0], cross_entropy(states, head, targets)), "the label's CE stays what it is"
    assert torch.allclose(gradient, wanted, rtol=1e-4, atol=1e-5)
    assert torch.equal(losses, loss.cross_entropy(states, head, targets, KERNEL, soft=soft))


def test_rows_of_their_label_alone_are_to_the_bit_those_without_soft_targets(chunk_bytes) -> None:
    states, head, targets, weights = problem(60)
    soft = soft_rows(60, 7)
    labels = soft.label_share_R == 1
    total, losses = loss.weighted_cross_entropy(states, head, targets, weights, KERNEL, soft=soft)
    hard, ce = weighted_cross_entropy(states, head, targets, weights)
    assert torch.equal(losses[1][labels], ce[labels])
    both = torch.autograd.grad(total, states)[0], torch.autograd.grad(hard, states)[0]
    assert torch.equal(both[0][labels], both[1][labels])
    assert not torch.equal(both[0][~labels], both[1][~labels])


def test_the_most_probable_tokens_have_the_softmax_of_their_own_scores(chunk_bytes) -> None:
    states, head, _, _ = problem(60)
    ids, probabilities = loss.most_probable(states, head, 5, KERNEL)
    plain = (states @ head.t()).softmax(dim=1)
    kept = plain.topk(5, dim=1)
    assert torch.equal(ids, kept.indices)
    assert torch.allclose(probabilities, kept.values / kept.values.sum(dim=1, keepdim=True), rtol=1e-4)


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
    total, (ce, _) = loss.weighted_cross_entropy(
        states.bfloat16(), head.bfloat16(), targets, weights, kernel="mkl"
    )
    assert total.dtype == ce.dtype == torch.float32
    exact = F.cross_entropy(
        states.bfloat16().float() @ head.bfloat16().float().t(), targets, reduction="none"
    )
    assert torch.allclose(ce, exact, rtol=2e-2, atol=0.1)
