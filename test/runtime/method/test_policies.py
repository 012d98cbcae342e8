"""Schedules, budgets and specifications of the denoising policies."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lad_runtime.errors import LadError
from lad_runtime.method.answer_state import Settled
from lad_runtime.method.policies.llada import llada_budget
from lad_runtime.method.policies.remask import RemaskPolicy, remask_share, share_count
from lad_runtime.method.policy import POLICIES
from lad_runtime.types.sampling import Canvas
from sampling_specs import (
    POLICY_BUILDERS,
    ar_policy,
    llada_policy,
    refine_policy,
    remask_policy,
    sampling_spec,
)

remasks = st.builds(
    remask_policy,
    iterations=st.integers(1, 200),
    schedule=st.sampled_from(["exponential", "linear"]),
    sharpness=st.floats(1e-6, 700),
    noise_start=st.floats(0, 1),
)


@given(spec=remasks, positions=st.integers(1, 1024))
def test_shares_never_rise_start_at_the_noise_and_end_at_nothing(spec: RemaskPolicy, positions: int) -> None:
    shares = [remask_share(spec, i) for i in range(spec.iterations)]
    counts = [share_count(share, positions) for share in shares]
    assert shares[-1] == 0 and counts[-1] == 0
    assert all(0 <= late <= early <= spec.noise_start for early, late in pairwise(shares))
    assert all(late <= early for early, late in pairwise(counts))
    if spec.iterations > 1:
        assert shares[0] == spec.noise_start
        assert counts[0] == math.floor(spec.noise_start * positions + 1e-9)


def test_the_exponential_share_is_the_formula() -> None:
    s, n0, x = 5.0, 0.5, 3 / 32
    wanted = n0 * (math.exp(-s * x) - math.exp(-s)) / (1 - math.exp(-s))
    assert remask_share(remask_policy(sharpness=s, noise_start=n0, iterations=32), 3) == pytest.approx(
        wanted, rel=1e-14
    )


def test_a_barely_sharp_schedule_is_the_linear_one() -> None:
    for i in range(9):
        linear = remask_share(remask_policy(schedule="linear", iterations=9), i)
        assert remask_share(remask_policy(sharpness=1e-09, iterations=9), i) == pytest.approx(
            linear, abs=1e-8
        )


@given(parts=st.integers(1, 400), scale=st.integers(1, 5))
def test_a_share_that_is_a_whole_number_of_positions_is_not_rounded_below_it(parts: int, scale: int) -> None:
    spec = remask_policy(schedule="linear", iterations=parts)
    for i in range(parts - 1):
        assert share_count(remask_share(spec, i), parts * scale) == (parts - i) * scale


@given(tokens=st.integers(1, 300), block=st.integers(0, 310), extra=st.integers(0, 300))
def test_a_budget_commits_every_position_once_within_the_iterations(
    tokens: int, block: int, extra: int
) -> None:
    blocks = math.ceil(tokens / (block or tokens))
    iterations = blocks + extra
    steps = llada_budget(tokens, block, iterations)
    assert len(steps) <= iterations
    assert all(step.count >= 1 for step in steps)
    size = block or tokens
    for start in range(0, tokens, size):
        own = [step for step in steps if step.start == start]
        assert sum(step.count for step in own) == min(size, tokens - start)
        counts = [step.count for step in own]
        assert max(counts) - min(counts) <= 1 and counts == sorted(counts, reverse=True)
    assert [step.start for step in steps] == sorted(step.start for step in steps)


def test_published_settings_commit_one_token_a_step() -> None:
    """MMLU's 3 tokens in 3 steps, GSM8K's 512 in 512, and 256 steps over 16 blocks of 32."""
    assert [step.count for step in llada_budget(3, 0, 3)] == [1, 1, 1]
    assert {step.count for step in llada_budget(512, 0, 512)} == {1}
    assert [step.count for step in llada_budget(512, 32, 256)] == [2] * 256


def test_an_answer_is_settled_when_three_in_a_row_are_the_same() -> None:
    settled = Settled()
    answers = [[1, 2], [1, 2], [1, 3], [1, 3], [1, 3, 4], [1, 3, 4], [1, 3, 4], [1, 3, 4]]
    seen = [settled.see(np.array(answer)) for answer in answers]
    assert seen == [False] * 6 + [True, True]


@pytest.mark.parametrize(
    ("make", "option"),
    [
        (lambda: remask_policy(sharpness=0), "policy.sharpness"),
        (lambda: remask_policy(sharpness=math.nan), "policy.sharpness"),
        (lambda: remask_policy(noise_start=1.1), "policy.noiseStart"),
        (lambda: remask_policy(min_guidance_weight=0), "policy.minGuidanceWeight"),
        (lambda: remask_policy(cluster_span=0), "policy.clusterSpan"),
        (lambda: remask_policy(positions="first"), "policy.positions"),  # type: ignore[arg-type]
        (lambda: remask_policy(retention="some"), "policy.retention"),  # type: ignore[arg-type]
        (lambda: llada_policy(block_tokens=-1), "policy.blockTokens"),
        (lambda: llada_policy(guidance_scale=math.inf), "policy.guidanceScale"),
        (lambda: sampling_spec(policy=refine_policy(), answer_tokens=0), "answerTokens"),
        (lambda: sampling_spec(policy=refine_policy(iterations=0), answer_tokens=4), "policy.iterations"),
        (
            lambda: sampling_spec(policy=refine_policy(grow_tokens=1), answer_tokens=4, canvas_tokens=2),
            "policy.growTokens",
        ),
        (
            lambda: sampling_spec(policy=llada_policy(iterations=2, block_tokens=4), answer_tokens=9),
            "policy.iterations",
        ),
        (lambda: Canvas(prompt=(1,), seed=2**64, begin=None, size=None), "seed"),
        (lambda: Canvas(prompt=(1,), seed=-1, begin=None, size=None), "seed"),
    ],
)
def test_a_specification_out_of_range_is_refused_by_name(make: object, option: str) -> None:
    with pytest.raises(LadError) as raised:
        make()  # type: ignore[operator]
    assert raised.value.option == option
    assert raised.value.remedy


def test_every_policy_is_registered_by_its_name() -> None:
    assert list(POLICIES) == list(POLICY_BUILDERS)
    for name, build in POLICY_BUILDERS.items():
        assert (build().kind, type(build())) == (name, POLICIES[name])


def test_a_policy_that_says_nothing_of_itself_neither_settles_nor_grows_nor_is_guided() -> None:
    llada = llada_policy()
    assert (llada.settles, llada.growth, llada.guidance) == (False, 0, 0.0)
    assert (ar_policy().guidance, llada_policy(guidance_scale=2.0).guidance) == (0.0, 2.0)
    assert (remask_policy().settles, refine_policy(early_stop=False).settles) == (True, False)
    assert remask_policy(grow_tokens=3).growth == 3
