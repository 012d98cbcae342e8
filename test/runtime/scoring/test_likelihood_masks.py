"""What the Monte-Carlo likelihood masks."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lad_runtime.torch_backend.scoring.likelihood_masks import likelihood_masks

SIZES = {"length": st.integers(1, 12), "samples": st.integers(1, 20), "key": st.integers(0, 2**64 - 1)}


@settings(deadline=None)
@given(**SIZES, stratified=st.booleans())
def test_a_sample_masks_between_one_and_all_positions(
    length: int, samples: int, key: int, stratified: bool
) -> None:
    masks = likelihood_masks(seed=1, key=key, length=length, samples=samples, stratified=stratified)
    assert len(masks) == samples
    for masked in masks:
        assert 1 <= len(masked) <= length
        assert list(masked) == sorted(set(masked))
        assert set(masked) <= set(range(length))


@settings(deadline=None)
@given(**{**SIZES, "samples": st.integers(1, 4)})
def test_stratified_numbers_of_masks_are_spread_evenly(length: int, samples: int, key: int) -> None:
    masks = likelihood_masks(seed=1, key=key, length=length, samples=samples * length, stratified=True)
    assert set(Counter(map(len, masks)).values()) == {samples}
    assert set(map(len, masks)) == set(range(1, length + 1))


@pytest.mark.parametrize("stratified", [True, False])
def test_every_number_and_every_position_is_as_likely(stratified: bool) -> None:
    counts: Counter[int] = Counter()
    positions: Counter[int] = Counter()
    for key in range(800):
        for masked in likelihood_masks(seed=3, key=key, length=4, samples=2, stratified=stratified):
            counts[len(masked)] += 1
            positions.update(masked)
    assert all(abs(counts[count] - 400) < 80 for count in (1, 2, 3, 4))  # four deviations of 17
    assert all(abs(positions[position] - 1000) < 90 for position in range(4))


def test_samples_of_a_longer_estimate_begin_with_those_of_a_shorter_one() -> None:
    few, many = (
        likelihood_masks(seed=5, key=9, length=7, samples=samples, stratified=False) for samples in (3, 9)
    )
    assert many[:3] == few
