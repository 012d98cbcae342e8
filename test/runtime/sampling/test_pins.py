"""Answers that begin from a draft, pins that nothing touches, and runs that go on from a frame."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lad_runtime.errors import LadError
from lad_runtime.method.policies.policy import DenoisingPolicy
from lad_runtime.method.random import CanvasKey
from lad_runtime.torch_backend.model.segment import Segment
from lad_runtime.torch_backend.sampling.sampler import check_canvas, sample_canvas
from lad_runtime.types.sampling import AnswerEvent, Canvas, FrameEvent, SamplingSpec
from lad_runtime.types.sampling_state import MAX_COUNT, MAX_MEMORY, SamplingState
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
    small_base,
    trained_adapter,
)
from sampling_specs import POLICY_BUILDERS, ar_policy, draw_spec, refine_policy, remask_policy, sampling_spec

BASE = small_base()
ADAPTER = trained_adapter()
PROMPT = (7, 8, 9)

DENOISING = {kind: build for kind, build in POLICY_BUILDERS.items() if isinstance(build(), DenoisingPolicy)}
"""By name; a new policy is tested as well."""

Places = Sequence[tuple[int, str]]
"""A token for each position, and whether it is `masked`, a `draft` or `pinned`."""

places = st.lists(
    st.tuples(st.integers(0, VOCAB_SIZE - 1), st.sampled_from(["masked", "draft", "pinned"])),
    min_size=1,
    max_size=16,
)


def beginning(of: Places) -> SamplingState:
    masked = tuple(kind == "masked" for _, kind in of)
    return replace(
        SamplingState.all_masked(len(of), MASK_ID),
        ids=tuple(MASK_ID if kind == "masked" else token for token, kind in of),
        masked=masked,
        pinned=tuple(kind == "pinned" for _, kind in of),
        confidences=tuple(0.0 if is_masked else 1.0 for is_masked in masked),
    )


def spec_of(kind: str, tokens: int, iterations: int = 5, **options: Any) -> SamplingSpec:
    own = {"anneal": False} if kind == "entropy-bound" else {}  # the draw's temperature, not the policy's
    policy = DENOISING[kind](iterations=iterations, **own)
    return sampling_spec(policy=policy, answer_tokens=tokens, draw=draw_spec(temperature=0.9), **options)


def canvas_from(begin: SamplingState | None, seed: int | None = 3) -> Canvas:
    return Canvas(prompt=PROMPT, seed=seed, begin=begin, size=None)


def run(canvas: Canvas, spec: SamplingSpec, answer: Any = None) -> tuple[list[FrameEvent], AnswerEvent]:
    check_canvas(BASE, canvas, spec)
    if answer is not None:
        frames, outcome, _ = run_work(sample_canvas(BASE, None, canvas, 2, spec), answer)
    else:
        frames, outcome = run_alone(sample_canvas(BASE, ADAPTER, canvas, 2, spec), BASE.model)
    return frames, answered(outcome)


@pytest.mark.parametrize("kind", DENOISING)
@settings(deadline=None, max_examples=40)
@given(of=places, seed=st.integers(0, 999))
def test_no_policy_touches_a_pin(kind: str, of: Places, seed: int) -> None:
    begin = beginning(of)
    pins = {position: token for position, (token, place) in enumerate(of) if place == "pinned"}
    canvas = canvas_from(begin, seed)
    frames, outcome, requests = run_work(
        sample_canvas(BASE, None, canvas, 0, spec_of(kind, len(of))), random_logits(seed)
    )
    answer = answered(outcome)
    for request in requests:
        shown = request.segments[0].ids[len(PROMPT) :].tolist()
        assert {position: shown[position] for position in pins} == pins
        assert not {row - len(PROMPT) for row in request.rows[0].tolist()} & pins.keys()
    for frame in frames:
        assert {position: frame.answer[position] for position in pins} == pins
        assert not {edit.position for edit in frame.edits} & pins.keys()
        assert frame.state is not None and frame.state.pinned == begin.pinned
    assert {position: answer.canvas_ids[position] for position in pins} == pins
    assert answer.pinned == tuple(pins)


@pytest.mark.parametrize("kind", DENOISING)
def test_behind_a_draft_that_is_shorter_than_its_canvas_stands_mask(kind: str) -> None:
    draft = [(20, "draft"), (0, "masked"), (21, "pinned")]
    whole = beginning([*draft, *[(0, "masked")] * 5])
    assert run(canvas_from(beginning(draft)), spec_of(kind, 8)) == run(canvas_from(whole), spec_of(kind, 8))


@pytest.mark.parametrize("kind", DENOISING)
def test_a_policy_sees_the_open_positions_as_if_they_were_the_answer(kind: str) -> None:
    """A model whose logits depend on a position's rank among the open ones gives the answer of a canvas without the pins."""
    tokens, pinned = 14, {0, 3, 4, 9, 13}
    ranks = [p for p in range(tokens) if p not in pinned]

    def model(places_of: Sequence[int]) -> Callable[[Segment, torch.Tensor], torch.Tensor]:
        def answer(segment: Segment, rows: torch.Tensor) -> torch.Tensor:
            shown = segment.ids[len(PROMPT) :][list(places_of)]
            generator = torch.Generator().manual_seed(int(shown.sum()))
            logits_NV = torch.randint(-32, 32, (len(places_of), VOCAB_SIZE), generator=generator) / 8.0
            logits_NV[:, EOS_ID] = -100
            return torch.stack([logits_NV[places_of.index(row - len(PROMPT))] for row in rows.tolist()])

        return answer

    spec = replace(spec_of(kind, tokens), draw=draw_spec())
    begin = beginning([(30, "pinned" if p in pinned else "masked") for p in range(tokens)])
    frames, with_pins = run(canvas_from(begin), spec, model(ranks))
    short = replace(spec, answer_tokens=len(ranks))
    plain_frames, plain = run(canvas_from(None), short, model(range(len(ranks))))
    assert [with_pins.canvas_ids[p] for p in ranks] == list(plain.canvas_ids)
    assert [frame.masked for frame in frames] == [frame.masked for frame in plain_frames]
    assert [[edit.position for edit in frame.edits] for frame in frames] == [
        [ranks[edit.position] for edit in frame.edits] for frame in plain_frames
    ]


@pytest.mark.parametrize("kind", DENOISING)
def test_no_stop_token_comes_before_the_last_pin(kind: str) -> None:
    def ends_at_once(segment: Segment, rows: torch.Tensor) -> torch.Tensor:
        return peaked([EOS_ID] * len(rows)) + peaked([20] * len(rows), height=4.0)

    begin = beginning([(1, "masked"), (30, "pinned"), (1, "masked"), (31, "pinned"), *[(1, "masked")] * 2])
    _, answer = run(canvas_from(begin), replace(spec_of(kind, 6), draw=draw_spec()), ends_at_once)
    assert answer.canvas_ids == (20, 30, 20, 31, EOS_ID, EOS_ID)
    begin = beginning([(1, "masked"), (EOS_ID, "pinned")])
    _, answer = run(canvas_from(begin), replace(spec_of(kind, 2), draw=draw_spec()), ends_at_once)
    assert answer.canvas_ids == (EOS_ID, EOS_ID)


def test_an_answer_that_is_pinned_whole_takes_no_forward() -> None:
    for kind in DENOISING:
        begin = beginning([(20, "pinned"), (EOS_ID, "pinned")])
        frames, answer = run(canvas_from(begin), spec_of(kind, 2))
        assert (frames, answer.ids, answer.iterations, answer.stopped) == ([], (20,), 0, "settled")


def test_a_draft_is_what_the_first_forward_sees() -> None:
    of = [(20, "draft"), (21, "draft"), (1, "masked")]
    canvas = canvas_from(beginning(of))
    work = sample_canvas(BASE, None, canvas, 0, sampling_spec(policy=refine_policy(), answer_tokens=3))
    _, _, requests = run_work(work, random_logits(1))
    assert requests[0].segments[0].ids.tolist() == [*PROMPT, 20, 21, MASK_ID]
    assert len(requests[0].rows[0]) == 3


def test_a_masked_position_shows_mask_whatever_its_state_has_there() -> None:
    begin = replace(beginning([(1, "masked"), (20, "draft")]), ids=(33, 20))
    work = sample_canvas(BASE, None, canvas_from(begin), 0, spec_of("refine", 2))
    _, _, requests = run_work(work, random_logits(1))
    assert requests[0].segments[0].ids.tolist() == [*PROMPT, MASK_ID, 20]


def test_a_policy_that_changes_no_visible_token_holds_a_draft_as_pinned() -> None:
    for kind, build in DENOISING.items():
        if build().changes_visible:
            continue
        _, answer = run(
            canvas_from(beginning([(20, "draft"), (1, "masked"), (21, "draft")])), spec_of(kind, 3)
        )
        assert (answer.canvas_ids[0], answer.canvas_ids[2]) == (20, 21)
        assert answer.pinned == ()


@pytest.mark.parametrize("kind", DENOISING)
@settings(deadline=None, max_examples=8)
@given(several=st.lists(places, min_size=2, max_size=5), seed=st.integers(0, 99))
def test_canvases_with_pins_give_the_same_answers_in_any_company(
    kind: str, several: Sequence[Places], seed: int
) -> None:
    canvases = [canvas_from(beginning(of), seed + n) for n, of in enumerate(several)]
    specs = [spec_of(kind, len(of)) for of in several]
    works = [
        sample_canvas(BASE, ADAPTER, canvas, 0, spec) for canvas, spec in zip(canvases, specs, strict=True)
    ]
    frames, outcomes = run_together(works, BASE.model)
    for n, (canvas, spec) in enumerate(zip(canvases, specs, strict=True)):
        alone = run_alone(sample_canvas(BASE, ADAPTER, canvas, 0, spec), BASE.model)
        assert (frames[n], outcomes[n]) == alone


LONG = {"answer_tokens": 11, "canvas_tokens": 4}
RESUMED: dict[str, SamplingSpec] = {
    **{kind: spec_of(kind, 9, iterations=6) for kind in DENOISING},
    **{f"{kind}, canvas by canvas": replace(spec_of(kind, 9), **LONG) for kind in DENOISING},
    "remask, growing": sampling_spec(
        policy=remask_policy(iterations=6, grow_tokens=3), answer_tokens=11, draw=draw_spec(temperature=0.9)
    ),
    "refine, growing, MASK allowed": sampling_spec(
        policy=refine_policy(iterations=6, grow_tokens=4),
        answer_tokens=10,
        draw=draw_spec(temperature=2.0, allow_mask=True),
    ),
    "remask, locked, canvas by canvas behind a prompt of its own": sampling_spec(
        policy=remask_policy(iterations=4, retention="locked", schedule="linear"),
        attention="prefix",
        **LONG,
    ),
    "remask, editable, by confidence": sampling_spec(
        policy=remask_policy(iterations=5, retention="editable", positions="confidence"), answer_tokens=9
    ),
}


@pytest.mark.parametrize("name", RESUMED)
def test_a_run_goes_on_from_every_frame_as_if_it_had_not_ended(name: str) -> None:
    spec = RESUMED[name]
    masks = [(1, "masked")] * (min(spec.most_at_once, spec.answer_tokens) - 2)
    some = beginning([(20, "pinned"), *masks, (21, "draft")])
    for begin in [None] if "growing" in name else [None, some]:
        frames, answer = run(canvas_from(begin, None), spec)
        assert len(frames) > 2
        for number, frame in enumerate(frames):
            rest, same = run(canvas_from(frame.state, 99), spec)
            assert rest == frames[number + 1 :]
            assert same == answer


def test_three_equal_answers_end_a_run_that_went_on_between_them() -> None:
    spec = sampling_spec(policy=refine_policy(iterations=9), answer_tokens=2)

    def same(segment: Segment, rows: torch.Tensor) -> torch.Tensor:
        return peaked([20] * len(rows))

    frames, _ = run(canvas_from(None), spec, same)
    rest, answer = run(canvas_from(frames[1].state), spec, same)
    assert (len(frames), len(rest), answer.stopped, answer.iterations) == (3, 1, "length", 3)


def test_an_edited_state_goes_on_with_what_was_written() -> None:
    spec = replace(spec_of("refine", 4), policy=refine_policy(iterations=5, early_stop=False))
    frames, answer = run(canvas_from(None), spec)
    state = frames[1].state
    assert state is not None
    edited = replace(state, ids=(33, *state.ids[1:]), pinned=(True, False, False, False))
    _, changed = run(canvas_from(edited), spec)
    assert changed.canvas_ids[0] == 33
    assert changed.pinned == (0,)
    assert changed.iterations == answer.iterations


edited = st.lists(
    st.tuples(st.integers(0, VOCAB_SIZE - 1), *[st.booleans()] * 3, st.integers(0, 2**32 - 1)),
    min_size=1,
    max_size=9,
)
"""Of each position: a token, whether it is masked, whether pinned, whether kept; and a number for the policy's memory."""


@pytest.mark.parametrize("kind", DENOISING)
@settings(deadline=None, max_examples=60)
@given(of=edited, block=st.integers(0, 3), iteration=st.integers(0, 4), memory=st.integers(0, 20))
def test_however_a_state_is_edited_its_answer_comes_to_an_end_without_a_mask(
    kind: str, of: Sequence[tuple[int, bool, bool, bool, int]], block: int, iteration: int, memory: int
) -> None:
    begin = replace(
        beginning([(token, "masked" if masked else "draft") for token, masked, *_ in of]),
        pinned=tuple(pinned and not masked for _, masked, pinned, *_ in of),
        kept=tuple(kept for *_, kept, _ in of),
        memory=tuple(number for *_, number in [*of, *of, *of])[:memory],
        iteration=iteration,
    )
    spec = spec_of(kind, len(of), iterations=9)
    if hasattr(spec.policy, "block_tokens"):
        spec = replace(spec, policy=replace(spec.policy, block_tokens=block))
    canvas = canvas_from(begin)
    try:
        check_canvas(BASE, canvas, spec)
    except LadError as error:
        assert error.option == "from.iteration"  # fewer open tokens take fewer iterations
        return
    _, outcome, _ = run_work(sample_canvas(BASE, None, canvas, 2, spec), random_logits(block))
    answer = answered(outcome).canvas_ids
    assert len(answer) == len(of)
    assert not any(masked and answer[p] == MASK_ID for p, (_, masked, *_) in enumerate(of))


def test_a_masked_position_is_sampled_even_where_its_state_says_that_it_is_kept() -> None:
    begin = replace(beginning([(20, "draft"), (1, "masked")]), kept=(True, True))
    policy = remask_policy(iterations=3, retention="locked")
    _, answer = run(canvas_from(begin), sampling_spec(policy=policy, answer_tokens=2), random_logits(1))
    assert answer.canvas_ids[0] == 20
    assert answer.canvas_ids[1] != MASK_ID


def test_counts_that_a_state_begins_with_stay_what_the_protocol_can_say() -> None:
    most = {"same": MAX_COUNT, "finished_iterations": MAX_COUNT, "forwards": MAX_COUNT}
    begin = replace(
        beginning([(20, "draft")] * 4), **{**most, "finished": 2, "sampled": (20,) * 4, "iteration": 1}
    )
    spec = sampling_spec(
        policy=refine_policy(iterations=3, early_stop=False), answer_tokens=6, canvas_tokens=2
    )
    frames, answer = run(canvas_from(begin), spec, lambda _, rows: peaked([20] * len(rows)))
    assert [frame.iteration for frame in frames] == [MAX_COUNT] * 5
    assert {(frame.state.forwards, frame.state.finished_iterations) for frame in frames if frame.state} == {
        (MAX_COUNT, MAX_COUNT)
    }
    assert answer.iterations == MAX_COUNT


STATE = beginning([(20, "pinned"), (1, "masked"), (21, "draft")])


@pytest.mark.parametrize(
    ("changes", "option"),
    [
        ({"ids": ()}, "from.ids"),
        ({"masked": (True,)}, "from.masked"),
        ({"masked": (True, True, True)}, "from.masked"),
        ({"pinned": (False,)}, "from.pinned"),
        ({"kept": ()}, "from.kept"),
        ({"confidences": (0.0, 0.0)}, "from.confidences"),
        ({"confidences": (0.0, 0.0, float("nan"))}, "from.confidences"),
        ({"confidences": (0.0, 0.0, 2.0)}, "from.confidences"),
        ({"memory": (-1,)}, "from.memory"),
        ({"memory": (2**32,)}, "from.memory"),
        ({"memory": (0,) * (3 + MAX_MEMORY + 1)}, "from.memory"),
        ({"sampled": (1, 2, 3, 4)}, "from.sampled"),
        ({"iteration": -1}, "from.iteration"),
        ({"finished": 3}, "from.finished"),
        ({"finished": 2}, "from.masked"),
    ],
)
def test_a_state_that_contradicts_itself_is_refused(changes: dict[str, Any], option: str) -> None:
    with pytest.raises(LadError) as raised:
        replace(STATE, **changes)
    assert raised.value.option == option


@pytest.mark.parametrize(
    ("changes", "options", "option"),
    [
        ({"sampled": (1, 2, 3)}, {"answer_tokens": 4}, "from.ids"),
        ({}, {"answer_tokens": 2}, "from.ids"),
        ({}, {"policy": ar_policy()}, "policy"),
        ({}, {"policy": refine_policy(grow_tokens=1)}, "policy.growTokens"),
        ({"ids": (VOCAB_SIZE, 1, 2)}, {}, "from.ids"),
        ({"sampled": (VOCAB_SIZE,)}, {}, "from.sampled"),
        ({"iteration": 32}, {}, "from.iteration"),
        ({"finished": 1}, {}, "from.finished"),
        ({"stopped": "settled"}, {}, "from.sampled"),
    ],
)
def test_a_state_that_the_run_cannot_have_is_refused_before_any_work(
    changes: dict[str, Any], options: dict[str, Any], option: str
) -> None:
    spec = sampling_spec(**{"policy": refine_policy(), "answer_tokens": 3, **options})
    with pytest.raises(LadError) as raised:
        check_canvas(BASE, canvas_from(replace(STATE, **changes)), spec)
    assert raised.value.option == option


def test_a_state_says_by_which_key_it_draws() -> None:
    key = CanvasKey(seed=4, canvas=2)
    assert canvas_from(replace(STATE, key=key), 9).key(1) == key
    assert canvas_from(STATE, 9).key(1) == CanvasKey(seed=9, canvas=0)
