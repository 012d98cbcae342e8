"""The shipped tiny base: a small Hugging Face folder whose model answers held-out questions, and the script that trains it."""

import json

import pytest
import torch
from tokenizers import Tokenizer

from lad_runtime.tiny.export import export
from lad_runtime.tiny.forward import answer_scores, exact_matches
from lad_runtime.tiny.generate import draw_balanced
from lad_runtime.tiny.lessons import Lesson, batches, lessons
from lad_runtime.tiny.sizes import BASES, SIZES, base_folder
from lad_runtime.tiny.train import BATCH_TOKENS, SHARES, Training
from lad_runtime.tiny.vocabulary import EOS, MASK, train_vocabulary
from lad_runtime.torch_backend.forward.base import Base, load_base
from lad_runtime.torch_backend.model.segment import Segment
from lad_runtime.types.data import Message
from type_specs import base_spec

BASE = base_folder("tiny")


@pytest.fixture(scope="module")
def base() -> Base:
    loaded = load_base(base_spec(name="tiny"), "cpu", lambda _: None)
    yield loaded
    loaded.close()


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.from_file(str(BASE / "tokenizer.json"))


def test_the_folder_is_small_and_of_the_scripts_shape(base: Base) -> None:
    assert sum(path.stat().st_size for path in BASE.iterdir()) < 6_000_000
    assert base.model.config == SIZES["tiny"]
    assert 1_500_000 < base.info.parameter_count < 3_000_000


@pytest.mark.parametrize("name", [path.name for path in sorted(BASES.iterdir())])
def test_each_shipped_base_is_loaded_by_its_name_and_has_its_scripts_shape(name: str) -> None:
    loaded = load_base(base_spec(name=name), "cpu", lambda _: None)
    assert (loaded.info.name, loaded.model.config) == (name, SIZES[name])
    loaded.close()


def test_held_out_questions_are_answered(base: Base, tokenizer: Tokenizer) -> None:
    matches, _ = exact_matches(base.model, lessons(draw_balanced("heldout", 0, 450), tokenizer))
    assert sum(matches) / len(matches) >= 0.9


def test_exact_matches_are_those_of_greedy_decoding(base: Base, tokenizer: Tokenizer) -> None:
    questions = lessons(draw_balanced("heldout", 5, 30), tokenizer)
    matches, _ = exact_matches(base.model, questions)
    assert [decoded_greedily(base, question) == question.answer for question in questions] == matches


def decoded_greedily(base: Base, question: Lesson) -> tuple[int, ...]:
    ids = list(question.prompt)
    with torch.no_grad():
        while len(ids) < len(question.prompt) + len(question.answer):
            flat = base.model.batch([Segment(ids=torch.tensor(ids), mode="causal")])
            last = base.model.hidden_states(flat)[len(ids) - 1 : len(ids)]
            ids.append(int(base.model.logits(last).argmax()))
    return tuple(ids[len(question.prompt) :])


def test_the_chat_template_renders_what_the_base_was_trained_on(base: Base, tokenizer: Tokenizer) -> None:
    item = draw_balanced("heldout", 0, 1)[0]
    (lesson,) = lessons([item], tokenizer)
    text = base.tokenizer.render([Message(role="user", content=f"{item.instruction}\n{item.input}")], True)
    assert tuple(base.tokenizer.encode(text)) == lesson.prompt
    assert (base.info.eos_token, base.info.mask_token) == (EOS, MASK)


def test_the_shipped_tokenizer_is_the_one_that_the_script_trains(tokenizer: Tokenizer) -> None:
    assert json.loads(tokenizer.to_str()) == json.loads(train_vocabulary().to_str())


def test_the_mask_token_stands_in_questions_so_that_its_embedding_is_trained(tokenizer: Tokenizer) -> None:
    mask = tokenizer.token_to_id(MASK)
    batch = next(batches(tokenizer, tokens=BATCH_TOKENS, seed=0, shares=SHARES))
    assert any(mask in lesson.prompt for lesson in batch)
    assert not any(mask in lesson.answer for lesson in batch)


@pytest.fixture
def short_steps(monkeypatch: pytest.MonkeyPatch, tokenizer: Tokenizer) -> None:
    """Short steps on the shipped tokenizer; that training one gives it is a test of its own."""
    monkeypatch.setattr("lad_runtime.tiny.train.BATCH_TOKENS", BATCH_TOKENS // 12)
    monkeypatch.setattr("lad_runtime.tiny.lessons._CHUNK", 500)
    monkeypatch.setattr("lad_runtime.tiny.train.train_vocabulary", lambda seed: tokenizer)


@pytest.mark.usefixtures("short_steps")
def test_two_trainings_from_one_seed_take_the_same_steps() -> None:
    trainings = [Training(SIZES["tiny-0.7m"], 2, seed=3) for _ in range(2)]
    losses = [[training.step(), training.step()] for training in trainings]
    assert losses[0] == losses[1]
    assert losses[0][1] != losses[0][0]


@pytest.mark.usefixtures("short_steps")
def test_an_interrupted_training_takes_the_steps_of_an_uninterrupted_one(tmp_path) -> None:
    whole, first, second = (Training(SIZES["tiny-0.7m"], 4, seed=3) for _ in range(3))
    expected = [whole.step() for _ in range(4)]
    assert [first.step(), first.step()] == expected[:2]
    torch.save(first.state(), tmp_path / "state.pt")
    second.restore(torch.load(tmp_path / "state.pt", weights_only=True))
    assert [second.step(), second.step()] == expected[2:]


def test_an_exported_model_computes_with_the_rounded_weights(
    tmp_path, base: Base, tokenizer: Tokenizer
) -> None:
    export(tmp_path, "tiny", base.model, tokenizer, {"steps": 0})
    again = load_base(base_spec(name=str(tmp_path)), "cpu", lambda _: None)
    questions = lessons(draw_balanced("heldout", 0, 5), tokenizer)
    with torch.no_grad():
        expected, actual = (answer_scores(one.model, questions)[0] for one in (base, again))
    again.close()
    assert torch.equal(expected, actual)
    assert "exact match" in (tmp_path / "README.md").read_text()


def test_transformers_loads_the_folder_and_gives_the_same_scores(base: Base, tokenizer: Tokenizer) -> None:
    transformers = pytest.importorskip("transformers")
    reference = transformers.LlamaForCausalLM.from_pretrained(BASE, dtype=torch.float32)
    (question,) = lessons(draw_balanced("heldout", 0, 1), tokenizer)
    with torch.no_grad():
        logits_RV, _ = answer_scores(base.model, [question])
        expected = reference(torch.tensor([question.inputs])).logits[0, len(question.prompt) - 1 :]
    torch.testing.assert_close(logits_RV, expected, rtol=1e-4, atol=1e-4)
