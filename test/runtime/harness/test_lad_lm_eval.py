"""The model `lad` of lm-eval: what needs no worker. test/e2e/lm-eval.test.ts runs the harness through one."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lad_lm_eval.arguments import ModelArguments, token_from
from lad_lm_eval.generating import DEFAULTS, ended, sampling_spec, taken
from lad_lm_eval.windows import fitting, moved_spaces, rolling
from lad_runtime.gen.lad.v1 import sampling_pb2, training_pb2, worker_pb2


class FakeResident:
    def __init__(self, claims: worker_pb2.AdapterClaims | None = None) -> None:
        self.claims = claims


def arguments(**given: Any) -> ModelArguments:
    values = {
        "address": "unix:///w",
        "token": "t",
        "base": "stub",
        "adapter": "",
        "likelihood": "causal",
        "samples": 8,
        "policy": "remask",
        "answer_tokens": 0,
        "prefix_token": "",
        "seed": 0,
        "sampling": {},
    }
    return ModelArguments(**{**values, **given})


def spec(claims: worker_pb2.AdapterClaims | None = None, **given: Any) -> sampling_pb2.SamplingSpec:
    return sampling_spec(arguments(**given), FakeResident(claims))  # type: ignore[arg-type]


@pytest.mark.parametrize("policy", list(DEFAULTS))
def test_every_policy_has_complete_settings(policy: str) -> None:
    made = spec(policy=policy)
    assert made.policy.WhichOneof("kind") == policy.replace("-", "_")
    assert (made.draw.top_p, made.share_weight) == (1, 1)
    assert made.attention == training_pb2.AttentionMode.ATTENTION_MODE_FULL


def test_options_of_policy_and_draws_go_by_their_names() -> None:
    made = spec(sampling={"iterations": 7, "schedule": "linear", "temperature": 0.5, "early_stop": False})
    assert made.policy.remask.iterations == 7
    assert made.policy.remask.schedule == sampling_pb2.RemaskSchedule.REMASK_SCHEDULE_LINEAR
    assert (made.draw.temperature, made.policy.remask.early_stop) == (0.5, False)
    with pytest.raises(ValueError, match=r"iteration is 7: there is no such option\. Known are iterations"):
        spec(sampling={"iteration": 7})
    with pytest.raises(ValueError, match="schedule is never"):
        spec(sampling={"schedule": "never"})
    with pytest.raises(ValueError, match="policy is remsk: give one of remask"):
        spec(policy="remsk")


def test_an_adapter_is_sampled_as_it_was_trained() -> None:
    trained = worker_pb2.AdapterClaims(
        attention=training_pb2.AttentionMode.ATTENTION_MODE_CAUSAL_PREFIX,
        context="random-split",
        canvas_tokens=16,
    )
    made = spec(trained, policy="speculative")
    split = training_pb2.TrainingContext.TRAINING_CONTEXT_RANDOM_SPLIT
    assert (made.attention, made.context, made.canvas_tokens) == (trained.attention, split, 16)
    assert made.policy.speculative.decided == sampling_pb2.SpeculativeDecided.SPECULATIVE_DECIDED_PAST
    assert spec(trained, policy="ar").canvas_tokens == 0


def test_an_answer_ends_before_the_first_of_the_strings_that_end_it() -> None:
    assert ended("a b\nc", ("\n", "b")) == "a "
    assert ended("abc", ("", "x")) == "abc"


def test_a_run_takes_of_the_ending_strings_what_the_worker_does() -> None:
    assert taken(["", "\n\n", "x" * 257, "Question:"]) == ["\n\n", "Question:"]
    assert len(taken([str(number) for number in range(40)])) == 16


def test_spaces_at_a_contexts_end_belong_to_what_follows() -> None:
    assert moved_spaces("Answer: \n", "x") == ("Answer:", " \nx")
    assert moved_spaces("Answer:", " x") == ("Answer:", " x")


def test_a_prompt_loses_its_beginning_where_there_are_no_positions_for_it() -> None:
    assert fitting([1, 2, 3, 4], [5, 6], 5) == ([2, 3, 4], [5, 6])
    assert fitting([1, 2], [3], 5) == ([1, 2], [3])


@pytest.mark.parametrize("count", [1, 6, 7, 8, 23])
def test_every_token_of_a_long_text_is_scored_once_within_the_positions(count: int) -> None:
    ids = list(range(10, 10 + count))
    windows = list(rolling(ids, 1, 8))
    assert [token for window in windows for token in window.continuation] == ids
    assert list(windows[0].prompt) == [1]
    whole = [1, *ids]
    for prompt, continuation in windows:
        assert len(prompt) + len(continuation) <= 8
        end = whole.index(continuation[-1]) + 1
        assert whole[end - len(prompt) - len(continuation) : end] == [*prompt, *continuation]


def test_a_token_is_given_in_one_way(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret\n")
    assert token_from("", str(tmp_path / "token")) == "secret"
    for both in (("", ""), ("t", "f")):
        with pytest.raises(ValueError, match="token_file"):
            token_from(*both)
    with pytest.raises(ValueError, match="Neither base nor adapter"):
        arguments(base="")
    with pytest.raises(ValueError, match="likelihood is best: give one of causal"):
        arguments(likelihood="best")


def test_the_harness_knows_the_model_and_the_client_loads_no_torch() -> None:
    program = (
        "import sys, lad_lm_eval.connection, lad_lm_eval.generating, lad_lm_eval.arguments\n"
        "from lm_eval.api.registry import model_registry\n"
        "own = [name for name in sys.modules if name.startswith('lad_runtime.torch')]\n"
        "print('lad' in model_registry, 'hf' in model_registry, own, 'torch' in sys.modules)"
    )
    runtime = Path(__file__).parents[3] / "runtime"
    told = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(runtime), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == "True True [] False"
