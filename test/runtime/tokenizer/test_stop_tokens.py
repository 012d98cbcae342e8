"""Where an answer ends: the tokens that a folder names, the one that its template closes a turn with, and what decides by them."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from chatml_folder import CHATML, END, END_OF_TEXT, MASK, START, write_chatml
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.method.answer_state import AnswerState, Sampled
from lad_runtime.method.windows import prepare
from lad_runtime.torch_backend.forward.base import Base, load_base
from lad_runtime.torch_backend.sampling.draw import biased
from lad_runtime.torch_backend.sampling.sampler import sample_canvas
from lad_runtime.torch_backend.scoring.score import score
from lad_runtime.torch_backend.tokenizer.tokenizer_files import load_tokenizer
from lad_runtime.types.data import Example, Message
from lad_runtime.types.evaluation import CausalLikelihood, ScoreItem, ScoreTask
from lad_runtime.types.sampling import Canvas
from method_specs import window_spec
from sampling_helpers import run_alone, run_work
from sampling_specs import (
    answer_canvas,
    ar_policy,
    draw_spec,
    llada_policy,
    refine_policy,
    remask_policy,
    sampling_spec,
)
from type_specs import base_spec

STOPS = (END, END_OF_TEXT)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_chatml(tmp_path)


@pytest.fixture
def base(folder: Path) -> Base:
    return load_base(base_spec(name=str(folder)), "cpu", lambda event: None)


def certain_of(base: Base, answers: list[list[int]], prompt: int):
    """A model that is certain of answers[i] in its i-th forward, whatever rows it is asked for."""
    forwards = iter(answers)

    def answer(segment, rows):
        tokens = next(forwards)
        logits_RV = torch.zeros(len(rows), base.info.vocab_size)
        for row, position in enumerate(rows.tolist()):
            logits_RV[row, tokens[position - prompt] if len(rows) > 1 else tokens[0]] = 9.0
        return logits_RV

    return answer


# --- which tokens they are ----------------------------------------------------------------------------------------------


def test_an_answer_ends_with_what_the_template_closes_a_turn_with_and_at_all_that_the_files_name(
    base: Base,
) -> None:
    info = base.info
    assert (info.eos_token, info.eos_token_id) == ("<|im_end|>", END)
    assert (info.stop_tokens, info.stop_token_ids) == (("<|im_end|>", "<|endoftext|>"), STOPS)


@pytest.mark.parametrize("name", ["stub", "tiny"])
def test_a_base_whose_files_agree_has_one_stop_token(name: str) -> None:
    info = load_base(base_spec(name=name), "cpu", lambda event: None).info
    assert info.stop_token_ids == (info.eos_token_id,)


@pytest.mark.parametrize("listed", [2, [2], [0, 2], [True, -1, "2", 2**40, 999, 2]])
def test_a_number_or_a_list_of_generation_config_counts_and_what_is_no_token_does_not(
    folder: Path, listed: object
) -> None:
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": listed}))
    assert sorted(id for _, id in load_tokenizer(folder).stop_tokens) == [END_OF_TEXT, END]


def test_a_default_id_that_means_ordinary_text_ends_no_answer_and_is_told(folder: Path) -> None:
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": 40}))
    base = load_base(base_spec(name=str(folder)), "cpu", lambda event: None)
    assert base.info.stop_token_ids == STOPS
    (warning,) = base.info.warnings
    assert json.dumps(base.tokenizer.decode([40])) in warning and "ordinary text" in warning


CLOSED = "{% for m in messages %}{{ '<|im_start|>' + m.role + ' ' + m.content | trim + CLOSE }}{% endfor %}"


@pytest.mark.parametrize(
    ("template", "end"),
    [
        (CHATML, "<|im_end|>"),
        (CLOSED.replace("CLOSE", "'\n<|im_end|>\n'"), "<|im_end|>"),
        (CLOSED.replace("CLOSE", "eos_token"), "<|endoftext|>"),
        (CLOSED.replace("CLOSE", "''"), "<|endoftext|>"),
        (CLOSED.replace("CLOSE", "' end <|im_end|>'"), "<|endoftext|>"),
        (CLOSED.replace("CLOSE", "''") + "<|im_start|>", "<|endoftext|>"),
        ("{% for m in messages %}{{ m.content }}<|im_end|>{% endfor %}", "<|im_end|>"),
        ("{{ raise_exception('no') }}", "<|endoftext|>"),
        ("{{ messages | length }}", "<|endoftext|>"),
        ("{% for m in messages %}{{ m.content }}<think>{% endfor %}", "<|endoftext|>"),
    ],
)
def test_the_end_is_the_special_token_behind_the_assistants_words_else_the_tokenizers_own(
    folder: Path, template: str, end: str
) -> None:
    assert load_tokenizer(folder, chat_template=template).eos_token == end


def test_a_token_that_only_the_files_call_special_can_close_a_turn(folder: Path) -> None:
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": [END_OF_TEXT, 4]}))
    template = "{% for m in messages %}{{ m.content }}<think>{% endfor %}"
    assert load_tokenizer(folder, chat_template=template).eos_token == "<think>"


def test_a_template_that_names_its_end_is_enough(folder: Path) -> None:
    for name in ("tokenizer_config.json", "generation_config.json", "config.json"):
        values = json.loads((folder / name).read_text())
        (folder / name).write_text(json.dumps({k: v for k, v in values.items() if not k.startswith("eos")}))
    assert load_tokenizer(folder).stop_tokens == (("<|im_end|>", END),)


def test_no_stop_token_can_be_the_mask(folder: Path) -> None:
    for stop in ("<|im_end|>", "<|endoftext|>"):
        with pytest.raises(LadError, match="ends an answer") as caught:
            load_tokenizer(folder, mask_token=stop)
        assert (caught.value.code, caught.value.option) == (ErrorCode.INVALID_OPTION, "maskToken")


# --- what is written --------------------------------------------------------------------------------------------------


def talk(*contents: str) -> Example:
    roles = ("user", "assistant")
    return Example(
        id=0, messages=tuple(Message(role=roles[i % 2], content=c) for i, c in enumerate(contents))
    )


def test_training_answers_end_as_the_template_ends_them_and_their_tail_is_of_the_same(base: Base) -> None:
    spec = window_spec(window=64)
    (window,), report = prepare([talk("hi", "yo")], spec, base.tokenizer, base.info)
    answered = [token for token, is_answer in zip(window.ids, window.answer, strict=True) if is_answer]
    yo = base.tokenizer.encode("yo")
    assert answered == [*yo, *[END] * (len(answered) - 2)]
    assert END_OF_TEXT not in window.ids
    assert (report.end_token, report.end_token_id) == ("<|im_end|>", END)


@pytest.mark.parametrize("space", ["", "\n", " "])
def test_what_closes_a_turn_stands_once_behind_every_answer(folder: Path, space: str) -> None:
    template = CHATML.replace("<|im_end|>", f"{space}<|im_end|>")
    tokenizer = load_tokenizer(folder, chat_template=template)
    spec = window_spec(window=200, supervise="all-assistant", pad_to_window=False)
    info = load_base(base_spec(name=str(folder)), "cpu", lambda event: None).info
    (window,), _ = prepare([talk("a", "b", "c", "d")], spec, tokenizer, info)
    text = tokenizer.decode(window.ids, skip_special=False)
    turn = f"<|im_start|>user\n{{}}{space}<|im_end|>\n<|im_start|>assistant\n{{}}<|im_end|>"
    assert text == turn.format("a", "b") + "\n" + turn.format("c", "d")
    assert window.ids.count(START) == window.ids.count(END) == 4


# --- where an answer ends ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stop", STOPS)
def test_the_autoregressive_baseline_stops_at_any_of_them(base: Base, stop: int) -> None:
    spec = sampling_spec(policy=ar_policy(), answer_tokens=6)
    work = sample_canvas(base, None, Canvas(prompt=(START, 7), seed=0, begin=None, size=None), 0, spec)
    _, answer, _ = run_work(work, certain_of(base, [[20], [21], [stop], [22]], prompt=0))
    assert (answer.ids, answer.canvas_ids, answer.stopped) == ((20, 21), (20, 21, stop), "eos")


@pytest.mark.parametrize("stop", STOPS)
def test_an_answer_ends_before_the_first_of_them_and_no_canvas_follows_it(base: Base, stop: int) -> None:
    spec = sampling_spec(
        policy=refine_policy(iterations=1), answer_tokens=8, canvas_tokens=4, attention="full"
    )
    work = sample_canvas(base, None, Canvas(prompt=(START, 7), seed=0, begin=None, size=None), 0, spec)
    _, answer, _ = run_work(work, certain_of(base, [[20, stop, 21, END]], prompt=2))
    assert (answer.ids, answer.canvas_ids) == ((20,), (20, stop, 21, END))


@pytest.mark.parametrize("stop", STOPS)
def test_a_score_counts_up_to_and_with_the_first_of_them(base: Base, stop: int) -> None:
    item = ScoreItem(prompt=(START,), continuation=(20, stop, 21, END, END_OF_TEXT), key=0)
    _, (scored,) = run_alone(
        score(base, None, ScoreTask(items=(item,), mode="causal", likelihood=CausalLikelihood())), base.model
    )
    assert len(scored.token_log_likelihoods) == 2


def test_the_bias_is_added_to_all_of_them() -> None:
    logits_RV = torch.arange(12.0).view(2, 6)
    tokens = answer_canvas(1, stop_token_ids=(4, 1))
    spec = draw_spec(eos_bias=-2.5, allow_mask=True)
    moved = biased(logits_RV, spec, tokens) - logits_RV
    assert moved.tolist() == [[0.0, -2.5, 0.0, 0.0, -2.5, 0.0]] * 2
    assert biased(logits_RV, replace(spec, eos_bias=float("-inf")), tokens).isinf().sum() == 4


def sampled_as(ids: list[int]) -> tuple[AnswerState, Sampled]:
    state = AnswerState.all_masked(len(ids), MASK)
    return state, replace(
        Sampled.nothing(state), ids_N=np.array(ids), confidences_N=np.linspace(0.9, 0.5, len(ids))
    )


def test_remasking_by_confidence_takes_them_and_others_in_proportion() -> None:
    state, sampled = sampled_as([20, END, 21, END_OF_TEXT, 22, END, 23, END_OF_TEXT])
    spec = remask_policy(positions="confidence", iterations=4)
    policy = spec.denoising(answer_canvas(8, seed=1, mask_token_id=MASK, stop_token_ids=STOPS))
    chosen_N = policy.choose(state, sampled, 4, 0)
    assert (chosen_N[1::2].sum(), chosen_N[::2].sum()) == (2, 2)


def test_lladas_confidence_of_any_of_them_can_be_switched_off() -> None:
    state, sampled = sampled_as([END, END_OF_TEXT, 20, 21])
    spec = llada_policy(eos_confidence_off=True, iterations=2)
    policy = spec.denoising(answer_canvas(4, stop_token_ids=STOPS))
    assert policy.choose(state, sampled, 2, 0).tolist() == [False, False, True, True]


def test_a_base_that_may_not_end_draws_none_of_them(base: Base) -> None:
    draw = draw_spec(eos_bias=float("-inf"), temperature=1.0)
    spec = sampling_spec(policy=ar_policy(), answer_tokens=40, draw=draw)
    _, answer = run_alone(
        sample_canvas(base, None, Canvas(prompt=(START,), seed=3, begin=None, size=None), 0, spec), base.model
    )
    assert len(answer.ids) == 40 and not set(answer.ids) & set(STOPS)
