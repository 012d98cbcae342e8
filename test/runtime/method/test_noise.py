"""Training noise: exactly the method's, and a pure function of seed, example and epoch."""

import math
import random
from math import floor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lad_runtime.method.noise import apply_noise
from lad_runtime.method.random import Purpose, uniforms
from lad_runtime.method.structural_noise import duplicate, shift, stretches_of, swap
from lad_runtime.types.data import PreparedExample
from method_specs import (
    NoNoise,
    cover_noise,
    fixed_noise,
    lad_noise,
    mask_only_noise,
    own_draft_noise,
    uniform_noise,
)
from training_support import EOS, MASK, VOCABULARY, window, windows

SEEDS = st.integers(0, 2**64 - 1)
EPOCHS = st.integers(0, 2**32 - 1)
SHARES = st.sampled_from([0.0, 0.25, 0.5, 1.0])


def noise(example, spec=None, seed=0, epoch=0):
    return apply_noise(
        example, spec or lad_noise(), seed=seed, epoch=epoch, mask_id=MASK, vocab_size=VOCABULARY
    )


def answer_of(example, noised):
    return [id for id, answer in zip(noised.ids, example.answer, strict=True) if answer]


# --- the slow plain version -------------------------------------------------------------------------------------------


def plain_lad(example, spec, seed, epoch):
    """docs/method.md §3 step by step, one number at a time, on (position, id, masked) triples."""

    def number(lane, i):
        return uniforms(seed, Purpose.NOISE, example.id, epoch, i + 1, lane)[i].item()

    cells = [
        [position, example.ids[position], False]
        for position in range(len(example.ids))
        if example.answer[position] and (spec.tail_noise or not example.tail[position])
    ]
    length = len(cells)
    if number(0, 0) < spec.full_mask_probability:
        return plain_result(example, [[position, MASK, True] for position, _, _ in cells])
    p = number(0, 1)
    if number(0, 2) < spec.mask_probability:
        count = floor(spec.max_mask_fraction * number(0, 3) * length)
        ranked = sorted(range(length), key=lambda i: (number(1, i), i))
        for i in ranked[:count]:
            cells[i][1:] = [MASK, True]
    if length > 2:

        def neighbours(i, j):
            return 0 <= i < length and 0 <= j < length and abs(cells[i][0] - cells[j][0]) == 1

        for i in range(length - 1):
            if neighbours(i, i + 1) and number(2, i) < spec.swap_scale * p:
                cells[i][1:], cells[i + 1][1:] = cells[i + 1][1:], cells[i][1:]
        chosen = [i for i in range(length) if number(3, i) < spec.duplicate_scale * p]
        for side, offset in ((True, -1), (False, 1)):
            before = [list(cell) for cell in cells]
            for i in chosen:
                if (number(4, i) < 0.5) == side and neighbours(i, i + offset):
                    cells[i][1:] = before[i + offset][1:]
        if number(0, 4) < spec.shift_scale * p:
            first = last = floor(number(0, 5) * length)
            while neighbours(first, first - 1):
                first -= 1
            while neighbours(last, last + 1):
                last += 1
            span = min(1 + floor(number(0, 6) * spec.max_span), last - first + 1)
            source = first + floor(number(0, 7) * (last - first + 1 - span + 1))
            distance = (1 + floor(number(0, 8) * spec.max_shift)) * (-1 if number(0, 9) < 0.5 else 1)
            target = max(first, min(source + distance, last + 1 - span))
            copied = [cell[1:] for cell in cells[source : source + span]]
            for i, cell in enumerate(copied):
                cells[target + i][1:] = cell
    return plain_result(example, cells)


def plain_result(example, cells):
    ids, masked = list(example.ids), [False] * len(example.ids)
    for position, id, is_masked in cells:
        ids[position], masked[position] = id, is_masked
    return tuple(ids), tuple(masked)


@given(
    windows(),
    SEEDS,
    EPOCHS,
    st.builds(
        lad_noise,
        tail_noise=st.booleans(),
        full_mask_probability=SHARES,
        mask_probability=SHARES,
        max_mask_fraction=SHARES,
        swap_scale=SHARES,
        duplicate_scale=SHARES,
        shift_scale=SHARES,
        max_span=st.integers(1, 5),
        max_shift=st.integers(1, 20),
    ),
)
def test_lad_noise_is_that_of_a_slow_plain_version(example, seed, epoch, spec):
    noised = noise(example, spec, seed, epoch)
    assert (noised.ids, noised.masked) == plain_lad(example, spec, seed, epoch)


# --- what every kind keeps ----------------------------------------------------------------------------------------------


def some_of_each(**options):
    return fixed_noise(masked=0.3, swapped=0.4, duplicated=0.2, shifted=0.6, **options)


DRAWN = st.just(NoNoise()) | st.builds(
    lambda build, tail_noise: build(tail_noise=tail_noise),
    st.sampled_from([lad_noise, mask_only_noise, cover_noise, uniform_noise, some_of_each]),
    st.booleans(),
)
SPECS = DRAWN | st.builds(lambda drawn: own_draft_noise(noise=drawn), DRAWN)


@given(windows(), SPECS, SEEDS)
def test_the_prompt_and_a_tail_that_is_to_stay_clean_are_never_touched(example, spec, seed):
    noised = noise(example, spec, seed)
    for shown, clean, answer, tail in zip(noised.ids, example.ids, example.answer, example.tail, strict=True):
        if not answer or (tail and not spec.noises_tail):
            assert shown == clean


@given(windows(), SPECS, SEEDS)
def test_corrupted_means_that_the_id_shown_differs_and_masked_that_it_is_a_mask(example, spec, seed):
    noised = noise(example, spec, seed)
    for shown, clean, masked, corrupted in zip(
        noised.ids, example.ids, noised.masked, noised.corrupted, strict=True
    ):
        assert corrupted == (shown != clean)
        assert not masked or shown == MASK


@given(windows(), SPECS, SEEDS, EPOCHS)
def test_noise_depends_on_seed_example_and_epoch_alone(example, spec, seed, epoch):
    first = noise(example, spec, seed, epoch)
    noise(window(7), spec, seed, epoch)  # whatever was drawn in between
    again = noise(example, spec, seed, epoch)
    assert (first.ids, first.masked, first.corrupted) == (again.ids, again.masked, again.corrupted)
    longer_prompt = PreparedExample(
        id=example.id, ids=(9, *example.ids), answer=(False, *example.answer), tail=(False, *example.tail)
    )
    assert noise(longer_prompt, spec, seed, epoch).ids[1:] == first.ids


@given(windows(), DRAWN, SEEDS, EPOCHS)
def test_a_model_drafts_from_what_the_noise_within_makes_of_an_example(example, drawn, seed, epoch):
    from_noise = noise(example, own_draft_noise(noise=drawn), seed, epoch)
    alone = noise(example, drawn, seed, epoch)
    assert repr(from_noise) == repr(alone)  # a time that there is none of is NaN


def test_another_seed_example_or_epoch_gives_another_noise():
    spec = mask_only_noise(min_time=0.5)
    shown = {
        noise(window(id, answer=40), spec, seed, epoch).masked
        for id, seed, epoch in ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1))
    }
    assert len(shown) == 4


def test_validation_draws_noise_of_its_own():
    example, spec = window(answer=40), mask_only_noise(min_time=0.5)
    options = {"seed": 0, "epoch": 0, "mask_id": MASK, "vocab_size": VOCABULARY}
    training = apply_noise(example, spec, **options)
    assert apply_noise(example, spec, **options, purpose=Purpose.VALIDATION_NOISE).masked != training.masked


def test_the_mask_token_as_ordinary_text_is_not_taken_for_a_mask():
    text = PreparedExample(id=0, ids=(9, MASK, MASK), answer=(False, True, True), tail=(False,) * 3)
    assert noise(text, NoNoise()).masked == (False, False, False)
    full = noise(text, lad_noise(full_mask_probability=1.0))
    assert full.masked == (False, True, True)
    assert not any(full.corrupted)


# --- statistics of the method -------------------------------------------------------------------------------------------

DRAWS = 1500


def distinct(id, length):
    return PreparedExample(
        id=id, ids=tuple(range(100, 100 + length)), answer=(True,) * length, tail=(False,) * length
    )


def test_a_tenth_of_the_draws_mask_the_whole_answer():
    full = sum(all(noise(distinct(id, 12)).masked) for id in range(DRAWS))
    assert full / DRAWS == pytest.approx(0.1, abs=0.02)


def test_otherwise_half_of_the_draws_mask_exactly_a_floored_share_below_one_half():
    spec = lad_noise(full_mask_probability=0, swap_scale=0, duplicate_scale=0, shift_scale=0)
    counts = [sum(noise(distinct(id, 20), spec).masked) for id in range(DRAWS)]
    assert max(counts) == 9
    # f · 20 with f ~ U(0, ½) floors to each of 0 … 9 equally often
    assert counts.count(0) / DRAWS == pytest.approx(0.5 + 0.5 / 10, abs=0.03)
    for count in range(1, 10):
        assert counts.count(count) / DRAWS == pytest.approx(0.05, abs=0.015)


def test_masked_positions_are_uniform():
    spec = lad_noise(
        full_mask_probability=0, mask_probability=1, swap_scale=0, duplicate_scale=0, shift_scale=0
    )
    totals = [0] * 10
    for id in range(DRAWS):
        for position, masked in enumerate(noise(distinct(id, 10), spec).masked):
            totals[position] += masked
    assert max(totals) / min(totals) < 1.25


def test_about_eighteen_percent_of_the_draws_corrupt_nothing():
    """Answers of seven tokens, as those of short questions, against the probability worked out by hand."""
    length, steps = 7, 1000
    untouched = 0.0
    for step in range(steps):
        p = (step + 0.5) / steps / 4
        # an edge token copies past the edge half of the times that it is chosen
        untouched += (
            (1 - p) ** (length - 1)
            * (1 - p) ** (length - 2)
            * (1 - p / 2) ** 2
            * (1 - p * (1 - still(length)))
        )
    none_masked = 0.5 + 0.5 * (2 / length)  # floor(f · 7) = 0 for f < 1/7 out of ½
    wanted = 0.9 * none_masked * untouched / steps
    clean = sum(not any(noise(distinct(id, length)).corrupted) for id in range(2 * DRAWS)) / (2 * DRAWS)
    assert clean == pytest.approx(wanted, abs=0.015)
    assert clean == pytest.approx(0.18, abs=0.03)


def still(length):
    """The share of span shifts that are clamped to where they began."""
    shares = []
    for span in (1, 2, 3):
        places = range(length - span + 1)
        moves = [
            min(max(place + side * step, 0), length - span) == place
            for place in places
            for step in (1, 2, 3, 4)
            for side in (-1, 1)
        ]
        shares.append(sum(moves) / len(moves))
    return sum(shares) / 3


def test_swaps_copies_and_shifts_carry_the_mask_with_the_token():
    spec = lad_noise(
        full_mask_probability=0, mask_probability=1, swap_scale=1, duplicate_scale=1, shift_scale=1
    )
    moved = 0
    for id in range(300):
        example = distinct(id, 12)
        noised = noise(example, spec)
        assert all((shown == MASK) == masked for shown, masked in zip(noised.ids, noised.masked, strict=True))
        moved += any(shown not in (MASK, clean) for shown, clean in zip(noised.ids, example.ids, strict=True))
    assert moved > 200


def test_answers_of_one_or_two_tokens_are_masked_but_not_rearranged():
    spec = lad_noise(
        full_mask_probability=0, mask_probability=0, swap_scale=1, duplicate_scale=1, shift_scale=1
    )
    for id in range(50):
        assert not any(noise(distinct(id, 2), spec).corrupted)
        assert not any(noise(distinct(id, 1), spec).corrupted)


def test_mask_only_masks_a_share_t_and_at_least_one():
    spec = mask_only_noise()
    shares, times = [], []
    for id in range(DRAWS):
        noised = noise(distinct(id, 30), spec)
        assert any(noised.masked)
        shares.append(sum(noised.masked) / 30)
        times.append(noised.time)
    assert sum(times) / DRAWS == pytest.approx(0.5, abs=0.02)
    assert min(times) >= 1e-3
    errors = [
        (share - time) ** 2 * 30 / (time * (1 - time))
        for share, time in zip(shares, times, strict=True)
        if 0.2 < time < 0.8
    ]
    assert sum(errors) / len(errors) == pytest.approx(1, abs=0.15)  # binomial


def test_the_one_token_that_mask_only_always_masks_is_any_of_them():
    spec = mask_only_noise(min_time=1e-9)
    firsts = [0] * 4
    for id in range(DRAWS):
        noised = noise(distinct(id, 4), spec)
        if noised.time < 0.05:
            firsts[noised.masked.index(True)] += 1
    assert min(firsts) > 0.5 * max(firsts)


def test_cover_is_lad_for_half_of_the_examples_and_mask_only_up_to_all_for_the_others():
    cover = cover_noise()
    timed = [
        (id, noised) for id in range(DRAWS) if not math.isnan((noised := noise(distinct(id, 20), cover)).time)
    ]
    assert len(timed) / DRAWS == pytest.approx(0.5, abs=0.03)
    assert any(10 < sum(noised.masked) < 20 for _, noised in timed)
    assert sum(noised.time for _, noised in timed) / len(timed) == pytest.approx(0.5, abs=0.03)
    masked_only = {id for id, _ in timed}
    for id in range(200):
        if id not in masked_only:
            assert noise(distinct(id, 20), cover).ids == noise(distinct(id, 20), lad_noise()).ids


def test_uniform_replaces_a_share_t_by_tokens_of_the_whole_vocabulary():
    spec = uniform_noise(min_time=0.9)
    seen = set()
    replaced = 0
    for id in range(200):
        noised = noise(distinct(id, 30), spec)
        assert not any(noised.masked)
        new = [shown for shown, corrupted in zip(noised.ids, noised.corrupted, strict=True) if corrupted]
        seen.update(new)
        replaced += len(new)
    assert seen == set(range(VOCABULARY))
    assert replaced / 6000 == pytest.approx(0.95, abs=0.02)


def test_a_tail_that_is_noised_takes_part_as_answer_does():
    example = window(answer=3, tail=20)
    changed = [noise(example, seed=seed).ids[6:] for seed in range(200)]
    assert sum(any(id != EOS for id in ids) for ids in changed) > 60


# --- the structural acts, one at a time -----------------------------------------------------------------------------------


def cells(text):
    return np.array([(ord(letter), letter.isupper()) for letter in text])


def text(cells):
    return "".join(chr(id) for id, _ in cells.tolist())


def uniform(*numbers):
    return np.array(numbers)


def test_a_swapped_token_can_travel():
    whole = [(0, 4)]
    assert text(swap(cells("abcd"), whole, uniform(0.0, 0.0, 0.0, 0.0), 0.5)) == "bcda"
    assert text(swap(cells("abcd"), whole, uniform(0.9, 0.0, 0.9, 0.0), 0.5)) == "acbd"


def test_left_copies_are_taken_at_once_and_before_the_right_copies():
    whole, low, high = [(0, 4)], uniform(0.0, 0.0, 0.0, 0.0), uniform(0.9, 0.9, 0.9, 0.9)
    assert text(duplicate(cells("abcd"), whole, low, low, 0.5)) == "aabc"
    assert text(duplicate(cells("abcd"), whole, low, high, 0.5)) == "bcdd"
    # b copies a (left); then a copies what b now is (right)
    chosen, sides = uniform(0.0, 0.0, 0.9, 0.9), uniform(0.9, 0.0, 0.9, 0.9)
    assert text(duplicate(cells("abcd"), whole, chosen, sides, 0.5)) == "aacd"


def test_a_shift_copies_a_span_over_what_is_there_and_stays_inside():
    options = {"max_span": 3, "max_shift": 4}
    # a span of 2 (½ · 3), from place 0, one to the right
    assert text(shift(cells("abcdef"), [(0, 6)], [0.0, 0.5, 0.0, 0.0, 0.9], **options)) == "aabdef"
    # four to the left of place 1 is clamped to 0
    assert text(shift(cells("abcdef"), [(0, 6)], [0.0, 0.5, 0.25, 0.9, 0.0], **options)) == "bccdef"


def test_nothing_crosses_from_one_answer_to_the_next():
    runs = stretches_of(np.array([3, 4, 5, 9, 10]))
    assert runs == [(0, 3), (3, 5)]
    generator = random.Random(1)
    for _ in range(200):
        numbers = [generator.random() for _ in range(5)]
        for moved in (
            swap(cells("abcXY"), runs, uniform(*numbers), 1.0),
            duplicate(cells("abcXY"), runs, uniform(*[0.0] * 5), uniform(*numbers), 1.0),
            shift(cells("abcXY"), runs, numbers, max_span=3, max_shift=4),
        ):
            assert set(text(moved[:3])) <= set("abc") and set(text(moved[3:])) <= set("XY")


# --- given levels -------------------------------------------------------------------------------------------------------


@given(windows(), SEEDS, SHARES)
def test_fixed_noise_masks_the_given_share_exactly(example, seed, share):
    noised = noise(example, fixed_noise(masked=share), seed)
    length = sum(example.answer)
    assert sum(noised.masked) == (min(length, max(1, floor(share * length))) if share > 0 else 0)
    hidden = [token for token, masked in zip(noised.ids, noised.masked, strict=True) if not masked]
    clean = [token for token, masked in zip(example.ids, noised.masked, strict=True) if not masked]
    assert hidden == clean


@given(windows(), SEEDS, SHARES, st.sampled_from(["swap", "duplicate", "shift"]))
def test_fixed_noise_is_lad_noise_of_a_known_strength(example, seed, level, kind):
    """The strength that `lad` draws, taken as the level: the same tokens travel."""
    names = {"swap": "swapped", "duplicate": "duplicated", "shift": "shifted"}
    others = {"full_mask_probability": 0.0, "mask_probability": 0.0}
    scales = {f"{each}_scale": level if each == kind else 0.0 for each in names}
    drawn = uniforms(seed, Purpose.NOISE, example.id, 0, 12)[1]
    structural = noise(example, lad_noise(**others, **scales), seed)
    given_level = noise(example, fixed_noise(**{names[kind]: level * float(drawn)}), seed)
    if sum(example.answer) > 2:
        assert given_level.ids == structural.ids
