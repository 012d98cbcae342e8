"""Text is text: a special token that a message writes out is spelled, while the template's own are the tokens they are."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import AddedToken, decoders, models, normalizers, pre_tokenizers

from chatml_folder import CHATML, END, MASK, SPECIALS, START, THINK, write_chatml
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.method.windows import prepare
from lad_runtime.torch_backend.backend import TorchBackend
from lad_runtime.torch_backend.forward.base import Base, load_base
from lad_runtime.torch_backend.tokenizer.control_tokens import control_tokens
from lad_runtime.torch_backend.tokenizer.literal_encoder import LiteralEncoder
from lad_runtime.torch_backend.tokenizer.literals import Literals
from lad_runtime.torch_backend.tokenizer.tokenizer import Tokenizer
from lad_runtime.torch_backend.tokenizer.tokenizer_files import load_tokenizer
from lad_runtime.types.data import Example, Message
from method_specs import window_spec
from type_specs import base_spec

TRIMMED = (
    "{{ bos_token }}{% for m in messages %}{% set text = m['role'] + '\n\n' + m['content'] | trim + '<|im_end|>' %}"
    "{{ '<|im_start|>' + text }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n\n' }}{% endif %}"
)
TAGGED = (
    "{% for m in messages %}{% if m.role == 'user' %}[INST] {{ m.content }} [/INST]{% elif m.role == 'assistant' %}"
    "{{ m.content.lstrip() }}{{ eos_token }}{% else %}{{ m.content.upper() }}{% endif %}{% endfor %}"
)
TESTED = (
    "{% for m in messages %}{% if m.content.startswith('{') or '<think>' in m.content %}<|im_start|>tool{% else %}<|im_start|>"
    "{{ m.role }}{% endif %}\n{{ m.content.split('</think>')[-1] }}<|im_end|>{% endfor %}<|im_start|>"
)
AS_JSON = "{% for m in messages %}<|im_start|>{{ m.content | tojson }}{{ m.content | tojson(ensure_ascii=true) }}{% endfor %}"
TEMPLATES = {"chatml": CHATML, "trimmed": TRIMMED, "tagged": TAGGED, "tested": TESTED, "json": AS_JSON}

PIECES = st.sampled_from(
    [
        *SPECIALS,
        "<think>",
        "</think>",
        "<|im_",
        "end|>",
        "<|",
        "|>",
        "~",
        "0",
        "7",
        "{",
        "\n",
        " ",
        "a",
        "é🦙",
    ]
)
TEXTS = st.lists(PIECES, max_size=8).map("".join)
ROLES = ("user", "assistant")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_chatml(tmp_path_factory.mktemp("chatml"))


@pytest.fixture(scope="module")
def tokenizer(folder: Path) -> Iterator[Tokenizer]:
    tokenizer = load_tokenizer(folder)
    yield tokenizer
    tokenizer.close()


@pytest.fixture(scope="module")
def base(folder: Path) -> Base:
    return load_base(base_spec(name=str(folder)), "cpu", lambda event: None)


@pytest.fixture(scope="module")
def backend(tmp_path_factory: pytest.TempPathFactory) -> TorchBackend:
    return TorchBackend(device="cpu", threads=1, state=tmp_path_factory.mktemp("state"))


def talk(*contents: str) -> list[Message]:
    return [Message(role=ROLES[i % 2], content=content) for i, content in enumerate(contents)]


def controls_of(ids: list[int]) -> list[int]:
    return [id for id in ids if id < len(SPECIALS)]


# --- text ---------------------------------------------------------------------------------------------------------------


def test_a_text_holds_no_special_token_whatever_it_spells_and_comes_back_from_its_ids(
    tokenizer: Tokenizer,
) -> None:
    @given(TEXTS)
    def spelled(text: str) -> None:
        ids = tokenizer.encode(tokenizer.hide(text))
        assert controls_of(ids) == []
        assert tokenizer.decode(ids) == text
        assert ids.count(THINK) == text.count("<think>")

    spelled()


def test_special_tokens_in_a_text_are_those_tokens_where_that_is_asked_for(
    base: Base, backend: TorchBackend
) -> None:
    text = "a<|im_end|>b"
    a, b = base.tokenizer.encode("ab")
    assert backend.encode(base, [text], allow_special=True) == [(a, END, b)]
    ten_bytes = [id for character in "<|im_end|>" for id in base.tokenizer.encode(character)]
    assert backend.encode(base, [text], allow_special=False) == [(a, *ten_bytes, b)]


def test_the_tokens_that_a_tokenizer_puts_around_a_text_are_added_where_that_is_asked_for(
    base: Base, backend: TorchBackend
) -> None:
    begun = tokenizers.processors.TemplateProcessing(
        single="<|im_end|> $A", special_tokens=[("<|im_end|>", END)]
    )
    a, b = base.tokenizer.encode("ab")
    base.tokenizer._backend.post_processor = begun
    try:
        assert backend.encode(base, ["ab", ""], False, add_special=True) == [(END, a, b), (END,)]
        assert backend.encode(base, ["ab"], False) == [(a, b)]
    finally:
        base.tokenizer._backend.post_processor = tokenizers.processors.Sequence([])


def test_a_token_that_only_the_files_call_special_is_text_too(tmp_path: Path) -> None:
    tokenizer = load_tokenizer(write_chatml(tmp_path, additional_special_tokens=["<think>"]))
    assert len(tokenizer.encode(tokenizer.hide("<think>"))) == len("<think>")
    assert tokenizer.encode("<think>") == [THINK]


# --- conversations --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_conversation_has_the_templates_own_special_tokens_and_its_contents_as_text(
    folder: Path, name: str
) -> None:
    tokenizer = load_tokenizer(folder, chat_template=TEMPLATES[name])

    @settings(max_examples=60, deadline=None)
    @given(st.lists(TEXTS, min_size=1, max_size=3), st.booleans())
    def conversation(contents: list[str], add_generation_prompt: bool) -> None:
        messages = talk(*contents)
        plain = [Message(role=m.role, content="x") for m in messages]
        own = controls_of(tokenizer.encode(tokenizer.render(plain, add_generation_prompt)))
        hidden = tokenizer.render(tokenizer.hidden(messages), add_generation_prompt)
        ids = tokenizer.encode(hidden)
        assert controls_of(ids) == own
        assert tokenizer.decode(ids, skip_special=False) == tokenizer.reveal(hidden)
        assert tokenizer.reveal(hidden) == tokenizer.render(messages, add_generation_prompt)

    conversation()
    tokenizer.close()


@pytest.mark.parametrize("name", TEMPLATES)
def test_without_special_tokens_in_it_a_conversation_has_the_ids_that_transformers_gives_it(
    folder: Path, name: str
) -> None:
    transformers = pytest.importorskip("transformers")
    theirs = transformers.PreTrainedTokenizerFast(
        tokenizer_file=str(folder / "tokenizer.json"),
        eos_token="<|endoftext|>",
        chat_template=TEMPLATES[name],
    )
    ours = load_tokenizer(folder, chat_template=TEMPLATES[name])
    words = st.text(st.sampled_from("<|>im_end~0179[] \n{é🦙"), max_size=24).filter(
        lambda t: not ours.controls_in(t)
    )

    @settings(max_examples=40, deadline=None)
    @given(st.lists(words, min_size=1, max_size=3), st.booleans())
    def same(contents: list[str], add_generation_prompt: bool) -> None:
        messages = talk(*contents)
        expected = theirs.apply_chat_template(
            [{"role": m.role, "content": m.content} for m in messages],
            add_generation_prompt=add_generation_prompt,
            return_dict=False,
        )
        assert ours.encode(ours.render(ours.hidden(messages), add_generation_prompt)) == expected

    same()
    ours.close()


def test_a_rendered_conversation_is_shown_as_its_template_writes_it(
    base: Base, backend: TorchBackend
) -> None:
    messages = talk("say <|im_end|>!")
    text = "<|im_start|>user\nsay <|im_end|>!<|im_end|>\n<|im_start|>assistant\n"
    shown, ids = backend.render(base, messages, True, allow_special=False)
    assert shown == text and controls_of(list(ids)) == [START, END, START]
    shown, ids = backend.render(base, messages, True, allow_special=True)
    assert shown == text and controls_of(list(ids)) == [START, END, END, START]


def test_the_bases_system_prompt_is_text_as_messages_are(folder: Path) -> None:
    tokenizer = load_tokenizer(folder, system_prompt="never <|im_start|>user")
    ids = tokenizer.encode(tokenizer.render(tokenizer.hidden(talk("hi")), True))
    assert controls_of(ids) == [START, END, START, END, START]
    assert "never <|im_start|>user<|im_end|>" in tokenizer.decode(ids, skip_special=False)


@pytest.mark.parametrize(
    "template",
    [
        "{% for m in messages %}{{ m.content[:6] }}{% endfor %}",
        "{% for m in messages %}{{ m.content | length }}{% endfor %}",
        "{% for m in messages %}{{ m.content | reverse }}{% endfor %}",
        "{% for m in messages %}{{ m.content | replace('~', '') }}{% endfor %}",
    ],
)
def test_a_template_that_takes_a_special_token_apart_is_an_error_with_the_way_out(
    folder: Path, template: str
) -> None:
    tokenizer = load_tokenizer(folder, chat_template=template)
    with pytest.raises(LadError, match=r"takes apart a special token.*allowSpecial") as caught:
        tokenizer.render(tokenizer.hidden(talk("a<|im_end|>b")), False)
    assert (caught.value.code, caught.value.option) == (ErrorCode.INVALID_DATA, "messages")
    assert tokenizer.render(talk("a<|im_end|>b"), False)


def test_templates_may_leave_out_or_repeat_what_is_hidden(folder: Path) -> None:
    for template, times in (("{{ messages[-1].content }}", 0), ("{{ messages[0].content * 2 }}", 2)):
        tokenizer = load_tokenizer(folder, chat_template=template)
        text = tokenizer.reveal(tokenizer.render(tokenizer.hidden(talk("<|im_end|>", "ok")), False))
        assert text.count("<|im_end|>") == times


# --- windows --------------------------------------------------------------------------------------------------------------


def windowed(base: Base, *contents: str, **options: object):
    example = Example(id=0, messages=tuple(talk(*contents)))
    spec = window_spec(**{"window": 200, "pad_to_window": False, **options})
    (window,), report = prepare([example], spec, base.tokenizer, base.info)
    return window, report


@pytest.mark.parametrize("supervise", ["last", "all-assistant"])
def test_special_tokens_in_prompts_and_answers_of_a_window_are_text_and_are_counted(
    base: Base, supervise: str
) -> None:
    contents = ("a <|im_start|>b", "c<|im_end|>", " <mask>", "<|endoftext|>d ")
    window, report = windowed(base, *contents, supervise=supervise)
    assert controls_of(list(window.ids)) == [START, END] * 4
    text = base.tokenizer.decode(window.ids, skip_special=False)
    assert text == base.tokenizer.render(talk(*contents), False).removesuffix("\n")
    assert (report.special_tokens, report.mask_tokens) == (4, 0)
    answered = [id for id, own in zip(window.ids, window.answer, strict=True) if own]
    answers = contents[1::2] if supervise == "all-assistant" else contents[3:]
    assert base.tokenizer.decode(answered, skip_special=False) == "".join(f"{a}<|im_end|>" for a in answers)


def test_special_tokens_in_a_window_are_those_tokens_where_that_is_asked_for(base: Base) -> None:
    window, report = windowed(base, "a <|im_start|>b", "c<mask>", allow_special=True)
    assert controls_of(list(window.ids)) == [START, START, END, START, MASK, END]
    assert report.special_tokens == 2


@pytest.mark.parametrize("supervise", ["last", "all-assistant"])
def test_a_trimming_template_may_trim_answers_that_hold_special_tokens(folder: Path, supervise: str) -> None:
    base = load_base(base_spec(name=str(folder), chat_template=TRIMMED), "cpu", lambda event: None)
    window, _ = windowed(base, " <mask> ", " <|im_end|> ", "b", "c", supervise=supervise)
    assert controls_of(list(window.ids)) == [START, END] * 4


def test_a_window_without_special_tokens_is_what_it_always_was(base: Base) -> None:
    window, report = windowed(base, "a | < b", "c > d")
    prompt = base.tokenizer.encode("<|im_start|>user\na | < b<|im_end|>\n<|im_start|>assistant\n")
    assert list(window.ids) == [*prompt, *base.tokenizer.encode("c > d"), END]
    assert (report.special_tokens, report.mask_tokens) == (0, 0)


def test_masks_that_are_ordinary_text_are_counted_in_answers() -> None:
    tiny = load_base(base_spec(name="tiny"), "cpu", lambda event: None)
    assert tiny.tokenizer.mask_is_text
    window, report = windowed(tiny, "What is [MASK]?", "[MASK] is [MASK]<|end|>.")
    assert (report.mask_tokens, report.special_tokens) == (2, 1)
    assert window.ids.count(tiny.info.mask_token_id) == 3 and window.ids.count(tiny.info.eos_token_id) == 1
    tiny.close()


# --- the parts ------------------------------------------------------------------------------------------------------------


def test_what_is_hidden_is_revealed_whole_the_longest_first_and_in_either_spelling() -> None:
    literals = Literals(["<a>", "<a>b", "~"])

    @given(st.text(st.sampled_from("<a>b~09 "), max_size=30))
    def comes_back(text: str) -> None:
        hidden = literals.hide(text)
        assert literals.reveal(hidden) == literals.reveal(literals.respelled(hidden)) == text
        assert literals.respelled(literals.respelled(hidden)) == hidden
        assert literals.is_in(hidden) == (literals.count(text) > 0)

    comes_back()
    assert literals.count("<a>b<a>") == 2
    assert Literals([]).hide("<a>") == "<a>" and Literals([]).count("") == 0


def bpe() -> tokenizers.Tokenizer:
    vocabulary = {
        token: i for i, token in enumerate(["<s>", "a", "b", "<", ">", "▁", "ab", "▁ab", "</s>", "/", "s"])
    }
    merges = [("a", "b"), ("▁", "ab")]
    backend = tokenizers.Tokenizer(models.BPE(vocabulary, merges, unk_token="<s>", fuse_unk=True))
    backend.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    return backend


def metaspace() -> tokenizers.Tokenizer:
    backend = bpe()
    backend.normalizer = normalizers.NFKC()
    backend.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    backend.decoder = decoders.Metaspace(prepend_scheme="first")
    return backend


def unigram() -> tokenizers.Tokenizer:
    scores = [
        ("<unk>", 0.0),
        ("<s>", 0.0),
        ("</s>", 0.0),
        ("a", -1.0),
        ("b", -1.0),
        ("ab", -1.5),
        ("▁", -2.0),
    ]
    scores += [("<", -3.0), (">", -3.0), ("/", -3.0), ("s", -3.0)]
    backend = tokenizers.Tokenizer(models.Unigram(scores, unk_id=0, byte_fallback=False))
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    return backend


@pytest.mark.parametrize("make", [bpe, metaspace, unigram])
@pytest.mark.parametrize(
    "flags", [{}, {"lstrip": True}, {"rstrip": True}, {"single_word": True}, {"normalized": True}], ids=str
)
def test_text_is_encoded_as_the_tokenizer_encodes_it_but_for_the_special_tokens_that_are_text(
    make, flags
) -> None:
    backend = make()
    backend.add_special_tokens(
        [AddedToken(token, **({"normalized": False} | flags)) for token in ("<s>", "</s>", "<new>")]
    )
    backend.add_tokens([AddedToken("bb", normalized=False)])
    controls = control_tokens(backend, ())
    encoder = LiteralEncoder(backend, controls)
    unknown = 0  # in all three the token for what the vocabulary lacks, a control token in the first two

    @given(st.lists(st.sampled_from(["<s>", "</s>", "<new>", "bb", "a", "b", " ", "<", ">"]), max_size=10))
    def same(pieces: list[str]) -> None:
        text = "".join(pieces)
        assert encoder.encode(text, str) == backend.encode(text, add_special_tokens=False).ids
        assert not set(encoder.encode("~", lambda _: text)) & (set(controls.values()) - {unknown})

    same()


def test_the_stubs_own_template_and_tokens() -> None:
    stub = load_base(base_spec(name="stub"), "cpu", lambda event: None)
    tokenizer = stub.tokenizer
    hidden = tokenizer.render(tokenizer.hidden(talk("[EOS][USER]", "[MASK]")), False)
    assert tokenizer.reveal(hidden) == "[USER][EOS][USER][EOS][ASSISTANT][MASK][EOS]"
    assert [id for id in tokenizer.encode(hidden) if id >= 256] == [259, 256, 260, 256]
    stub.close()


def test_what_looks_like_a_stand_in_and_is_none_stays_text() -> None:
    literals = Literals(["<s>", "</s>"])
    (mark,) = {literals.hide("<s>")[1:9]}
    for text in (f"~{mark}02~", f"~{mark}099999~", f"~{mark}0{'9' * 5000}~"):
        assert not literals.is_in(text)
        assert literals.reveal(text) == text
    assert literals.reveal(literals.hide("a</s>b<s>")) == "a</s>b<s>"
