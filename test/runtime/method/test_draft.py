"""Which examples the model drafts, by which numbers, and what is shown then."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lad_runtime.method.noise import apply_noise
from lad_runtime.method.noises.draft import draft_seed, drafted
from lad_runtime.method.random import Purpose, uniforms
from lad_runtime.types.data import PreparedExample
from method_specs import lad_noise, mask_only_noise, own_draft_noise
from training_support import MASK, VOCABULARY, window, windows

DRAWS = 4000


def seed_of(id, share=0.5, seed=0, epoch=0):
    return draft_seed(window(id), own_draft_noise(share=share), seed=seed, epoch=epoch)


@pytest.mark.parametrize("share", [0.0, 0.2, 0.7, 1.0])
def test_the_share_of_the_examples_is_drafted(share):
    count = sum(seed_of(id, share) is not None for id in range(DRAWS))
    assert count / DRAWS == pytest.approx(share, abs=0.02 if 0 < share < 1 else 0)


def test_an_example_that_a_share_drafts_is_drafted_by_greater_ones_with_the_same_numbers():
    for id in range(200):
        some, all_ = seed_of(id, 0.5), seed_of(id, 1.0)
        assert some in (None, all_)


def test_seeds_are_64_bits_of_their_own_for_each_seed_example_and_epoch():
    seeds = {
        seed_of(id, 1.0, seed, epoch) for id in range(100) for seed in (0, 9) for epoch in (0, 2**32 - 1)
    }
    assert len(seeds) == 400
    assert max(seeds).bit_length() == 64
    mean = sum(seed & 0xFFFFFFFF for seed in seeds) / len(seeds)
    assert mean == pytest.approx(2**31, rel=0.15)
    # not the numbers that a noise draws, nor those of a cut
    for lane in (*range(8), 2**32 - 1):
        words = [int(u * 2**32) for u in uniforms(0, Purpose.NOISE, 0, 0, 12, lane).tolist()]
        assert seed_of(0, 1.0) >> 32 not in words


def test_a_noise_that_asks_for_no_draft_has_no_seed():
    assert draft_seed(window(), lad_noise(), seed=0, epoch=0) is None


@given(windows(), st.booleans(), st.integers(0, 2**64 - 1))
def test_what_the_noise_may_change_is_shown_as_the_model_wrote_it(example, tail_noise, seed):
    noise = own_draft_noise(noise=mask_only_noise(tail_noise=tail_noise))
    noised = apply_noise(example, noise, seed=seed, epoch=0, mask_id=MASK, vocab_size=VOCABULARY)
    canvas = list(range(100, 100 + len(example.ids) - example.past_tokens))
    now = drafted(example, noised, noise, canvas)
    for i, (answer, tail) in enumerate(zip(example.answer, example.tail, strict=True)):
        may_change = answer and (tail_noise or not tail)
        assert now.ids[i] == (canvas[i - example.past_tokens] if may_change else example.ids[i])
        assert now.corrupted[i] == may_change
    assert not any(now.masked)
    assert math.isnan(now.time)


def test_a_mask_that_the_draft_writes_out_as_text_is_no_mask():
    example = PreparedExample(id=0, ids=(9, 11, 12), answer=(False, True, True), tail=(False,) * 3)
    noise = own_draft_noise(noise=lad_noise(full_mask_probability=1.0))
    noised = apply_noise(example, noise, seed=0, epoch=0, mask_id=MASK, vocab_size=VOCABULARY)
    assert noised.masked == (False, True, True)
    assert drafted(example, noised, noise, [MASK, 12]).masked == (False, False, False)
