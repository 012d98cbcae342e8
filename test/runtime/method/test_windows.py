"""Examples to windows: prompt, answer, EOS and tail; what does not fit is counted."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import FakeTokenizer
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.method.windows import prepare
from lad_runtime.types.data import Example, Message
from method_specs import window_spec

TOKENIZER = FakeTokenizer()
EOS = TOKENIZER.eos_token_id
INFO = SimpleNamespace(name="fake", max_positions=200)


def chat(*contents, id=0):
    """user, assistant, user, assistant, …"""
    roles = ("user", "assistant")
    messages = tuple(Message(role=roles[i % 2], content=text) for i, text in enumerate(contents))
    return Example(id=id, messages=messages)


def windows(*examples, tokenizer=TOKENIZER, **options):
    return prepare(examples, window_spec(**{"window": 40, **options}), tokenizer, INFO)


def shown(example):
    """The window as text: prompt as it is, answers in brackets, the tail as dots."""
    text, inside = "", False
    for id, answer, tail in zip(example.ids, example.answer, example.tail, strict=True):
        if tail:
            text += "]." if inside else "."
            inside = False
            continue
        if answer != inside:
            text += "[" if answer else "]"
            inside = answer
        text += "$" if id == EOS else TOKENIZER.alphabet[id]
    return text + ("]" if inside else "")


def test_a_window_is_the_rendered_prompt_then_answer_and_eos_then_an_eos_tail():
    prepared, report = windows(chat("ab", "cd"))
    assert shown(prepared[0]) == "user:ab\nassistant:[cd$]" + "." * (40 - 21)
    assert prepared[0].ids[-1] == EOS
    assert (report.prompt_tokens, report.answer_tokens, report.tail_tokens) == (18, 3, 19)


def test_examples_that_all_have_weight_0_are_refused_by_name():
    with pytest.raises(LadError, match="weight of each of the 2 examples is 0") as refused:
        windows(*[replace(chat("ab", "cd"), weight=0.0)] * 2)
    assert refused.value.option == "weight"


def test_a_window_has_its_examples_weight():
    prepared, _ = windows(replace(chat("ab", "cd"), weight=0.5), chat("ab", "cd"))
    assert [example.weight for example in prepared] == [0.5, 1.0]


def test_without_padding_there_is_no_tail():
    prepared, report = windows(chat("ab", "cd"), pad_to_window=False)
    assert shown(prepared[0]) == "user:ab\nassistant:[cd$]"
    assert report.tail_tokens == 0


@given(
    pads=st.lists(st.sampled_from(TOKENIZER.alphabet), max_size=5),
    answers=st.lists(st.text("abc", max_size=9), min_size=1, max_size=4),
    length=st.integers(40, 60),
)
def test_pad_tokens_fill_the_tail_in_turn_and_change_nothing_else(pads, answers, length):
    examples = [chat("q", answer, id=number) for number, answer in enumerate(answers)]
    plain, plain_report = windows(*examples, window=length)
    padded, report = windows(*examples, window=length, pad_tokens=tuple(pads))
    assert report == plain_report
    cycle = [TOKENIZER.alphabet.index(pad) for pad in pads] or [EOS]
    for before, after in zip(plain, padded, strict=True):
        assert (after.id, after.answer, after.tail) == (before.id, before.answer, before.tail)
        own = before.tail.index(True)
        assert after.ids[:own] == before.ids[:own] and after.ids[own - 1] == EOS
        assert list(after.ids[own:]) == [cycle[i % len(cycle)] for i in range(length - own)]
    assert [window.ids for window in padded[1:]] == [window.ids for window in padded][1:]


def test_only_the_last_turn_is_an_answer_unless_all_are_asked_for():
    talk = chat("a", "b", "c", "d")
    assert shown(windows(talk, pad_to_window=False, window=60)[0][0]) == (
        "user:a\nassistant:b\nuser:c\nassistant:[d$]"
    )
    every = windows(talk, pad_to_window=False, window=60, supervise="all-assistant")[0][0]
    assert shown(every) == "user:a\nassistant:[b$]\nuser:c\nassistant:[d$]"


class StrippingTokenizer(FakeTokenizer):
    """Ends turns with EOS and strips their content, as the templates of Llama 3 do."""

    def render(self, messages, add_generation_prompt=True):
        lines = [f"{message.role}:{message.content.strip()}<eos>" for message in messages]
        return "".join(lines) + ("assistant:" if add_generation_prompt else "")

    def encode(self, text, add_special=False):
        pieces = text.split("<eos>")
        ids = super().encode(pieces[0])
        for piece in pieces[1:]:
            ids += [EOS, *super().encode(piece)]
        return ids


def test_the_eos_that_a_template_writes_after_an_answer_is_the_answers_own():
    every = windows(
        chat("a", " b ", "c", "d"),
        tokenizer=StrippingTokenizer(),
        pad_to_window=False,
        window=60,
        supervise="all-assistant",
    )[0][0]
    assert shown(every) == "user:a$assistant:[ b $]user:c$assistant:[d$]"


class RewritingTokenizer(FakeTokenizer):
    def render(self, messages, add_generation_prompt=True):
        return f"{len(messages)} {super().render(messages, add_generation_prompt)}"


def test_a_template_that_rewrites_earlier_turns_cannot_have_them_all_supervised():
    with pytest.raises(LadError, match="rewrites the earlier turns of example 7") as caught:
        windows(
            chat("a", "b", "c", "d", id=7),
            tokenizer=RewritingTokenizer(),
            window=99,
            supervise="all-assistant",
        )
    assert caught.value.code is ErrorCode.INVALID_DATA


LONG, SHORT = chat("ab", "c" * 30, id=1), chat("ab", "cd", id=2)


def test_what_does_not_fit_is_dropped_and_counted():
    prepared, report = windows(LONG, SHORT)
    assert [example.id for example in prepared] == [2]
    assert (report.examples, report.kept, report.dropped, report.truncated) == (2, 1, 1, 0)


def test_what_does_not_fit_can_be_an_error_that_names_example_and_sizes():
    with pytest.raises(
        LadError, match="Example 1 has 49 tokens, 18 of them prompt, and the window has 40"
    ) as caught:
        windows(SHORT, LONG, too_long="error")
    assert caught.value.code is ErrorCode.INVALID_DATA
    assert caught.value.option == "tooLong"


def test_a_truncated_answer_loses_its_end_and_so_its_eos():
    prepared, report = windows(LONG, SHORT, too_long="truncate")
    assert shown(prepared[0]) == "user:ab\nassistant:[" + "c" * 22 + "]"
    assert (report.kept, report.dropped, report.truncated) == (2, 0, 1)


def test_a_truncated_prompt_loses_its_beginning_until_half_of_the_window_is_the_answers():
    prepared, _ = windows(chat("a" * 50, "bcd"), too_long="truncate")
    assert shown(prepared[0]) == "a" * 25 + "\nassistant:[bcd$]"
    both, _ = windows(chat("a" * 50, "b" * 50), too_long="truncate")
    assert shown(both[0]) == "a" * 9 + "\nassistant:[" + "b" * 20 + "]"


def test_a_limit_on_prompts_counts_as_too_long_and_is_what_truncation_keeps():
    with pytest.raises(LadError, match="maxPromptTokens is 12"):
        windows(SHORT, max_prompt_tokens=12, too_long="error")
    prepared, report = windows(SHORT, max_prompt_tokens=12, too_long="truncate")
    assert shown(prepared[0]).startswith("b\nassistant:[cd$]")
    assert report.truncated == 1


def test_no_data_and_data_of_which_nothing_fits_are_errors():
    with pytest.raises(LadError, match="The data set is empty") as caught:
        windows()
    assert caught.value.code is ErrorCode.INVALID_DATA
    with pytest.raises(LadError, match="None of the 1 examples fits into a window of 40 tokens"):
        windows(LONG)


def test_an_example_has_to_end_with_an_answer():
    with pytest.raises(LadError, match="Example 5 does not end with the assistant's answer"):
        windows(chat("a", "b", "c", id=5))


def test_a_window_beyond_the_models_positions_is_refused():
    with pytest.raises(LadError, match="fake has 200 positions") as caught:
        windows(SHORT, window=201)
    assert caught.value.option == "windowTokens"


TEXT = st.text("abc ", max_size=30)


@given(
    st.lists(st.tuples(TEXT, TEXT), min_size=1, max_size=4),
    st.sampled_from(["drop", "truncate"]),
    st.sampled_from(["last", "all-assistant"]),
    st.booleans(),
    st.integers(0, 40),
)
def test_every_window_fits_and_every_example_is_counted(turns, too_long, supervise, pad, max_prompt):
    examples = [chat(*[text for turn in turns[: n + 1] for text in turn], id=n) for n in range(len(turns))]
    try:
        prepared, report = windows(
            *examples, too_long=too_long, supervise=supervise, pad_to_window=pad, max_prompt_tokens=max_prompt
        )
    except LadError as error:
        assert too_long == "drop" and error.code is ErrorCode.INVALID_DATA
        return
    assert report.examples == len(examples) == report.kept + report.dropped
    assert report.kept == len(prepared)
    totals = [0, 0, 0]
    for example in prepared:
        assert len(example.ids) == 40 if pad else len(example.ids) <= 40
        assert any(example.answer)
        assert all(answer for answer, tail in zip(example.answer, example.tail, strict=True) if tail)
        totals[0] += sum(not answer for answer in example.answer)
        totals[1] += sum(
            answer and not tail for answer, tail in zip(example.answer, example.tail, strict=True)
        )
        totals[2] += sum(example.tail)
    assert totals == [report.prompt_tokens, report.answer_tokens, report.tail_tokens]


def test_a_slice_of_a_data_set_reads_as_the_data_set_does():
    prepared, _ = windows(*[chat("a", "b" * n, id=n) for n in range(5)])
    assert [example.id for example in prepared[1:3]] == [1, 2]
    assert prepared[1:3][0] == prepared[1]
