"""Denoising runs: what stays, what changes, when it ends, and that nothing depends on company."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lad_runtime.errors import LadError
from lad_runtime.method.policies.policy import DenoisingPolicy
from lad_runtime.method.policies.remask import remask_share, share_count
from lad_runtime.torch_backend.model.segment import Segment
from lad_runtime.torch_backend.sampling.sampler import check_canvas, sample_canvas
from lad_runtime.types.sampling import AnswerEvent, Canvas, FrameEvent, SamplingSpec
from sampling_helpers import (
    EOS_ID,
    MASK_ID,
    VOCAB_SIZE,
    answered,
    peaked,
    random_logits,
    run_alone,
    run_together,
    run_work,
    scripted,
    small_base,
    trained_adapter,
)
from sampling_specs import (
    POLICY_BUILDERS,
    ar_policy,
    draw_spec,
    editing_policy,
    entropy_bound_policy,
    llada_policy,
    refine_policy,
    remask_policy,
    revoking_policy,
    sampling_spec,
    threshold_policy,
)

BASE = small_base()
PROMPT = (7, 8, MASK_ID, 9)  # the mask token is ordinary text here

Options = dict[str, Any]

DENOISING = [kind for kind, build in POLICY_BUILDERS.items() if isinstance(build(), DenoisingPolicy)]

remasks = st.fixed_dictionaries(
    {
        "schedule": st.sampled_from(["exponential", "linear"]),
        "sharpness": st.sampled_from([0.5, 1.0, 5.0]),
        "noise_start": st.sampled_from([0.5, 1.0]),
        "positions": st.sampled_from(["random", "clustered", "confidence"]),
        "retention": st.sampled_from(["none", "editable", "locked"]),
    }
)


def run(spec: SamplingSpec, answer: Any, seed: int = 1) -> tuple[list[FrameEvent], AnswerEvent, list[Any]]:
    canvas = Canvas(prompt=PROMPT, seed=seed, begin=None, size=None)
    frames, outcome, requests = run_work(sample_canvas(BASE, None, canvas, 0, spec), answer)
    return frames, answered(outcome), requests


def inputs(requests: list[Any]) -> list[list[int]]:
    """The answer part of every forward's canvas."""
    return [request.segments[0].ids[len(PROMPT) :].tolist() for request in requests]


@settings(deadline=None, max_examples=60)
@given(
    remask=remasks, tokens=st.integers(1, 24), iterations=st.integers(1, 12), seed=st.integers(0, 2**64 - 1)
)
def test_remask_masks_exactly_its_share_and_nothing_after_the_last_iteration(
    remask: Options, tokens: int, iterations: int, seed: int
) -> None:
    spec = sampling_spec(
        policy=remask_policy(iterations=iterations, early_stop=False, **remask), answer_tokens=tokens
    )
    frames, answer, _ = run(spec, random_logits(seed % 997), seed)
    for frame in frames:
        count = share_count(remask_share(spec.policy, frame.iteration), tokens)
        assert frame.masked == count
        assert sum(edit.remasked for edit in frame.edits) == count
    assert frames[-1].masked == 0
    assert answer.canvas_ids == frames[-1].answer
    assert len(answer.canvas_ids) == tokens


@settings(deadline=None, max_examples=60)
@given(
    kind=st.sampled_from(DENOISING),
    remask=remasks,
    grow=st.integers(0, 5),
    temperature=st.sampled_from([0.0, 1.0]),
    seed=st.integers(0, 999),
)
def test_every_forward_sees_the_last_one_with_the_frames_edits_written_in(
    kind: str, remask: Options, grow: int, temperature: float, seed: int
) -> None:
    policy = {
        "remask": remask_policy(iterations=6, early_stop=False, grow_tokens=grow, **remask),
        "refine": refine_policy(iterations=6, early_stop=False, grow_tokens=grow),
        "llada": llada_policy(iterations=6, block_tokens=5),
        "threshold": threshold_policy(iterations=6, confidence=0.05, block_tokens=5),
        "editing": editing_policy(iterations=6, confidence=0.05, edit_confidence=0.04),
        "entropy-bound": entropy_bound_policy(iterations=6, bound=3.0),
        "revoking": revoking_policy(iterations=6, confidence=0.05, keep_confidence=0.05),
    }[kind]
    spec = sampling_spec(policy=policy, answer_tokens=13, draw=draw_spec(temperature=temperature))
    frames, _, requests = run(spec, random_logits(seed), seed)
    seen = inputs(requests)
    for frame, before, after in zip(frames, seen, seen[1:], strict=False):
        shown = list(before)
        for edit in frame.edits:
            assert shown[edit.position] == edit.old
            assert frame.answer[edit.position] == edit.new
            shown[edit.position] = MASK_ID if edit.remasked else edit.new
        shown += [MASK_ID] * (len(after) - len(before))
        assert shown == after
    for request in requests:
        assert tuple(request.segments[0].ids[: len(PROMPT)].tolist()) == PROMPT


@settings(deadline=None, max_examples=40)
@given(remask=remasks, seed=st.integers(0, 999))
def test_what_is_kept_stays_kept(remask: Options, seed: int) -> None:
    spec = sampling_spec(policy=remask_policy(iterations=8, early_stop=False, **remask), answer_tokens=17)
    frames, answer, requests = run(spec, random_logits(seed), seed)
    kept: dict[int, int] = {}
    for frame, request in zip(frames, requests, strict=True):
        sampled = {row - len(PROMPT) for row in request.rows[0].tolist()}
        for position, token in kept.items():
            if remask["retention"] == "locked":
                assert position not in sampled
                assert frame.answer[position] == token
        remasked = {edit.position for edit in frame.edits if edit.remasked}
        assert not remasked & kept.keys()
        if remask["retention"] != "none":
            kept |= {p: frame.answer[p] for p in range(17) if p not in remasked and p not in kept}
    if remask["retention"] == "locked":
        assert all(answer.canvas_ids[position] == token for position, token in kept.items())


def test_an_editable_token_changes_where_a_locked_one_does_not() -> None:
    changes = {}
    for retention in ("editable", "locked"):
        spec = sampling_spec(
            policy=remask_policy(iterations=8, early_stop=False, schedule="linear", retention=retention),
            answer_tokens=20,
        )
        frames, _, _ = run(spec, random_logits(5))
        edits = [edit for frame in frames for edit in frame.edits]
        changes[retention] = sum(edit.kept and edit.old not in (MASK_ID, edit.new) for edit in edits)
    assert changes["editable"] > 0
    assert changes["locked"] == 0


def test_a_run_ends_where_everything_is_locked() -> None:
    spec = sampling_spec(
        policy=remask_policy(iterations=9, early_stop=False, noise_start=0, retention="locked"),
        answer_tokens=5,
    )
    _, answer, requests = run(spec, random_logits(5))
    assert (len(requests), answer.iterations, answer.stopped) == (1, 1, "length")


def test_refine_feeds_the_sampled_answer_back() -> None:
    answers = [[10, 11, 12], [10, 21, 12], [30, 21, 12]]
    spec = sampling_spec(policy=refine_policy(iterations=3, early_stop=False), answer_tokens=3)
    frames, answer, requests = run(spec, scripted(len(PROMPT), answers))
    assert inputs(requests) == [[MASK_ID] * 3, answers[0], answers[1]]
    assert [[edit.position for edit in frame.edits] for frame in frames] == [[0, 1, 2], [1], [0]]
    assert answer.canvas_ids == tuple(answers[2])
    assert answer.text == "30 21 12"
    assert all(frame.masked == 0 for frame in frames)


@pytest.mark.parametrize("kind", ["refine", "remask"])
def test_three_equal_answers_in_a_row_stop_a_run(kind: str) -> None:
    answers = [[10, 11], [10, 11], [10, 12], [10, 12], [10, 12]]
    spec = sampling_spec(policy=POLICY_BUILDERS[kind](), answer_tokens=2)
    frames, answer, requests = run(spec, scripted(len(PROMPT), answers))
    assert len(requests) == answer.iterations == 5
    assert answer.stopped == "length"
    assert frames[-1].masked == 0
    _, answer, requests = run(
        replace(spec, policy=replace(spec.policy, early_stop=False)), scripted(len(PROMPT), answers)
    )
    assert len(requests) == answer.iterations == 32
    assert answer.stopped == "length"


def test_a_growing_canvas_gains_masks_up_to_its_length() -> None:
    spec = sampling_spec(policy=refine_policy(iterations=5, early_stop=False, grow_tokens=3), answer_tokens=7)
    frames, answer, requests = run(spec, random_logits(3))
    assert [len(ids) for ids in inputs(requests)] == [3, 6, 7, 7, 7]
    assert [frame.masked for frame in frames] == [3, 1, 0, 0, 0]
    assert len(answer.canvas_ids) == 7
    spec = replace(spec, policy=replace(spec.policy, iterations=2))
    _, answer, _ = run(spec, random_logits(3))
    assert len(answer.canvas_ids) == 6


@pytest.mark.parametrize("kind", ["refine", "remask"])
def test_a_cut_answer_is_told_from_one_that_ended(kind: str) -> None:
    def stopped(answer: list[int], early_stop: bool = True) -> str:
        policy = replace(POLICY_BUILDERS[kind](), early_stop=early_stop)
        spec = sampling_spec(policy=policy, answer_tokens=3)
        return run(spec, scripted(len(PROMPT), [answer] * 32))[1].stopped

    assert stopped([10, 11, 12]) == stopped([10, 11, 12], early_stop=False) == "length"
    assert stopped([10, 11, EOS_ID]) == stopped([EOS_ID, 11, 12]) == "settled"
    assert stopped([10, 11, EOS_ID], early_stop=False) == "iterations"


def test_an_answer_that_stays_shorter_than_its_length_is_not_cut_by_it() -> None:
    policy = refine_policy(iterations=2, early_stop=False, grow_tokens=3)
    _, answer, _ = run(sampling_spec(policy=policy, answer_tokens=7), random_logits(3))
    assert (len(answer.canvas_ids), answer.stopped) == (6, "iterations")


def test_an_answer_ends_before_its_first_eos() -> None:
    spec = sampling_spec(policy=refine_policy(iterations=1), answer_tokens=5)
    _, answer, _ = run(spec, scripted(len(PROMPT), [[10, 11, EOS_ID, 12, EOS_ID]]))
    assert answer.ids == (10, 11)
    assert answer.canvas_ids == (10, 11, EOS_ID, 12, EOS_ID)
    assert answer.text == "10 11"


@settings(deadline=None, max_examples=60)
@given(
    tokens=st.integers(1, 20),
    block=st.integers(0, 22),
    iterations=st.integers(20, 30),
    off=st.booleans(),
    seed=st.integers(0, 999),
)
def test_llada_commits_every_position_once_for_good_within_its_budget(
    tokens: int, block: int, iterations: int, off: bool, seed: int
) -> None:
    spec = sampling_spec(
        policy=llada_policy(iterations=iterations, block_tokens=block, eos_confidence_off=off),
        answer_tokens=tokens,
    )
    frames, answer, requests = run(spec, random_logits(seed))
    assert len(requests) == len(frames) == frames[0].iterations <= iterations
    committed: dict[int, int] = {}
    for frame in frames:
        masked = set(range(tokens)) - committed.keys()
        new = {edit.position: edit.new for edit in frame.edits if edit.kept}
        assert new and new.keys() <= masked
        size = block or tokens
        assert {position // size for position in new} == {min(masked) // size}
        committed |= new
        assert frame.masked == tokens - len(committed)
    assert [committed[p] for p in range(tokens)] == list(answer.canvas_ids)


def test_llada_commits_the_most_confident_first() -> None:
    heights = [1.0, 4.0, 3.0, 2.0]

    def answer(segment: Segment, rows: torch.Tensor) -> torch.Tensor:
        offsets = [row - len(PROMPT) for row in rows.tolist()]
        return torch.cat([peaked([20 + p], heights[p]) for p in offsets])

    spec = sampling_spec(policy=llada_policy(iterations=4), answer_tokens=4)
    frames, _, _ = run(spec, answer)
    order = [edit.position for frame in frames for edit in frame.edits if edit.kept]
    assert order == [1, 2, 3, 0]


def test_llada_leaves_eos_for_last_where_its_confidence_is_off() -> None:
    def answer(segment: Segment, rows: torch.Tensor) -> torch.Tensor:
        tokens = {0: EOS_ID, 1: 20, 2: EOS_ID, 3: 21}
        return torch.cat([peaked([tokens[row - len(PROMPT)]], 9.0 - row) for row in rows.tolist()])

    spec = sampling_spec(policy=llada_policy(iterations=4, eos_confidence_off=True), answer_tokens=4)
    frames, _, _ = run(spec, answer)
    order = [edit.position for frame in frames for edit in frame.edits if edit.kept]
    assert order == [1, 3, 0, 2]


def test_guidance_pushes_away_from_what_a_masked_prompt_predicts() -> None:
    """Seeing: 20 by 2.0, 21 by 1.9; blind: 20 by 1.5, 21 by 0. At scale 1, 21 wins with 3.8 to 2.5."""

    def answer(segment: Segment, rows: torch.Tensor) -> torch.Tensor:
        blind = segment.ids[: len(PROMPT)].eq(MASK_ID).all()
        logits_RV = torch.zeros(len(rows), VOCAB_SIZE)
        logits_RV[:, 20], logits_RV[:, 21] = (1.5, 0.0) if blind else (2.0, 1.9)
        return logits_RV

    for scale, wanted, segments in ((0.0, 20, 1), (1.0, 21, 2)):
        _, outcome, requests = run(
            sampling_spec(policy=llada_policy(iterations=2, guidance_scale=scale), answer_tokens=2), answer
        )
        assert set(outcome.canvas_ids) == {wanted}
        assert {len(request.segments) for request in requests} == {segments}
        assert all(
            request.segments[0].ids[len(PROMPT) :].equal(request.segments[-1].ids[len(PROMPT) :])
            for request in requests
        )


SPECS = [
    sampling_spec(policy=remask_policy(iterations=5, positions="confidence"), answer_tokens=11),
    sampling_spec(
        policy=remask_policy(iterations=6, retention="locked", positions="clustered", schedule="linear"),
        answer_tokens=14,
        draw=draw_spec(temperature=0.8, top_p=0.9),
    ),
    sampling_spec(
        policy=refine_policy(iterations=4, grow_tokens=4),
        answer_tokens=9,
        draw=draw_spec(temperature=1.0, top_k=7),
    ),
    sampling_spec(
        policy=llada_policy(iterations=5, block_tokens=4, guidance_scale=0.5),
        answer_tokens=10,
        draw=draw_spec(temperature=0.7, method="gumbel"),
    ),
    sampling_spec(policy=ar_policy(), answer_tokens=12, draw=draw_spec(temperature=0.9)),
]


def test_a_canvas_gives_the_same_answer_in_any_company() -> None:
    """Frames too, bit for bit: five policies, three canvases each, with an adapter and without, in one stream of batches."""
    adapters = [None, trained_adapter(rank=4), trained_adapter(rank=3, seed=4)]
    canvases = [
        Canvas(prompt=(7, 8, 9), seed=1, begin=None, size=None),
        Canvas(prompt=tuple(range(20, 37)), seed=2, begin=None, size=None),
        Canvas(prompt=(3,), seed=1, begin=None, size=None),
    ]
    settings = [(spec, adapter, canvas) for spec in SPECS for adapter in adapters for canvas in canvases]
    works = [sample_canvas(BASE, adapter, canvas, 0, spec) for spec, adapter, canvas in settings]
    frames, outcomes = run_together(works, BASE.model)
    for index, (spec, adapter, canvas) in enumerate(settings):
        alone_frames, alone = run_alone(sample_canvas(BASE, adapter, canvas, 0, spec), BASE.model)
        assert outcomes[index] == alone
        assert frames[index] == alone_frames
    assert len({outcome.canvas_ids for outcome in outcomes}) > 30


def test_a_run_without_frames_gives_the_same_answer() -> None:
    canvas = Canvas(prompt=(7, 8, 9), seed=1, begin=None, size=None)
    for spec in SPECS:
        frames, answer = run_alone(sample_canvas(BASE, None, canvas, 0, spec), BASE.model)
        silent, same = run_alone(
            sample_canvas(BASE, None, canvas, 0, replace(spec, frames=False)), BASE.model
        )
        assert frames and not silent
        assert same == answer


def test_seeds_change_what_is_drawn_and_nothing_else_does() -> None:
    spec = SPECS[2]

    def ids(seed: int) -> tuple[int, ...]:
        canvas = Canvas(prompt=(7, 8, 9), seed=seed, begin=None, size=None)
        return answered(run_alone(sample_canvas(BASE, None, canvas, 0, spec), BASE.model)[1]).canvas_ids

    torch.manual_seed(1)
    first = ids(5)
    torch.manual_seed(2)
    assert ids(5) == first
    assert ids(6) != first


def test_canvases_without_a_seed_draw_by_their_number_and_the_first_as_with_seed_0() -> None:
    def ids(spec: SamplingSpec, seed: int | None, index: int) -> tuple[int, ...]:
        canvas = Canvas(prompt=(7, 8, 9), seed=seed, begin=None, size=None)
        return answered(run_alone(sample_canvas(BASE, None, canvas, index, spec), BASE.model)[1]).canvas_ids

    for spec in SPECS:
        answers = [ids(spec, None, index) for index in range(4)]
        assert answers[0] == ids(spec, 0, 0)
        assert len(set(answers)) > 1
        assert {ids(spec, 5, index) for index in range(4)} == {ids(spec, 5, 0)}


def test_a_long_answers_canvases_draw_by_seed_and_by_number() -> None:
    """Canvas k of the answer adds k to the seed, whatever number the answer has in its run."""
    spec = sampling_spec(
        policy=refine_policy(iterations=2), answer_tokens=8, canvas_tokens=4, draw=draw_spec(temperature=1.0)
    )

    def run_of(canvas: Canvas, index: int) -> AnswerEvent:
        return answered(run_alone(sample_canvas(BASE, None, canvas, index, spec), BASE.model)[1])

    whole = run_of(Canvas(prompt=(7, 8, 9), seed=None, begin=None, size=None), 3)
    second = Canvas(prompt=(7, 8, 9, *whole.canvas_ids[:4]), seed=1, begin=None, size=None)
    assert whole.canvas_ids[4:] != run_of(second, 0).canvas_ids[:4]  # it has the number 3 as well
    first = run_of(Canvas(prompt=(7, 8, 9), seed=0, begin=None, size=None), 3)
    second = Canvas(prompt=(7, 8, 9, *first.canvas_ids[:4]), seed=1, begin=None, size=None)
    assert first.canvas_ids[4:] == run_of(second, 0).canvas_ids[:4]


@pytest.mark.parametrize("kind", DENOISING)
def test_mask_is_never_answered_unless_it_is_allowed(kind: str) -> None:
    def certain_of_mask(segment: Segment, rows: torch.Tensor) -> torch.Tensor:
        return peaked([MASK_ID] * len(rows)) + peaked([20] * len(rows), height=1.0)

    drawing = {"anneal": False} if kind == "entropy-bound" else {}
    spec = sampling_spec(policy=POLICY_BUILDERS[kind](iterations=2, **drawing), answer_tokens=4)
    _, answer, _ = run(spec, certain_of_mask)
    assert set(answer.canvas_ids) == {20}
    _, answer, _ = run(replace(spec, draw=draw_spec(allow_mask=True)), certain_of_mask)
    assert set(answer.canvas_ids) == {MASK_ID}


def test_the_causal_model_may_write_mask_as_any_other_token() -> None:
    spec = sampling_spec(policy=ar_policy(), answer_tokens=2)
    _, answer, _ = run(spec, lambda segment, rows: peaked([MASK_ID]))
    assert answer.canvas_ids == (MASK_ID, MASK_ID)


def test_sampling_draws_nothing_from_the_global_generators() -> None:
    before = torch.random.get_rng_state()
    for spec in SPECS:
        run_alone(
            sample_canvas(BASE, None, Canvas(prompt=(7,), seed=1, begin=None, size=None), 0, spec), BASE.model
        )
    assert torch.equal(torch.random.get_rng_state(), before)


def test_a_sampler_on_a_snapshot_does_not_follow_later_training() -> None:
    adapter = trained_adapter()
    canvas = Canvas(prompt=(7, 8), seed=3, begin=None, size=None)
    _, wanted = run_alone(sample_canvas(BASE, adapter, canvas, 0, SPECS[0]), BASE.model)
    work = sample_canvas(BASE, adapter.snapshot(), canvas, 0, SPECS[0])
    with torch.no_grad():
        for parameter in adapter.parameters.values():
            parameter.normal_(0, 1)
    assert run_alone(work, BASE.model)[1] == wanted
    assert run_alone(sample_canvas(BASE, adapter, canvas, 0, SPECS[0]), BASE.model)[1] != wanted


def test_a_cancelled_run_computes_nothing_more() -> None:
    work = sample_canvas(BASE, None, Canvas(prompt=(7,), seed=1, begin=None, size=None), 0, SPECS[0])
    next(work)
    work.close()
    with pytest.raises(StopIteration):
        next(work)


@pytest.mark.parametrize(
    ("prompt", "tokens", "kind", "option"),
    [
        ((VOCAB_SIZE,), 4, "refine", "prompt"),
        ((-1,), 4, "refine", "prompt"),
        ((1,) * 90, 7, "refine", "answerTokens"),
        ((1,) * 96, 1, "refine", "prompt"),
        ((), 4, "ar", "prompt"),
    ],
)
def test_a_canvas_that_the_base_cannot_hold_is_refused_before_any_work(
    prompt: tuple[int, ...], tokens: int, kind: str, option: str
) -> None:
    with pytest.raises(LadError) as raised:
        check_canvas(
            BASE,
            Canvas(prompt=prompt, seed=1, begin=None, size=None),
            sampling_spec(policy=POLICY_BUILDERS[kind](), answer_tokens=tokens),
        )
    assert raised.value.option == option


def test_a_canvas_without_a_prompt_can_be_denoised() -> None:
    _, answer = run_alone(
        sample_canvas(BASE, None, Canvas(prompt=(), seed=1, begin=None, size=None), 0, SPECS[0]), BASE.model
    )
    assert len(answer.canvas_ids) == SPECS[0].answer_tokens
