"""Which positions are chosen: exact counts, weights, clusters, and the lower position wherever keys are equal."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lad_runtime.method.choose import (
    clustered_positions,
    guided_positions,
    most_confident,
    random_positions,
)
from lad_runtime.method.random import CanvasKey

masks = st.lists(st.booleans(), min_size=1, max_size=40)
seeds = st.integers(0, 2**64 - 1)


def keyed(seed: int, canvas: int = 0) -> CanvasKey:
    return CanvasKey(seed=seed, canvas=canvas)


@settings(deadline=None)
@given(
    candidates=masks, seed=seeds, share=st.floats(0, 1), iteration=st.integers(0, 9), span=st.integers(1, 8)
)
def test_every_choice_has_the_exact_count_and_candidates_only(
    candidates: list[bool], seed: int, share: float, iteration: int, span: int
) -> None:
    candidates_N = np.array(candidates)
    count = int(share * candidates_N.sum())
    rng = np.random.default_rng(seed)
    confidences_N = rng.random(len(candidates)).round(1)
    eos_N = rng.random(len(candidates)) < 0.4
    key: Any = {"key": keyed(seed), "iteration": iteration}
    for chosen_N in (
        random_positions(candidates_N, count, **key),
        clustered_positions(candidates_N, count, mean_span=span, **key),
        guided_positions(
            candidates_N, count, confidences_N=confidences_N, eos_N=eos_N, min_weight=0.1, **key
        ),
        most_confident(candidates_N, count, confidences_N=confidences_N),
    ):
        assert chosen_N.sum() == count
        assert not (chosen_N & ~candidates_N).any()


@settings(deadline=None)
@given(eos=masks, seed=seeds, share=st.floats(0, 1))
def test_a_guided_choice_takes_eos_positions_in_proportion(eos: list[bool], seed: int, share: float) -> None:
    eos_N = np.array(eos)
    count = int(share * len(eos))
    chosen_N = guided_positions(
        np.ones(len(eos), dtype=bool),
        count,
        confidences_N=np.where(eos_N, 0.99, 0.0),
        eos_N=eos_N,
        min_weight=0.01,
        key=keyed(seed),
        iteration=0,
    )
    assert (chosen_N & eos_N).sum() == count * eos_N.sum() // len(eos)


def test_a_choice_changes_with_seed_canvas_and_iteration_alone() -> None:
    everywhere = np.ones(64, dtype=bool)
    first = random_positions(everywhere, 32, key=keyed(1), iteration=0)
    assert (random_positions(everywhere, 32, key=keyed(1), iteration=0) == first).all()
    assert (random_positions(everywhere, 32, key=keyed(2), iteration=0) != first).any()
    assert (random_positions(everywhere, 32, key=keyed(1, canvas=1), iteration=0) != first).any()
    assert (random_positions(everywhere, 32, key=keyed(1), iteration=1) != first).any()


def test_a_random_choice_is_nested_in_a_larger_one() -> None:
    everywhere = np.ones(40, dtype=bool)
    small, large = (random_positions(everywhere, k, key=keyed(5), iteration=2) for k in (10, 25))
    assert not (small & ~large).any()


def test_unsure_positions_are_chosen_in_proportion_to_their_weight() -> None:
    """The first of a draw without replacement falls on each position with its share of the weights."""
    confidences_N = np.array([0.0, 0.5, 0.75, 0.999])
    counts = np.zeros(4)
    for seed in range(4000):
        counts += guided_positions(
            np.ones(4, dtype=bool),
            1,
            confidences_N=confidences_N,
            eos_N=np.zeros(4, dtype=bool),
            min_weight=0.25,
            key=keyed(seed),
            iteration=0,
        )
    assert counts / 4000 == pytest.approx(np.array([1, 0.5, 0.25, 0.25]) / 2, abs=0.025)


def test_clustered_positions_stand_together() -> None:
    """Fewer separate runs than a uniform choice has, and of about the mean length."""
    everywhere = np.ones(2000, dtype=bool)

    def runs(chosen_N: np.ndarray) -> int:
        return int(chosen_N[0]) + int((chosen_N[1:] & ~chosen_N[:-1]).sum())

    clustered = runs(clustered_positions(everywhere, 200, mean_span=5, key=keyed(3), iteration=0))
    uniform = runs(random_positions(everywhere, 200, key=keyed(3), iteration=0))
    assert 25 <= clustered <= 55 < uniform
    single = clustered_positions(everywhere, 200, mean_span=1, key=keyed(3), iteration=0)
    assert (single == random_positions(everywhere, 200, key=keyed(3), iteration=0)).all()


def test_equal_confidences_go_to_the_lower_position() -> None:
    confidences_N = np.array([0.5, 0.9, 0.5, -np.inf, 0.5])
    chosen_N = most_confident(np.ones(5, dtype=bool), 3, confidences_N=confidences_N)
    assert chosen_N.tolist() == [True, True, True, False, False]


def test_a_confidence_of_minus_infinity_is_chosen_where_nothing_else_is_left() -> None:
    chosen_N = most_confident(np.ones(2, dtype=bool), 2, confidences_N=np.array([-np.inf, 0.1]))
    assert chosen_N.all()
