"""The policies that go by how sure the model is, on models whose logits are known, and against plain versions of their rules."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lad_runtime.method.policies.editing import SEEN_KEPT
from lad_runtime.method.policies.entropy_bound import annealed_temperature, bounded_count
from lad_runtime.method.policies.threshold import factor_count
from lad_runtime.torch_backend.model.segment import Segment
from lad_runtime.torch_backend.sampling.sampler import sample_canvas
from lad_runtime.types.sampling import AnswerEvent, Canvas, FrameEvent, SamplingSpec
from lad_runtime.types.sampling_state import SamplingState
from sampling_helpers import MASK_ID, VOCAB_SIZE, answered, random_logits, run_work, small_base
from sampling_specs import (
    draw_spec,
    editing_policy,
    entropy_bound_policy,
    revoking_policy,
    sampling_spec,
    threshold_policy,
)

BASE = small_base()
PROMPT = (7, 8)
A, B, C = 20, 21, 22

Row = dict[int, float]
"""Probabilities of tokens; the others but MASK share the rest."""


def scripted_rows(*forwards: list[Row]) -> Any:
    """A fake model whose i-th forward has exactly these probabilities at each answer position; its last one from then on."""
    calls = iter(forwards)
    current = forwards[-1]

    def answer(segment: Segment, rows: torch.Tensor) -> torch.Tensor:
        nonlocal current
        current = next(calls, current)
        return torch.cat([logits_of(current[row - len(PROMPT)]) for row in rows.tolist()])

    return answer


def logits_of(row: Row) -> torch.Tensor:
    rest = (1 - sum(row.values())) / (VOCAB_SIZE - 1 - len(row))
    logits_1V = torch.full((1, VOCAB_SIZE), rest).log()
    logits_1V[0, MASK_ID] = -40
    for token, probability in row.items():
        logits_1V[0, token] = np.log(probability)
    return logits_1V


def run(
    spec: SamplingSpec, answer: Any, seed: int = 1
) -> tuple[list[FrameEvent], AnswerEvent, list[list[int]]]:
    """Frames, the answer, and the answer part of every forward's input."""
    canvas = Canvas(prompt=PROMPT, seed=seed, begin=None, size=None)
    frames, outcome, requests = run_work(sample_canvas(BASE, None, canvas, 0, spec), answer)
    inputs = [request.segments[0].ids[len(PROMPT) :].tolist() for request in requests]
    return frames, answered(outcome), inputs


def test_threshold_commits_all_that_is_sure_and_the_surest_where_nothing_is() -> None:
    model = scripted_rows(
        [{A: 0.95}, {A: 0.5}, {A: 0.6}, {A: 0.91}],
        [{B: 0.99}, {B: 0.7}, {B: 0.8}, {B: 0.99}],
        [{C: 0.99}] * 4,
    )
    spec = sampling_spec(policy=threshold_policy(confidence=0.9), answer_tokens=4)
    _, answer, inputs = run(spec, model)
    assert inputs == [[MASK_ID] * 4, [A, MASK_ID, MASK_ID, A], [A, MASK_ID, B, A]]
    assert (answer.canvas_ids, answer.iterations, answer.stopped) == ((A, C, B, A), 3, "length")


def test_threshold_commits_the_rest_in_its_last_iteration_blocks_behind_the_current_one_included() -> None:
    spec = sampling_spec(
        policy=threshold_policy(confidence=0.9, block_tokens=2, iterations=2), answer_tokens=5
    )
    _, answer, inputs = run(spec, scripted_rows([{A: 0.95}] * 5, [{B: 0.55}] * 5))
    assert inputs[1] == [A, A, MASK_ID, MASK_ID, MASK_ID]
    assert (answer.canvas_ids, answer.stopped) == ((A, A, B, B, B), "length")


@given(
    confidences=st.lists(st.integers(0, 20).map(lambda k: k / 20), min_size=1, max_size=12),
    factor=st.floats(0.01, 4),
)
def test_the_factor_rule_is_the_papers_search(confidences: list[float], factor: float) -> None:
    falling = sorted(confidences, reverse=True)
    found = 0
    while found < len(falling) and (found + 2) * (1 - falling[found]) <= factor:
        found += 1
    assert factor_count(np.array(confidences), factor) == found


def test_editing_replaces_what_another_token_beats_and_ends_when_nothing_changes() -> None:
    model = scripted_rows(
        [{A: 0.9}, {A: 0.6}, {A: 0.3}],
        [{A: 0.9}, {B: 0.95}, {C: 0.8}],
        [{B: 0.69}, {B: 0.9}, {C: 0.9}],
    )
    policy = editing_policy(confidence=0.5, edit_confidence=0.7)
    frames, answer, inputs = run(sampling_spec(policy=policy, answer_tokens=3), model)
    assert inputs == [[MASK_ID] * 3, [A, A, MASK_ID], [A, B, C]]
    assert (answer.canvas_ids, answer.iterations, answer.stopped) == ((A, B, C), 3, "length")
    assert (
        frames[-1].answer == (A, B, C) and frames[-1].edits == ()
    )  # B was sampled at the first, and not taken


def test_editing_replaces_no_position_more_often_than_it_may() -> None:
    rows = [[{token: 0.9}, {A: 0.9}] for token in (A, B, C, A + 4, A + 5)]
    _, answer, _ = run(sampling_spec(policy=editing_policy(edits=2), answer_tokens=2), scripted_rows(*rows))
    assert (answer.canvas_ids, answer.iterations) == ((C, A), 4)


def test_editing_does_not_return_to_an_answer_that_stood_before() -> None:
    def back_and_forth(segment: Segment, rows: torch.Tensor) -> torch.Tensor:
        stands = segment.ids[len(PROMPT) :].tolist()
        return torch.cat([logits_of({B if stands[0] == A else A: 0.9}), logits_of({C: 0.9})])

    _, answer, inputs = run(sampling_spec(policy=editing_policy(edits=99), answer_tokens=2), back_and_forth)
    assert inputs == [[MASK_ID] * 2, [A, C], [B, C]]
    assert (answer.canvas_ids, answer.stopped) == ((B, C), "length")


def test_revoking_masks_again_what_became_improbable_least_probable_first() -> None:
    model = scripted_rows(
        [{A: 0.9}, {A: 0.7}, {A: 0.65}, {A: 0.3}],
        [{A: 0.9}, {A: 0.2}, {A: 0.1}, {B: 0.9}],
        [{A: 0.9}, {C: 0.9}, {C: 0.8}, {B: 0.9}],
    )
    policy = revoking_policy(confidence=0.6, keep_confidence=0.5)
    frames, answer, inputs = run(sampling_spec(policy=policy, answer_tokens=4), model)
    assert inputs == [[MASK_ID] * 4, [A, A, A, MASK_ID], [A, MASK_ID, MASK_ID, B]]
    assert (answer.canvas_ids, answer.iterations, answer.stopped) == ((A, C, C, B), 3, "length")
    assert [frame.masked for frame in frames] == [1, 2, 0]


def test_revoking_takes_back_fewer_than_came_in_before() -> None:
    doubtful = [{A: 0.9}, {A: 0.8}, {A: 0.7}, {A: 0.1}]
    model = scripted_rows(doubtful, [{A: 0.3}, {A: 0.2}, {A: 0.1}, {B: 0.9}])
    policy = revoking_policy(confidence=0.6, keep_confidence=1.0)
    _, _, inputs = run(sampling_spec(policy=policy, answer_tokens=4), model)
    assert inputs[2] == [A, MASK_ID, MASK_ID, B]


@settings(deadline=None, max_examples=60)
@given(
    level=st.sampled_from([0.0, 0.03, 0.06, 1.0]),
    other=st.sampled_from([0.0, 0.03, 0.06, 1.0]),
    tokens=st.integers(1, 15),
    iterations=st.integers(1, 40),
    temperature=st.sampled_from([0.0, 1.0]),
    seed=st.integers(0, 999),
)
def test_every_answer_is_whole_within_its_iterations(
    level: float, other: float, tokens: int, iterations: int, temperature: float, seed: int
) -> None:
    for policy in (
        threshold_policy(iterations=iterations, confidence=level, block_tokens=4),
        threshold_policy(iterations=iterations, factor=level * 30),
        editing_policy(iterations=iterations, confidence=level, edit_confidence=other, edits=3),
        revoking_policy(iterations=iterations, confidence=level, keep_confidence=other),
        entropy_bound_policy(iterations=iterations, bound=100 * level, stable_entropy=10 * other),
    ):
        spec = sampling_spec(policy=policy, answer_tokens=tokens, draw=draw_spec(temperature=temperature))
        frames, answer, inputs = run(spec, random_logits(seed), seed)
        assert len(inputs) == len(frames) == answer.iterations <= iterations
        assert frames[-1].masked == 0 and frames[-1].answer == answer.canvas_ids
        assert MASK_ID not in answer.canvas_ids and len(answer.canvas_ids) == tokens
        for before, after in pairwise(inputs):
            stayed = [b == a for b, a in zip(before, after, strict=True) if b != MASK_ID]
            assert policy.changes_visible or all(stayed)


def test_loops_end_by_themselves() -> None:
    """Revoking within twice as many iterations as there are positions, editing when its budget is spent."""
    for seed in range(20):
        for policy in (
            revoking_policy(iterations=1000, confidence=0.0, keep_confidence=1.0),
            editing_policy(iterations=1000, confidence=0.0, edit_confidence=0.0, edits=3),
        ):
            _, _, inputs = run(sampling_spec(policy=policy, answer_tokens=9), random_logits(seed))
            assert len(inputs) <= 9 * 3 + 2


@given(
    entropies=st.lists(st.integers(0, 12).map(lambda k: k / 40), min_size=1, max_size=12),
    bound=st.integers(0, 60).map(lambda k: (k + 0.5) / 40),
)
def test_the_entropy_bound_is_the_papers_inequality(entropies: list[float], bound: float) -> None:
    rising = sorted(entropies)
    allowed = [n for n in range(1, len(rising) + 1) if sum(rising[:n]) - max(rising[:n]) <= bound]
    assert bounded_count(np.array(entropies), bound) == max(allowed)


def test_the_entropy_bound_lets_the_surest_stand_and_masks_the_others_again() -> None:
    sure, unsure = {A: 0.99999}, {B: 0.3, C: 0.29}
    policy = entropy_bound_policy(anneal=False, bound=0.05, stable_entropy=0.01)
    model = scripted_rows([unsure, sure, unsure, sure], [sure, sure, sure, {C: 0.99999}])
    _, answer, inputs = run(sampling_spec(policy=policy, answer_tokens=4), model)
    assert inputs == [[MASK_ID] * 4, [B, A, MASK_ID, A], [A, A, A, C]]
    assert (answer.canvas_ids, answer.iterations, answer.stopped) == ((A, A, A, C), 3, "length")


def test_the_temperature_falls_evenly_and_is_the_draws_own() -> None:
    policy = entropy_bound_policy(iterations=4)
    assert np.allclose([annealed_temperature(policy, i) for i in range(4)], [0.8, 0.7, 0.6, 0.5])
    answers = [
        run(
            sampling_spec(
                policy=entropy_bound_policy(anneal=anneal, iterations=3),
                answer_tokens=9,
                draw=draw_spec(temperature=temperature),
            ),
            random_logits(1),
        )[1].canvas_ids
        for anneal, temperature in ((True, 0.0), (True, 3.0), (False, 0.0), (False, 3.0))
    ]
    assert answers[0] == answers[1] and len(set(answers)) == 3


def test_editing_remembers_the_last_whole_answers_alone() -> None:
    hashes = tuple(range(SEEN_KEPT))
    begin = replace(
        SamplingState.all_masked(2, MASK_ID), ids=(A, B), masked=(False, False), memory=(0, 0, *hashes)
    )
    spec = sampling_spec(policy=editing_policy(iterations=2), answer_tokens=2)
    canvas = Canvas(prompt=PROMPT, seed=1, begin=begin, size=None)
    model = scripted_rows([{C: 0.9}, {B: 0.9}])
    frames, _, _ = run_work(sample_canvas(BASE, None, canvas, 0, spec), model)
    assert frames[0].state is not None
    assert frames[0].state.memory[:4] == (1, 0, 1, 2)
    assert len(frames[0].state.memory) == 2 + SEEN_KEPT
