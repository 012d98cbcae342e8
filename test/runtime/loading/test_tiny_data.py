"""The questions of the tiny base: exact answers, a clean split, short windows, and shipped files that the script draws again."""

import json
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from random import Random

import pytest
from tokenizers import Tokenizer

from lad_runtime.tiny.families import FAMILIES, Item
from lad_runtime.tiny.generate import DATA, draw, draw_balanced, main, split_of
from lad_runtime.tiny.vocabulary import EOS, MASK, VOCAB_SIZE, train_vocabulary
from lad_runtime.tiny.words import CAPITALS, CATEGORIES, OPPOSITE

WINDOW = 60
FILES = [f"{folder}{split}" for folder in ("", "stories/") for split in ("train", "heldout", "test")]


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return train_vocabulary()


def read(split: str) -> list[dict[str, str]]:
    return [json.loads(line) for line in (DATA / f"{split}.jsonl").read_text(encoding="utf-8").splitlines()]


def numbers(text: str) -> list[int]:
    return [int(number) for number in text.replace("+", " ").replace("-", " ").split() if number.isdigit()]


def missing_words(text: str) -> str:
    whole, holed = (part.split() for part in text.split("; "))
    return " ".join(word for word, shown in zip(whole, holed, strict=True) if shown == MASK)


def chosen(item: Item) -> str:
    kind = item.instruction.removesuffix("?").split()[-1]
    words = item.input.split()
    return next(
        f"{letter} {word} is a kind of {kind}."
        for letter, word in zip(words[::2], words[1::2], strict=True)
        if word in CATEGORIES[kind]
    )


def compared(item: Item) -> str:
    small, large = sorted(numbers(item.input))
    return (
        f"{large} is larger than {small}."
        if "larger" in item.instruction
        else f"{small} is smaller than {large}."
    )


def retold(text: str) -> str:
    rows = (row.split(", ") for row in text.split("; "))
    return " ".join(f"{name} is a {job} in {home} and likes {drink}." for name, job, home, drink in rows)


ANSWERS: dict[str, Callable[[Item], str]] = {
    "add": lambda item: str(sum(numbers(item.input))),
    "subtract": lambda item: str(numbers(item.input)[0] - numbers(item.input)[1]),
    "story": lambda item: f"{sum(numbers(item.input))} {item.input.split()[3]}",
    "sort": lambda item: " ".join(map(str, sorted(numbers(item.input)))),
    "sort-long": lambda item: " ".join(map(str, sorted(numbers(item.input)))),
    "reverse": lambda item: " ".join(reversed(item.input.split())),
    "compare": compared,
    "choice": chosen,
    "capitals": lambda item: " ".join(
        f"The capital of {country} is {CAPITALS[country]}." for country in item.input.split()
    ),
    "opposites": lambda item: " ".join(
        f"The opposite of {word} is {OPPOSITE[word]}." for word in item.input.split()
    ),
    "next": lambda item: str(2 * numbers(item.input)[-1] - numbers(item.input)[-2]),
    "blank": lambda item: missing_words(item.input),
    "retell": lambda item: retold(item.input),
    "count": lambda item: " ".join(
        str(numbers(item.input)[0] + i * numbers(item.input)[1]) for i in range(7)
    ),
}


@pytest.mark.parametrize("family", ANSWERS)
def test_answers_are_what_the_question_says(family: str) -> None:
    random = Random(7)
    for _ in range(300):
        item = FAMILIES[family](random)
        assert item.output == ANSWERS[family](item), item


def test_explained_sums_are_right_column_by_column() -> None:
    random = Random(7)
    for _ in range(300):
        item = FAMILIES["explain"](random)
        steps, result = item.output.split(" so ")
        for step in steps.split():
            left, right = step.split("=")
            assert sum(map(int, left.split("+"))) == int(right), item
        assert int(result) == sum(map(int, item.input.split("+"))), item


def test_every_family_is_checked() -> None:
    assert set(FAMILIES) == {*ANSWERS, "explain"}


def test_no_wording_of_a_held_out_item_is_in_the_training_stream() -> None:
    held = {item.key for split in ("heldout", "test") for item in draw_balanced(split, 0, 450)}
    trained = {item.key for item in islice(draw("train", 0), 30_000)}
    assert not held & trained
    assert {split_of(key) for key in trained} == {"train"}


def test_validation_and_test_share_no_item() -> None:
    keys = [{item.key for item in draw_balanced(split, 0, 450)} for split in ("heldout", "test")]
    assert not keys[0] & keys[1]


def test_a_story_is_split_as_its_bare_sum() -> None:
    random = Random(3)
    for _ in range(200):
        a, b = numbers((item := FAMILIES["story"](random)).input.replace(".", " "))
        assert item.key == f"sum {min(a, b)} {max(a, b)}"


def test_the_shipped_files_are_what_the_script_draws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["generate", "--out", str(tmp_path)])
    main()
    for split in FILES:
        assert (tmp_path / f"{split}.jsonl").read_bytes() == (DATA / f"{split}.jsonl").read_bytes()


def test_the_shipped_files_have_distinct_questions_and_the_schema_of_examples() -> None:
    seen: set[tuple[str, str]] = set()
    for split in FILES:
        for record in read(split):
            assert set(record) == {"instruction", "input", "output"}
            question = (record["instruction"], record["input"])
            assert question not in seen
            seen.add(question)


def test_the_shipped_stories_are_word_problems_with_right_sums() -> None:
    for split in FILES[3:]:
        for record in read(split):
            a, b = numbers(record["input"].replace(".", " "))
            assert record["output"] == f"{a + b} {record['input'].split()[3]}"


def test_a_digit_is_one_token_and_so_is_the_mask(tokenizer: Tokenizer) -> None:
    assert tokenizer.get_vocab_size() <= VOCAB_SIZE
    assert len(tokenizer.encode(MASK).ids) == len(tokenizer.encode(EOS).ids) == 1
    for digit in "0123456789":
        assert tokenizer.encode(digit * 3).tokens == [digit] * 3


def test_text_survives_the_tokenizer(tokenizer: Tokenizer) -> None:
    for text in ("Grüße, 世界! 🙂\n\tx  = 12", "What is missing?\nfig [MASK] fig", ""):
        assert tokenizer.decode(tokenizer.encode(text).ids) == text


def test_every_question_fits_the_window_and_long_families_have_long_answers(tokenizer: Tokenizer) -> None:
    lengths: dict[str, list[int]] = {}
    for item in draw_balanced("train", 1, 3000):
        prompt = tokenizer.encode(f"<|user|>{item.instruction}\n{item.input}<|assistant|>").ids
        answer = tokenizer.encode(item.output).ids
        assert len(prompt) + len(answer) + 1 <= WINDOW, item
        lengths.setdefault(item.family, []).append(len(answer))
    for family in ("sort-long", "explain", "retell", "count"):
        assert min(lengths[family]) >= 17 and max(lengths[family]) <= 40
