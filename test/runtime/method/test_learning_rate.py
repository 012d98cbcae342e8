"""Learning rates of every step."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lad_runtime.method.learning_rate import learning_rate
from method_specs import schedule_spec


def rates(steps, **options):
    spec = schedule_spec(learning_rate=1.0, **options)
    return [learning_rate(spec, step, steps) for step in range(steps)]


def test_warm_up_is_linear_and_no_step_has_a_rate_of_zero():
    assert rates(8, warmup_steps=4, decay="constant") == [0.25, 0.5, 0.75, 1, 1, 1, 1, 1]
    assert min(rates(8, warmup_steps=4)) > 0


def test_the_decay_begins_at_the_peak_and_would_reach_its_final_share_one_step_after_the_last():
    assert rates(4, warmup_steps=0, decay="linear") == [1, 0.75, 0.5, 0.25]
    assert rates(4, warmup_steps=0, decay="linear", final_fraction=0.5) == [1, 0.875, 0.75, 0.625]


@given(st.integers(1, 400), st.integers(0, 400), st.floats(0, 1))
def test_cosine_is_the_cosine(steps, warmup, final):
    for step, rate in enumerate(rates(steps, warmup_steps=warmup, final_fraction=final)):
        if step >= warmup:
            share = (1 + math.cos(math.pi * (step - warmup) / (steps - warmup))) / 2
            assert rate == pytest.approx(final + (1 - final) * share, abs=1e-14)


def test_a_run_shorter_than_its_warm_up_never_decays():
    assert rates(3, warmup_steps=10) == [0.1, 0.2, 0.3]
