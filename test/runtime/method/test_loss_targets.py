"""Which tokens the loss counts, and how much each one weighs."""

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.method.loss_targets import (
    SUPERVISIONS,
    WEIGHTINGS,
    Supervise,
    Weighting,
    check_answer_supervised,
    check_loss,
    targeted,
)
from lad_runtime.method.noise import apply_noise
from lad_runtime.method.targeted_sequence import IGNORE_INDEX
from method_specs import NOISE_BUILDERS, lad_noise, loss_spec, mask_only_noise
from training_support import MASK, VOCABULARY, whole_batch, window, windows

SUPERVISE = tuple(SUPERVISIONS)
LOSSES = st.builds(loss_spec, supervise=st.sampled_from(SUPERVISE), tail=st.booleans())


def noised(example, noise, seed):
    return apply_noise(example, noise, seed=seed, epoch=0, mask_id=MASK, vocab_size=VOCABULARY)


@given(st.lists(windows(), min_size=1, max_size=4), LOSSES, st.integers(0, 99))
def test_weights_are_the_mean_over_tokens_then_over_examples_that_have_any(examples, loss, seed):
    shown = [noised(example, lad_noise(), seed) for example in examples]
    sequences = whole_batch(examples, shown, loss)
    sums = [sum(sequence.weights) for sequence in sequences]
    counts = [sum(target >= 0 for target in sequence.targets) for sequence in sequences]
    counted = sum(count > 0 for count in counts)
    for sequence, total, count in zip(sequences, sums, counts, strict=True):
        assert total == pytest.approx(1 / counted if count else 0, rel=1e-6)
        assert {w for w, t in zip(sequence.weights, sequence.targets, strict=True) if t < 0} <= {0.0}


@given(windows(), LOSSES, st.integers(0, 99))
def test_supervised_are_the_tokens_that_were_asked_for_and_their_targets_the_clean_ids(example, loss, seed):
    shown = noised(example, lad_noise(), seed)
    sequence = targeted(example, shown, loss, 1)
    for i, target in enumerate(sequence.targets):
        wanted = (
            loss.supervise == "all-tokens"
            or (example.answer[i] and loss.supervise == "all-answer-tokens")
            or (example.answer[i] and shown.corrupted[i])
        ) and (loss.tail or not example.tail[i])
        assert target == (example.ids[i] if wanted else -1)
    assert sequence.ids == shown.ids


def test_inverse_time_weights_are_1_over_t_times_the_whole_answers_length():
    example = window(prompt=3, answer=6, tail=4)
    shown = noised(example, mask_only_noise(), 1)
    for tail, length in ((True, 10), (False, 6)):
        loss = loss_spec(supervise="corrupted-answer-tokens", weighting="inverse-time", tail=tail)
        sequence = targeted(example, shown, loss, 1)
        weights = {w for w, t in zip(sequence.weights, sequence.targets, strict=True) if t >= 0}
        assert weights == {float(np.float32(1 / (shown.time * length)))}


@given(windows(), st.floats(0.01, 1), st.integers(0, 99))
def test_a_token_of_the_tail_weighs_so_much_of_what_one_of_the_answers_own_does(example, tail_weight, seed):
    loss = loss_spec(supervise="all-answer-tokens", tail_weight=tail_weight)
    sequence = targeted(example, noised(example, lad_noise(), seed), loss, 3)
    marks = zip(example.answer, example.tail, strict=True)
    relative = [is_answer * (tail_weight if is_tail else 1.0) for is_answer, is_tail in marks]
    assert sequence.weights == pytest.approx([w / (sum(relative) * 3) for w in relative], rel=1e-6)


@given(windows(), st.sampled_from(SUPERVISE), st.integers(0, 99))
def test_a_whole_tail_weight_is_no_weight_and_one_that_is_not_supervised_has_no_effect(
    example, supervise, seed
):
    shown = noised(example, lad_noise(), seed)
    plain = targeted(example, shown, loss_spec(supervise=supervise), 3)
    count = sum(target >= 0 for target in plain.targets)
    assert set(plain.weights) <= {0.0, float(np.float32(1 / (max(count, 1) * 3)))}
    heavy, light = (
        targeted(example, shown, loss_spec(supervise=supervise, tail=False, tail_weight=weight), 3)
        for weight in (1.0, 0.25)
    )
    assert heavy == light


def test_a_light_tail_makes_the_whole_answer_shorter_for_weights_by_time():
    example = window(prompt=3, answer=6, tail=4)
    shown = noised(example, mask_only_noise(min_time=0.9), 1)
    loss = loss_spec(supervise="corrupted-answer-tokens", weighting="inverse-time", tail_weight=0.5)
    sequence = targeted(example, shown, loss, 2)
    own, tail = (float(np.float32(w / (shown.time * (6 + 0.5 * 4) * 2))) for w in (1, 0.5))
    assert sequence.weights == tuple(
        corrupted and (tail if is_tail else own)
        for corrupted, is_tail in zip(shown.corrupted, example.tail, strict=True)
    )
    assert {own, tail} < set(sequence.weights)


@given(st.lists(windows(), min_size=1, max_size=4), LOSSES, st.integers(0, 99))
def test_an_examples_weight_multiplies_its_tokens_alone_and_1_is_as_none_to_the_bit(examples, loss, seed):
    shown = [noised(example, lad_noise(), seed) for example in examples]
    plain = whole_batch(examples, shown, loss)
    assert whole_batch([replace(example, weight=1.0) for example in examples], shown, loss) == plain
    doubled = [replace(examples[0], weight=2.0), *examples[1:]]
    by_hand = [replace(plain[0], weights=tuple(2 * w for w in plain[0].weights)), *plain[1:]]
    assert whole_batch(doubled, shown, loss) == by_hand


@given(st.lists(windows(), min_size=2, max_size=4), LOSSES, st.integers(0, 99))
def test_a_batch_with_an_example_of_weight_0_is_the_batch_without_it(examples, loss, seed):
    shown = [noised(example, lad_noise(), seed) for example in examples]
    muted, *others = whole_batch([replace(examples[0], weight=0.0), *examples[1:]], shown, loss)
    assert others == whole_batch(examples[1:], shown[1:], loss)
    assert set(muted.targets) == {IGNORE_INDEX} and set(muted.weights) == {0.0}


@pytest.mark.parametrize("tail_weight", [0.0, -1.0, 1.5, float("nan")])
def test_a_weight_of_the_tail_is_above_0_and_at_most_1(tail_weight):
    with pytest.raises(LadError, match=r"loss\.tailWeight"):
        loss_spec(tail_weight=tail_weight)


def test_inverse_time_estimates_the_whole_answers_loss_without_bias():
    """With every token's CE equal to 1, E[Σ weight · CE] = 1, whatever t."""
    loss = loss_spec(supervise="corrupted-answer-tokens", weighting="inverse-time")
    noise = mask_only_noise(min_time=0.2)
    totals = []
    for seed in range(1000):
        example = window(answer=20, tail=0)
        totals.append(sum(targeted(example, noised(example, noise, seed), loss, 1).weights))
    assert sum(totals) / len(totals) == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("kind", ["lad", "cover", "none"])
def test_inverse_time_is_refused_where_noise_has_no_time(kind):
    loss = loss_spec(supervise="corrupted-answer-tokens", weighting="inverse-time")
    with pytest.raises(LadError, match=f"{kind} noise has no time t") as caught:
        check_loss(loss, NOISE_BUILDERS[kind]())
    assert caught.value.code is ErrorCode.INVALID_OPTION
    assert caught.value.option == "loss.weighting"


def test_inverse_time_is_refused_over_tokens_that_are_not_corrupted():
    with pytest.raises(LadError, match="supervise is all-tokens"):
        check_loss(loss_spec(weighting="inverse-time"), mask_only_noise())


def test_every_word_of_a_loss_has_its_entry_and_the_other_way_round():
    assert get_args(Supervise) == tuple(SUPERVISIONS)
    assert get_args(Weighting) == tuple(WEIGHTINGS)


@pytest.mark.parametrize("supervise", SUPERVISE)
def test_a_loss_over_the_prompt_is_refused_where_answers_alone_are_computed(supervise):
    loss = loss_spec(supervise=supervise)
    if not SUPERVISIONS[supervise].prompt:
        check_answer_supervised(loss)
        return
    with pytest.raises(LadError) as caught:
        check_answer_supervised(loss)
    assert caught.value.remedy == "Set loss.supervise to all-answer-tokens or corrupted-answer-tokens."


def test_the_remedy_for_weights_without_a_time_names_the_noises_that_have_one():
    loss = loss_spec(supervise="corrupted-answer-tokens", weighting="inverse-time")
    with pytest.raises(LadError) as caught:
        check_loss(loss, NOISE_BUILDERS["lad"]())
    assert caught.value.remedy == "Use mask-only or uniform noise, or the weighting uniform."
