"""AdamW and Muon, clipping, and state that can be saved."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.torch_backend.optimizers.muon import orthogonalized
from lad_runtime.torch_backend.optimizers.optimizer import Optimizer, clip
from type_specs import optimizer_spec

ADAMW, MUON = optimizer_spec(), optimizer_spec(kind="muon")


def matrices(seed=0):
    generator = torch.Generator().manual_seed(seed)
    shapes = {"A": (4, 12), "B": (9, 4)}
    return {n: torch.randn(s, generator=generator).requires_grad_() for n, s in shapes.items()}


def set_gradients(parameters, step):
    generator = torch.Generator().manual_seed(100 + step)
    for parameter in parameters.values():
        parameter.grad = torch.randn(parameter.shape, generator=generator)


def run(optimizer, parameters, steps, spec, rate=0.1):
    for step in steps:
        set_gradients(parameters, step)
        optimizer.step(spec, rate / (step + 1))


def test_adamw_is_torchs_own():
    ours, theirs = matrices(), matrices()
    spec = optimizer_spec(weight_decay=0.3, beta1=0.8, beta2=0.9, epsilon=1e-6)
    run(Optimizer(spec, ours), ours, range(5), spec)
    reference = torch.optim.AdamW(
        theirs.values(), betas=(0.8, 0.9), eps=1e-6, weight_decay=0.3, foreach=False, fused=True
    )
    for step in range(5):
        set_gradients(theirs, step)
        reference.param_groups[0]["lr"] = 0.1 / (step + 1)
        reference.step()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_muon_is_torchs_own_up_to_the_bfloat16_that_it_computes_in():
    ours, theirs = matrices(), matrices()
    run(Optimizer(MUON, ours), ours, range(3), MUON)
    reference = torch.optim.Muon(theirs.values(), momentum=0.95, weight_decay=0.01)
    for step in range(3):
        set_gradients(theirs, step)
        reference.param_groups[0]["lr"] = 0.1 / (step + 1)
        reference.step()
    for name in ours:
        assert torch.allclose(ours[name], theirs[name], atol=0.02)
        assert not torch.equal(ours[name], matrices()[name])


@given(st.integers(0, 99), st.integers(1, 20), st.integers(1, 20), st.floats(-5, 12))
def test_orthogonalising_keeps_directions_and_brings_singular_values_near_one(seed, rows, columns, exponent):
    generator = torch.Generator().manual_seed(seed)
    left, _ = torch.linalg.qr(torch.randn(rows, min(rows, columns), generator=generator))
    right, _ = torch.linalg.qr(torch.randn(columns, min(rows, columns), generator=generator))
    values = torch.linspace(0.2, 1, min(rows, columns))
    matrix = (left * values) @ right.T * 10**exponent
    found = torch.linalg.svdvals(orthogonalized(matrix, 5))
    assert found.min() > 0.6 and found.max() < 1.3
    aligned = left.T @ orthogonalized(matrix, 5) @ right
    assert torch.allclose(aligned, aligned.diagonal().diag(), atol=1e-3)


def test_orthogonalising_zero_gives_zero():
    assert torch.equal(orthogonalized(torch.zeros(3, 5), 5), torch.zeros(3, 5))


@pytest.mark.parametrize("spec", [ADAMW, MUON], ids=["adamw", "muon"])
def test_saved_and_loaded_state_goes_on_as_if_never_interrupted_and_unlike_a_cold_start(spec):
    whole, resumed, cold = matrices(), matrices(), matrices()
    run(Optimizer(spec, whole), whole, range(6), spec)

    first = Optimizer(spec, resumed)
    run(first, resumed, range(3), spec)
    run(Optimizer(spec, cold), cold, range(3), spec)
    saved = {name: tensor.clone() for name, tensor in first.state().items()}
    second = Optimizer(spec, resumed)
    second.load(saved)
    run(second, resumed, range(3, 6), spec)
    run(Optimizer(spec, cold), cold, range(3, 6), spec)

    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    assert not any(torch.equal(whole[name], cold[name]) for name in whole)


def test_the_state_of_another_kind_or_shape_is_refused():
    optimizer = Optimizer(ADAMW, matrices())
    with pytest.raises(LadError, match="does not belong to adamw") as caught:
        optimizer.load(Optimizer(MUON, matrices()).state())
    assert caught.value.code is ErrorCode.INVALID_FILE


def test_bytes_are_two_of_the_weights_for_adamw_and_one_for_muon():
    weights = sum(p.nbytes for p in matrices().values())
    assert Optimizer(ADAMW, matrices()).nbytes == 2 * weights
    assert Optimizer(MUON, matrices()).nbytes == weights


def test_clipping_scales_all_gradients_together_and_returns_the_norm_from_before():
    parameters = matrices()
    parameters["A"].grad = torch.full_like(parameters["A"], 2.0)  # 48 · 4 = 192
    parameters["B"].grad = torch.full_like(parameters["B"], 1.0)  # 36
    norm = clip(parameters, 0.5)
    assert norm == pytest.approx(math.sqrt(228))
    assert clip(parameters, 0) == pytest.approx(0.5)
    assert torch.allclose(parameters["A"].grad, 2 * parameters["B"].grad.mean())


def test_gradients_below_the_limit_and_missing_ones_are_left_alone():
    parameters = matrices()
    parameters["A"].grad = torch.full_like(parameters["A"], 0.01)
    clip(parameters, 0.5)
    assert torch.equal(parameters["A"].grad, torch.full_like(parameters["A"], 0.01))
    assert torch.equal(parameters["B"].grad, torch.zeros_like(parameters["B"]))


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_gradient_that_is_no_number_is_an_error_that_names_the_remedy(value):
    parameters = matrices()
    set_gradients(parameters, 0)
    parameters["A"].grad[0, 0] = value
    with pytest.raises(LadError, match="Lower learningRate") as caught:
        clip(parameters, 0.5)
    assert caught.value.code is ErrorCode.DIVERGED
