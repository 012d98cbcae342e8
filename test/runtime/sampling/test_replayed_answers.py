"""Answers whose forwards are replayed: they are the computed ones, of every policy, in any company."""

import pytest
import torch

from lad_runtime.torch_backend.forward.base import Base
from lad_runtime.torch_backend.model.lora import LoraAdapter
from lad_runtime.torch_backend.model.replays import Replays
from lad_runtime.torch_backend.sampling.sampler import sample_canvas
from lad_runtime.types.sampling import AnswerEvent, Canvas, SamplingSpec
from sampling_helpers import run_together, small_base, trained_adapter
from sampling_specs import (
    POLICY_BUILDERS,
    ar_policy,
    draw_spec,
    llada_policy,
    refine_policy,
    remask_policy,
    sampling_spec,
)
from traced_recorder import TracedRecorder

PROMPTS = [(7, 8, 9), (11, 12, 13), (14, 15, 16, 17, 18)]
COMPUTING, ADAPTER = small_base(), trained_adapter()
CALM = draw_spec(temperature=0.7)


@pytest.fixture
def replaying() -> Base:
    base = small_base()
    base.model.replays = Replays(TracedRecorder())
    return base


def answers(
    base: Base, adapter: LoraAdapter | None, spec: SamplingSpec, prompts: list[tuple[int, ...]] = PROMPTS
) -> list[AnswerEvent]:
    works = [
        sample_canvas(base, adapter, Canvas(prompt=prompt, seed=n, begin=None, size=None), n, spec)
        for n, prompt in enumerate(prompts)
    ]
    return run_together(works, base.model)[1]


@pytest.mark.parametrize("attention", ["full", "prefix", "causal-prefix"])
@pytest.mark.parametrize("kind", sorted(POLICY_BUILDERS.keys() - {"ar", "speculative"}))
def test_every_policys_answers_are_the_computed_ones(replaying: Base, kind: str, attention: str) -> None:
    policy = POLICY_BUILDERS[kind](iterations=6)
    spec = sampling_spec(policy=policy, answer_tokens=10, attention=attention, draw=CALM)
    for _ in range(2):
        assert answers(replaying, ADAPTER, spec) == answers(COMPUTING, ADAPTER, spec)
    assert replaying.model.replays.replayed > 0


@pytest.mark.parametrize("attention", ["full", "causal-prefix"])
def test_an_answer_is_recorded_once_and_replayed_from_then_on(replaying: Base, attention: str) -> None:
    policy = refine_policy(iterations=32, early_stop=False)
    spec = sampling_spec(policy=policy, answer_tokens=12, attention=attention, draw=CALM)
    (answer,) = answers(replaying, ADAPTER, spec, PROMPTS[:1])
    assert answer.iterations == 32
    assert (replaying.model.replays.recorded, replaying.model.replays.replayed) == (1, 31)


def test_an_answer_of_as_long_a_prompt_needs_no_recording_of_its_own(replaying: Base) -> None:
    spec = sampling_spec(policy=remask_policy(iterations=4), answer_tokens=8)
    for prompt in PROMPTS[:2]:
        answers(replaying, ADAPTER, spec, [prompt])
    assert replaying.model.replays.recorded == 1


def test_what_is_decoded_from_left_to_right_beside_denoised_answers_is_computed(replaying: Base) -> None:
    decoded = sampling_spec(policy=ar_policy(), answer_tokens=6)
    denoised = sampling_spec(policy=llada_policy(iterations=12), answer_tokens=12)

    def both(base: Base) -> list[AnswerEvent]:
        works = [
            sample_canvas(base, adapter, Canvas(prompt=PROMPTS[0], seed=n, begin=None, size=None), n, spec)
            for n, (adapter, spec) in enumerate([(None, decoded), (ADAPTER, denoised)])
        ]
        return run_together(works, base.model)[1]

    assert both(replaying) == both(COMPUTING)
    assert replaying.model.replays.recorded == 1  # of what is denoised, once the other answer has ended


def test_training_between_two_answers_changes_the_second(replaying: Base) -> None:
    adapter = trained_adapter()
    spec = sampling_spec(policy=refine_policy(iterations=8, early_stop=False), answer_tokens=12, draw=CALM)
    first = answers(replaying, adapter, spec)
    assert answers(replaying, adapter, spec) == first
    with torch.no_grad():
        for parameter in adapter.parameters.values():
            parameter.mul_(3.0)
    second = answers(replaying, adapter, spec)
    assert second != first
    assert second == answers(COMPUTING, adapter, spec)
