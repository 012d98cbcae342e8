"""Tokenizers of model folders: ids, text, mask and end tokens, and what is said about a folder that cannot be used."""

import json
from pathlib import Path

import pytest
import tokenizers
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import AddedToken, models, pre_tokenizers, processors

from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.method.chat_turns import last_answer
from lad_runtime.torch_backend.loading.stub import write_stub
from lad_runtime.torch_backend.tokenizer.tokenizer_files import load_tokenizer
from lad_runtime.types.data import Message


@pytest.fixture
def stub(tmp_path: Path) -> Path:
    write_stub(tmp_path, seed=0)
    return tmp_path


@pytest.fixture(scope="module")
def bytes_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stub")
    write_stub(folder, seed=0)
    return folder


def rewrite(folder: Path, name: str, **values: object) -> None:
    path = folder / name
    old = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps({key: value for key, value in (old | values).items() if value is not None}))


def test_any_text_comes_back_from_its_ids(bytes_folder: Path) -> None:
    tokenizer = load_tokenizer(bytes_folder)

    @given(st.text())
    def comes_back(text: str) -> None:
        assert tokenizer.decode(tokenizer.encode(text), skip_special=False) == text

    comes_back()
    tokenizer.close()


def test_specials_are_single_ids_and_are_left_out_of_text(stub: Path) -> None:
    tokenizer = load_tokenizer(stub)
    ids = tokenizer.encode("a[MASK]b[EOS]")
    assert ids[1] == tokenizer.mask_token_id and ids[3] == tokenizer.eos_token_id and len(ids) == 4
    assert tokenizer.decode(ids) == "ab"
    assert tokenizer.decode(ids, skip_special=False) == "a[MASK]b[EOS]"
    assert (tokenizer.mask_token, tokenizer.eos_token) == ("[MASK]", "[EOS]")
    assert tokenizer.vocab_size == 261


def test_ids_beyond_the_vocabulary_have_no_text(stub: Path) -> None:
    assert load_tokenizer(stub).decode([10_000, *load_tokenizer(stub).encode("a")]) == "a"


def test_ids_that_no_vocabulary_has_are_an_error(stub: Path) -> None:
    with pytest.raises(LadError, match="ids is") as caught:
        load_tokenizer(stub).decode([-1])
    assert caught.value.code is ErrorCode.INVALID_OPTION


def test_half_a_surrogate_pair_is_a_data_error(stub: Path) -> None:
    with pytest.raises(LadError, match="surrogate") as caught:
        load_tokenizer(stub).encode("a\ud800")
    assert caught.value.code is ErrorCode.INVALID_DATA


def test_the_models_own_special_tokens_are_added_when_asked_for(stub: Path) -> None:
    backend = tokenizers.Tokenizer.from_file(str(stub / "tokenizer.json"))
    eos = backend.token_to_id("[EOS]")
    backend.post_processor = processors.TemplateProcessing(single="[EOS] $A", special_tokens=[("[EOS]", eos)])
    backend.save(str(stub / "tokenizer.json"))
    tokenizer = load_tokenizer(stub)
    assert tokenizer.encode("a", add_special=True) == [eos, *tokenizer.encode("a")]


def test_truncation_and_padding_kept_in_the_file_are_off(stub: Path) -> None:
    backend = tokenizers.Tokenizer.from_file(str(stub / "tokenizer.json"))
    backend.enable_truncation(max_length=4)
    backend.enable_padding(length=64)
    backend.save(str(stub / "tokenizer.json"))
    assert len(load_tokenizer(stub).encode("abcdefgh")) == 8


@pytest.mark.parametrize(("mask", "count"), [("MASK", 4), ("", 4)])
def test_a_mask_string_of_several_tokens_is_an_error_that_names_it_and_the_ids(
    stub: Path, mask: str, count: int
) -> None:
    rewrite(stub, "tokenizer_config.json", mask_token=None)
    with pytest.raises(LadError, match="maskToken is MASK: it must be exactly one token") as caught:
        load_tokenizer(stub, mask_token=mask)
    ids = tokenizers.Tokenizer.from_file(str(stub / "tokenizer.json")).encode("MASK").ids
    assert len(ids) == count and str(ids) in str(caught.value)
    assert (caught.value.code, caught.value.option) == (ErrorCode.INVALID_OPTION, "maskToken")


def test_pad_tokens_are_one_token_each(stub: Path) -> None:
    tokenizer = load_tokenizer(stub)
    pads = ("[USER]", "~", "[SYSTEM]", "~")
    assert [tokenizer.decode([id], skip_special=False) for id in tokenizer.pad_ids(pads)] == list(pads)
    assert tokenizer.pad_ids(()) == ()


def test_a_pad_string_of_several_tokens_is_an_error_that_names_it_and_the_ids(stub: Path) -> None:
    tokenizer = load_tokenizer(stub)
    with pytest.raises(LadError, match="padTokens is pad: it must be exactly one token") as caught:
        tokenizer.pad_ids(("[USER]", "pad"))
    assert str(tokenizer.encode("pad")) in str(caught.value)
    assert (caught.value.code, caught.value.option) == (ErrorCode.INVALID_OPTION, "padTokens")


def test_the_mask_token_fills_no_tail(stub: Path) -> None:
    with pytest.raises(LadError, match=r"padTokens is \[MASK\]: it is the mask token \(257\)") as caught:
        load_tokenizer(stub).pad_ids(("[USER]", "[MASK]"))
    assert caught.value.option == "padTokens"


def test_an_ordinary_word_can_be_the_mask(tmp_path: Path) -> None:
    write_stub(tmp_path, seed=0)
    vocabulary = {"[UNK]": 0, "MASK": 1, "word": 2, "</s>": 3}
    backend = tokenizers.Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    backend.add_special_tokens(["</s>"])
    backend.save(str(tmp_path / "tokenizer.json"))
    rewrite(tmp_path, "tokenizer_config.json", mask_token=None, eos_token="</s>")
    tokenizer = load_tokenizer(tmp_path)
    assert tokenizer.encode("MASK word") == [tokenizer.mask_token_id, 2]
    assert "MASK" in tokenizer.decode([1, 2])


def test_the_token_that_ends_an_answer_cannot_be_the_mask(stub: Path) -> None:
    with pytest.raises(LadError, match="ends an answer") as caught:
        load_tokenizer(stub, mask_token="[EOS]")
    assert caught.value.option == "maskToken"


def test_the_end_token_comes_from_the_tokenizer_then_from_generation_then_from_the_model(stub: Path) -> None:
    backend = tokenizers.Tokenizer.from_file(str(stub / "tokenizer.json"))
    rewrite(stub, "tokenizer_config.json", eos_token={"content": "[USER]", "__type": "AddedToken"})
    assert load_tokenizer(stub).eos_token == "[USER]"
    rewrite(stub, "tokenizer_config.json", eos_token=None)
    rewrite(stub, "generation_config.json", eos_token_id=[backend.token_to_id("[SYSTEM]"), 1])
    assert load_tokenizer(stub).eos_token == "[SYSTEM]"
    (stub / "generation_config.json").unlink()
    assert load_tokenizer(stub).eos_token == "[EOS]"
    rewrite(stub, "config.json", eos_token_id=None)
    with pytest.raises(LadError, match="names no token that ends an answer"):
        load_tokenizer(stub)


def test_an_end_token_outside_the_vocabulary_is_an_error(stub: Path) -> None:
    rewrite(stub, "tokenizer_config.json", eos_token="<nowhere>")
    with pytest.raises(LadError, match="not in the vocabulary") as caught:
        load_tokenizer(stub)
    assert caught.value.code is ErrorCode.INVALID_FILE


def test_messages_are_rendered_with_the_models_template_or_the_callers(stub: Path) -> None:
    messages = [Message(role="user", content="hi")]
    assert load_tokenizer(stub).render(messages, True) == "[USER]hi[EOS][ASSISTANT]"
    given_one = load_tokenizer(stub, chat_template="{{ messages[0].content }}{{ eos_token }}")
    assert given_one.render(messages, True) == "hi[EOS]"
    (stub / "chat_template.jinja").write_text("from the file")
    assert load_tokenizer(stub).render(messages, True) == "from the file"


def test_a_template_among_several_is_the_default_one(stub: Path) -> None:
    several = [{"name": "tool_use", "template": "tools"}, {"name": "default", "template": "plain"}]
    rewrite(stub, "tokenizer_config.json", chat_template=several)
    assert load_tokenizer(stub).render([], False) == "plain"


def test_a_base_without_a_template_is_an_error_unless_the_caller_gives_one(stub: Path) -> None:
    rewrite(stub, "tokenizer_config.json", chat_template=None)
    tokenizer = load_tokenizer(stub)
    assert not tokenizer.has_template
    with pytest.raises(LadError, match="no chat template") as caught:
        tokenizer.render([Message(role="user", content="hi")], True)
    assert caught.value.option == "chatTemplate"
    assert load_tokenizer(stub, chat_template="x").has_template


def test_the_system_prompt_heads_conversations_that_have_none(stub: Path) -> None:
    tokenizer = load_tokenizer(stub, system_prompt="Be brief.")
    user, system = Message(role="user", content="q"), Message(role="system", content="own")
    assert tokenizer.render([user], False) == "[SYSTEM]Be brief.[EOS][USER]q[EOS]"
    assert tokenizer.render([system, user], False) == "[SYSTEM]own[EOS][USER]q[EOS]"


@pytest.mark.parametrize("beginning", ["", "The answer is", " 4 ", "[EOS]"])
def test_an_assistant_message_last_is_where_the_answer_goes_on_as_in_training(
    stub: Path, beginning: str
) -> None:
    tokenizer = load_tokenizer(stub)
    user, begun = Message(role="user", content="2 + 2?"), Message(role="assistant", content=beginning)
    text, ids = tokenizer.prompt([user])
    assert text == tokenizer.render([user], True) and ids == tokenizer.encode(text)
    example = last_answer(0, [user, begun], tokenizer.render, tokenizer.eos_token)
    assert tokenizer.prompt([user, begun]) == (text + beginning, ids + tokenizer.encode(beginning))
    assert tokenizer.prompt([user, begun])[1] == [
        id for piece, _ in example for id in tokenizer.encode(piece)
    ]


def test_a_written_out_end_in_an_answers_beginning_stays_text(stub: Path) -> None:
    tokenizer = load_tokenizer(stub)
    messages = [Message(role="user", content="q"), Message(role="assistant", content="a[EOS]")]
    _, ids = tokenizer.prompt(tokenizer.hidden(messages))
    assert ids.count(tokenizer.eos_token_id) == 1  # the template's, behind the question


def test_an_answers_beginning_alone_is_refused_by_name(stub: Path) -> None:
    with pytest.raises(LadError, match="user message") as caught:
        load_tokenizer(stub).prompt([Message(role="assistant", content="The answer is")])
    assert caught.value.option == "messages"


@pytest.mark.parametrize("content", ["", "{", "[]", '{"model": {"type": "Unknown"}}', "\x00" * 50])
def test_a_damaged_tokenizer_file_is_named(stub: Path, content: str) -> None:
    (stub / "tokenizer.json").write_text(content)
    with pytest.raises(LadError, match=r"tokenizer\.json cannot be read") as caught:
        load_tokenizer(stub)
    assert caught.value.code is ErrorCode.INVALID_FILE


@pytest.mark.parametrize("content", ["{", "[1]", '"text"', "\xff", "[" * 100_000])
def test_damaged_settings_are_named(stub: Path, content: str) -> None:
    (stub / "tokenizer_config.json").write_text(content, encoding="latin-1")
    with pytest.raises(LadError, match=r"tokenizer_config\.json cannot be read") as caught:
        load_tokenizer(stub)
    assert caught.value.code is ErrorCode.INVALID_FILE


def test_a_folder_with_only_a_sentencepiece_file_says_how_to_convert_it(stub: Path) -> None:
    (stub / "tokenizer.json").unlink()
    (stub / "tokenizer.model").write_bytes(b"x")
    with pytest.raises(LadError, match="save_pretrained"):
        load_tokenizer(stub)


def test_a_file_that_is_a_link_to_another_folder_is_refused(
    stub: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    secret = tmp_path_factory.mktemp("elsewhere") / "secret.json"
    secret.write_text(json.dumps({"chat_template": "the secret"}))
    (stub / "tokenizer_config.json").unlink()
    (stub / "tokenizer_config.json").symlink_to(secret)
    with pytest.raises(LadError, match="outside the model's folder"):
        load_tokenizer(stub)


def test_added_tokens_that_are_not_special_stay_in_the_text(stub: Path) -> None:
    backend = tokenizers.Tokenizer.from_file(str(stub / "tokenizer.json"))
    backend.add_tokens([AddedToken("<think>", normalized=False)])
    backend.save(str(stub / "tokenizer.json"))
    tokenizer = load_tokenizer(stub)
    ids = tokenizer.encode("a<think>b")
    assert len(ids) == 3
    assert tokenizer.decode(ids) == "a<think>b"
