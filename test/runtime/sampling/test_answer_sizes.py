"""Answers that fill the windows which their adapter was trained in."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lad_runtime.errors import LadError
from lad_runtime.torch_backend.adapters.checkpoint import CheckpointStore
from lad_runtime.torch_backend.adapters.trained_adapter import TrainedAdapter
from lad_runtime.torch_backend.sampling.needs import sampling_bytes
from lad_runtime.torch_backend.sampling.sampler import SAMPLING
from lad_runtime.torch_backend.task_kind import Setting
from lad_runtime.types.sampling import AnswerEvent, AnswerSize, Canvas, SampleTask, SamplingSpec
from sampling_helpers import answered, run_together, small_base, trained_adapter
from sampling_specs import POLICY_BUILDERS, llada_policy, remask_policy, sampling_spec, speculative_policy

BASE = small_base()
ADAPTER = TrainedAdapter(trained_adapter())
PROMPTS = [(7, 8, 9), (8, 9), (9, 10, 11, 12)]
WINDOW = 16
ADAPTED = [kind for kind in POLICY_BUILDERS if kind != "ar"]


def filling(**options: Any) -> SamplingSpec:
    """Settings of answers that fill their windows."""
    return sampling_spec(**{"answer_tokens": 0, "window_tokens": WINDOW, **options})


def task(prompt: tuple[int, ...], spec: SamplingSpec, index: int = 0) -> SampleTask:
    return SampleTask(canvas=Canvas(prompt=prompt, seed=3, begin=None, size=None), index=index, spec=spec)


def answers(tasks: list[SampleTask], tmp_path: Path) -> list[AnswerEvent]:
    at = Setting(base=BASE, adapter=ADAPTER, checkpoints=CheckpointStore(tmp_path), offloads=tmp_path)
    for each in tasks:
        SAMPLING.check(BASE, each)
    _, outcomes = run_together([SAMPLING.work(at, each) for each in tasks], BASE.model)
    return [answered(outcome) for outcome in outcomes]


@pytest.mark.parametrize("kind", ADAPTED)
def test_each_answer_is_that_of_the_length_which_its_prompt_leaves(kind: str, tmp_path: Path) -> None:
    spec = filling(policy=POLICY_BUILDERS[kind]())
    given = [replace(spec, answer_tokens=WINDOW - len(prompt), window_tokens=0) for prompt in PROMPTS]
    together = answers([task(prompt, spec, i) for i, prompt in enumerate(PROMPTS)], tmp_path)
    alone = [
        answers([task(prompt, one, i)], tmp_path)[0]
        for i, (prompt, one) in enumerate(zip(PROMPTS, given, strict=True))
    ]
    assert together == alone


def test_an_answer_is_as_long_as_was_asked_for_at_least() -> None:
    sizes = [task(prompt, filling(answer_tokens=13)).sized.answer_tokens for prompt in PROMPTS]
    assert sizes == [13, 14, 13]
    assert task(tuple(range(1, 20)), filling(answer_tokens=2)).sized.answer_tokens == 2


@pytest.mark.parametrize(
    "size", [AnswerSize(answer_tokens=5, window_tokens=0), AnswerSize(answer_tokens=2, window_tokens=11)]
)
def test_an_answer_of_a_size_of_its_own_is_what_it_is_in_a_run_of_that_size(
    size: AnswerSize, tmp_path: Path
) -> None:
    prompt, spec = PROMPTS[0], filling()
    own = replace(spec, answer_tokens=size.answer_tokens, window_tokens=size.window_tokens)
    sized = replace(task(prompt, spec, 1), canvas=Canvas(prompt=prompt, seed=3, begin=None, size=size))
    together = answers([task(prompt, spec), sized], tmp_path)
    assert together[1:] == answers([task(prompt, own, 1)], tmp_path)
    assert together[:1] == answers([task(prompt, spec)], tmp_path)
    assert sampling_bytes(BASE.model, [sized.canvas], spec) == sampling_bytes(
        BASE.model, [task(prompt, own).canvas], own
    )


def within(**options: Any) -> SamplingSpec:
    """Settings of answers of 13 tokens that have no more than their prompts leave of the window."""
    return sampling_spec(**{"answer_tokens": 13, "total_tokens": WINDOW, **options})


@pytest.mark.parametrize("kind", ADAPTED)
def test_an_answer_that_a_total_shortens_is_that_of_the_shorter_length(kind: str, tmp_path: Path) -> None:
    spec = within(policy=POLICY_BUILDERS[kind]())
    together = answers([task(prompt, spec, i) for i, prompt in enumerate(PROMPTS)], tmp_path)
    alone = [
        answers([task(prompt, replace(spec, answer_tokens=tokens, total_tokens=0), i)], tmp_path)[0]
        for i, (prompt, tokens) in enumerate(zip(PROMPTS, [13, 13, 12], strict=True))
    ]
    assert together == alone


def test_a_total_shortens_what_fills_a_window_and_no_answer_of_its_own_size() -> None:
    spec = filling(total_tokens=WINDOW - 4)
    assert [task(prompt, spec).sized.answer_tokens for prompt in PROMPTS] == [9, 10, 8]
    own = Canvas(prompt=PROMPTS[0], seed=3, begin=None, size=AnswerSize(answer_tokens=13, window_tokens=0))
    assert SampleTask(canvas=own, index=0, spec=within(total_tokens=8)).sized.answer_tokens == 13


def test_a_total_that_leaves_nothing_is_refused_by_name() -> None:
    with pytest.raises(LadError, match=r"totalTokens is 3: the prompt takes 3 tokens, and leaves none"):
        SAMPLING.check(BASE, task(PROMPTS[0], within(total_tokens=3)))


def test_a_prompt_that_leaves_nothing_is_refused_with_the_option_that_helps() -> None:
    with pytest.raises(LadError, match=r"answerTokens is left out: the prompt takes 16 tokens") as error:
        SAMPLING.check(BASE, task(tuple(range(1, 17)), filling()))
    assert "Give answerTokens" in error.value.remedy


def test_neither_a_length_nor_a_window_is_refused() -> None:
    with pytest.raises(LadError, match="answerTokens is 0"):
        filling(window_tokens=0)


def test_what_a_policy_asks_of_lengths_is_checked_by_prompt() -> None:
    spec = filling(policy=llada_policy(iterations=4, block_tokens=3))
    SAMPLING.check(BASE, task(PROMPTS[2], spec))
    with pytest.raises(LadError, match=r"5 blocks need at least one iteration each"):
        SAMPLING.check(BASE, task(PROMPTS[0], spec))


@pytest.mark.parametrize(
    "options", [{"policy": speculative_policy()}, {"policy": remask_policy(), "canvas_tokens": 4}]
)
def test_their_memory_is_that_of_their_lengths(options: dict[str, Any]) -> None:
    spec = filling(attention="causal-prefix", **options)
    canvases = [task(prompt, spec).canvas for prompt in PROMPTS]
    each = [
        sampling_bytes(BASE.model, [canvas], replace(spec, answer_tokens=WINDOW - size, window_tokens=0))
        for canvas, size in zip(canvases, map(len, PROMPTS), strict=True)
    ]
    assert sampling_bytes(BASE.model, canvases, spec) == sum(each)
