"""Random cuts: where they fall, and what they leave to noise and loss."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lad_runtime.errors import LadError
from lad_runtime.method.loss_targets import targeted
from lad_runtime.method.noise import apply_noise
from lad_runtime.method.random_split import check_split, seen_in, split
from method_specs import loss_spec, mask_only_noise
from training_support import MASK, VOCABULARY, window, windows

ANSWERS = loss_spec(supervise="all-answer-tokens")


def shown(example):
    """All of an answer masked."""
    noise = mask_only_noise(min_time=1.0)
    return apply_noise(example, noise, seed=1, epoch=0, mask_id=MASK, vocab_size=VOCABULARY)


@given(example=windows(), drawn=st.floats(0, 1, exclude_max=True))
def test_the_past_ends_before_the_last_decided_token_and_the_rest_is_open(example, drawn):
    cut = split(example, drawn)
    content = [
        i
        for i, (answer, tail) in enumerate(zip(example.answer, example.tail, strict=True))
        if answer and not tail
    ]
    first = cut.answer.index(True)
    assert first == content[int(drawn * len(content))]
    assert (
        cut.answer[first:] == example.answer[first:] and cut.tail == example.tail and cut.ids == example.ids
    )
    assert cut.past_tokens == (first if first == content[0] else first - 1)


@given(example=windows(), drawn=st.floats(0, 1, exclude_max=True), canvas_tokens=st.integers(1, 12))
def test_a_canvas_has_no_more_tokens_than_it_may_and_what_follows_it_is_not_seen(
    example, drawn, canvas_tokens
):
    whole, cut = split(example, drawn), split(example, drawn, canvas_tokens)
    end = min(whole.answer.index(True) + canvas_tokens, len(example.ids))
    assert (cut.ids, cut.answer, cut.tail) == (example.ids[:end], whole.answer[:end], example.tail[:end])
    assert 1 <= sum(cut.answer) <= canvas_tokens and cut.past_tokens == whole.past_tokens


@given(example=windows(), drawn=st.floats(0, 1, exclude_max=True))
def test_nothing_before_the_open_positions_is_noised_or_supervised(example, drawn):
    cut = split(example, drawn)
    noised = shown(cut)
    sequence = targeted(cut, noised, ANSWERS, 1)
    first = cut.answer.index(True)
    assert noised.ids[:first] == example.ids[:first] and not any(noised.masked[:first])
    assert max(sequence.targets[:first], default=-1) == -1 and sequence.targets[first] == example.ids[first]
    assert sequence.prompt_tokens == cut.past_tokens


@given(drawn=st.floats(0, 1, exclude_max=True), canvas_tokens=st.integers(0, 12))
def test_a_cut_example_keeps_its_weight(drawn, canvas_tokens):
    assert split(replace(window(), weight=2.5), drawn, canvas_tokens).weight == 2.5


def test_cuts_of_epochs_seeds_and_examples_fall_everywhere_and_always_in_the_same_places():
    def cuts():
        return [
            seen_in(window(id, 3, 8, 4), "random-split", seed=seed, epoch=epoch).answer.index(True) - 3
            for id in range(10)
            for seed in range(5)
            for epoch in range(20)
        ]

    assert cuts() == cuts()
    counts = [cuts().count(place) for place in range(9)]
    assert counts[8] == 0 and all(
        85 < count < 165 for count in counts[:8]
    )  # 125 each of 1,000, never the tail


def test_without_a_split_an_example_is_as_it_is():
    example = window()
    assert seen_in(example, "prompt", seed=1, epoch=3) is example


@pytest.mark.parametrize("attention", ["full", "prefix", "causal"])
def test_a_cut_outside_of_causal_prefix_attention_is_refused_by_name(attention):
    with pytest.raises(LadError, match="no part of an answer belongs to a causal past") as refused:
        check_split("random-split", attention, 0)
    assert (refused.value.option, refused.value.value) == ("context", "random-split")
    check_split("random-split", "causal-prefix", 0)


def test_canvases_of_a_size_without_a_cut_are_refused_by_name():
    with pytest.raises(LadError, match="in prompt context a canvas has the whole answer") as refused:
        check_split("prompt", "causal-prefix", 8)
    assert (refused.value.option, refused.value.value) == ("canvasTokens", "8")
    check_split("random-split", "causal-prefix", 8)
