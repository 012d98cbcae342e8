"""Stop strings: an answer with them is the answer without them, cut where the first one is complete; it takes fewer forwards."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lad_runtime.errors import LadError
from lad_runtime.method.answer_end import cut_at_stop, first_stop_string, holds_stop_string
from lad_runtime.torch_backend.sampling.sampler import sample_canvas
from lad_runtime.types.sampling import AnswerEvent, Canvas, FrameEvent, SamplingSpec
from lad_runtime.types.sampling_state import SamplingState
from sampling_helpers import (
    MASK_ID,
    answered,
    run_alone,
    run_together,
    run_work,
    scripted,
    small_base,
    trained_adapter,
)
from sampling_specs import POLICY_BUILDERS, draw_spec, llada_policy, remask_policy, sampling_spec

BASE = small_base()
ADAPTER = trained_adapter()
PROMPT = (11, 3, 30, 4, 17)
TOKENS = 12

BLOCKS: dict[str, dict[str, Any]] = {"llada": {"block_tokens": 2}, "threshold": {"block_tokens": 2}}
"""Options under which a policy has final tokens early."""


def spec_of(kind: str, **options: Any) -> SamplingSpec:
    build = POLICY_BUILDERS[kind]
    own = {} if kind in ("ar", "speculative") else {"iterations": TOKENS, **BLOCKS.get(kind, {})}
    common = {"answer_tokens": TOKENS, "attention": "causal-prefix", "draw": draw_spec(temperature=0.9)}
    return sampling_spec(**{"policy": build(**own), **common, **options})


def work_of(spec: SamplingSpec, seed: int = 3, begin: SamplingState | None = None, index: int = 0) -> Any:
    adapter = None if spec.policy.kind == "ar" else ADAPTER
    return sample_canvas(BASE, adapter, Canvas(prompt=PROMPT, seed=seed, begin=begin, size=None), index, spec)


def run(spec: SamplingSpec, seed: int = 3) -> tuple[list[FrameEvent], AnswerEvent]:
    frames, outcome = run_alone(work_of(spec, seed), BASE.model)
    return frames, answered(outcome)


def plainly_cut(text: str, stop: Sequence[str]) -> tuple[str, str | None]:
    """The text letter by letter, until it ends in one of the strings; of several in the longest."""
    for end in range(len(text) + 1):
        ending = [string for string in stop if text[:end].endswith(string)]
        if ending:
            longest = max(ending, key=len)
            return text[: end - len(longest)], longest
    return text, None


def utf8(ids: Sequence[int]) -> str:
    """A tokenizer whose tokens are bytes."""
    return bytes(ids).decode("utf-8", "replace")


@pytest.mark.parametrize("kind", POLICY_BUILDERS)
@pytest.mark.parametrize("canvas_tokens", [0, 5])
@settings(deadline=None, max_examples=6)
@given(data=st.data(), seed=st.integers(0, 999))
def test_an_answer_is_the_one_without_stop_strings_up_to_the_first(
    kind: str, canvas_tokens: int, data: st.DataObject, seed: int
) -> None:
    spec = spec_of(kind, canvas_tokens=canvas_tokens)
    _, whole = run(spec, seed)
    places = st.integers(0, max(0, len(whole.text) - 1))
    parts = st.lists(st.tuples(places, st.integers(1, 7)), min_size=1, max_size=3)
    stop = tuple(whole.text[at : at + length] for at, length in data.draw(parts)) if whole.text else ("0",)
    frames, answer = run(replace(spec, stop=(*stop, "absent")), seed)
    text, ending = plainly_cut(whole.text, stop)
    assert (answer.text, answer.stop) == (text, ending)
    assert answer.stopped == ("stop" if ending is not None else whole.stopped)
    assert answer.ids == whole.ids[: len(answer.ids)]
    decode = BASE.tokenizer.decode
    assert decode(answer.ids).startswith(text) and not decode(answer.ids[:-1]).startswith(text or "none")
    assert answer.iterations == (len(frames) if kind != "speculative" else answer.iterations)
    assert answer.iterations <= whole.iterations


@pytest.mark.parametrize("kind", ["ar", "speculative"])
def test_from_left_to_right_nothing_is_computed_behind_the_token_that_completes_the_string(kind: str) -> None:
    spec = spec_of(kind, draw=draw_spec(eos_bias=-9.0))
    _, whole = run(spec)
    stop = BASE.tokenizer.decode(whole.canvas_ids[3:5])
    frames, answer = run(replace(spec, stop=(stop,)))
    assert answer.stop == stop and answer.canvas_ids == whole.canvas_ids[:5]
    assert tuple(edit.new for frame in frames for edit in frame.edits) == answer.canvas_ids
    assert answer.iterations < whole.iterations
    if kind == "ar":
        assert answer.iterations == 5
    else:
        assert answer.speculation is not None and answer.speculation.accepted <= len(answer.canvas_ids)
        assert run(replace(spec_of("ar"), draw=spec.draw, stop=(stop,)))[1].canvas_ids == answer.canvas_ids


@pytest.mark.parametrize("seed", range(4))
def test_a_round_decides_nothing_behind_the_token_that_completes_the_string(seed: int) -> None:
    spec = spec_of("speculative", draw=draw_spec(temperature=2.0, eos_bias=-9.0))
    _, whole = run(spec, seed)
    assert (
        whole.speculation is not None and whole.speculation.accepted > 0
    )  # some rounds decide several tokens
    for count in range(1, TOKENS):
        stop = BASE.tokenizer.decode(whole.canvas_ids[:count])
        frames, answer = run(replace(spec, stop=(stop,)), seed)
        assert (answer.canvas_ids, answer.text) == (whole.canvas_ids[:count], "")
        assert tuple(edit.new for frame in frames for edit in frame.edits) == answer.canvas_ids
        told = [frame.speculation.accepted for frame in frames if frame.speculation is not None]
        assert answer.speculation is not None and answer.speculation.accepted == sum(told) <= count


def test_a_string_in_a_finished_canvas_ends_the_answer_there() -> None:
    spec = spec_of("refine", canvas_tokens=3, draw=draw_spec(eos_bias=-9.0))
    _, whole = run(spec)
    stop = BASE.tokenizer.decode(whole.canvas_ids[2:4])  # from one canvas into the next
    _, answer = run(replace(spec, stop=(stop,)))
    assert answer.stop is not None and answer.canvas_ids == whole.canvas_ids[: len(answer.canvas_ids)]
    assert len(answer.canvas_ids) <= 6 and answer.iterations < whole.iterations


@pytest.mark.parametrize(
    "policy",
    [
        llada_policy(iterations=TOKENS, block_tokens=2),
        remask_policy(iterations=TOKENS, retention="locked", early_stop=False),
    ],
)
def test_a_string_in_what_is_final_ends_the_answer_and_a_frame_goes_on_to_the_same(policy: Any) -> None:
    spec = sampling_spec(policy=policy, answer_tokens=TOKENS)
    tokens = list(range(20, 20 + TOKENS))
    canvas = Canvas(prompt=PROMPT, seed=3, begin=None, size=None)
    stopped = replace(spec, stop=("20 21",))
    frames, whole, all_of_it = run_work(
        sample_canvas(BASE, None, canvas, 0, spec), scripted(len(PROMPT), [tokens])
    )
    frames, answer, requests = run_work(
        sample_canvas(BASE, None, canvas, 0, stopped), scripted(len(PROMPT), [tokens])
    )
    assert (answer.text, answer.ids, answer.stopped) == ("", (), "stop")
    assert len(requests) < len(all_of_it) and answer.iterations == len(requests) == len(frames)
    assert answer.canvas_ids[:2] == whole.canvas_ids[:2] and len(answer.canvas_ids) == TOKENS
    resumed = Canvas(prompt=PROMPT, seed=3, begin=frames[-1].state, size=None)
    again, same, none = run_work(
        sample_canvas(BASE, None, resumed, 0, stopped), scripted(len(PROMPT), [tokens])
    )
    assert (again, none) == ([], []) and same == answer


def test_a_string_in_pinned_tokens_ends_the_answer_before_any_forward() -> None:
    begin = replace(
        SamplingState.all_masked(TOKENS, MASK_ID),
        ids=(8, 9, *[MASK_ID] * (TOKENS - 2)),
        masked=(False, False, *[True] * (TOKENS - 2)),
        pinned=(True, True, *[False] * (TOKENS - 2)),
    )
    frames, outcome = run_alone(work_of(spec_of("refine", stop=(" 9",)), begin=begin), BASE.model)
    answer = answered(outcome)
    assert (frames, answer.text, answer.ids, answer.iterations) == ([], "8", (8,), 0)


@pytest.mark.parametrize("kind", POLICY_BUILDERS)
def test_in_company_every_answer_is_its_own(kind: str) -> None:
    spec = spec_of(kind, stop=("1", "22"), canvas_tokens=5)
    frames, together = run_together([work_of(spec, seed) for seed in range(4)], BASE.model)
    alone = [run(spec, seed) for seed in range(4)]
    assert list(zip(frames, together, strict=True)) == alone
    assert any(answer.stopped == "stop" for _, answer in alone)


@settings(deadline=None)
@given(text=st.text("abné中🦙", max_size=12), data=st.data())
def test_tokens_that_come_one_by_one_end_where_the_whole_text_does(text: str, data: st.DataObject) -> None:
    places = st.integers(0, max(0, len(text) - 1))
    parts = data.draw(st.lists(st.tuples(places, st.integers(1, 4)), max_size=3))
    stop = [text[at : at + length] for at, length in parts if text]
    ids = text.encode()
    counts = [count for count in range(len(ids) + 1) if holds_stop_string(ids[:count], stop, utf8)]
    cut = cut_at_stop(ids, stop, utf8)
    assert (cut.text, cut.stop) == plainly_cut(text, stop)
    assert utf8(cut.ids) == cut.text
    found = first_stop_string(text, stop)
    first = None if found is None else len(text[: found.end].encode())
    assert counts == ([] if first is None else list(range(first, len(ids) + 1)))


@pytest.mark.parametrize("stop", [("",), ("x" * 257,), ("x",) * 17])
def test_a_string_that_is_empty_or_too_long_and_too_many_are_refused_by_name(stop: tuple[str, ...]) -> None:
    with pytest.raises(LadError) as caught:
        spec_of("ar", stop=stop)
    assert caught.value.option in ("stop", "stop.length")
