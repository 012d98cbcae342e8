"""Trains the tiny base's tokenizer: byte-level BPE with one token a digit, trained on the project's own questions."""

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from lad_runtime.tiny.generate import draw

VOCAB_SIZE = 960
EOS, USER, ASSISTANT, SYSTEM, MASK = "<|end|>", "<|user|>", "<|assistant|>", "<|system|>", "[MASK]"

CHAT_TEMPLATE = (
    "{% for message in messages %}"
    "{{ '<|' + message['role'] + '|>' + message['content'] }}"
    "{% if message['role'] == 'assistant' %}{{ '<|end|>' }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"
)

# A word with the space before it, one digit, one line break, one other sign, or what is left of a run of spaces.
_PIECES = r" ?\p{L}+|\p{N}|\n| ?[^\s\p{L}\p{N}]|\s+"


def train_vocabulary(seed: int = 0, examples: int = 20_000) -> Tokenizer:
    """A tokenizer of at most `VOCAB_SIZE` tokens. The mask token is ordinary text; the chat markers are special tokens."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_PIECES), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCAB_SIZE - 1,  # the mask token comes last
        special_tokens=[EOS, USER, ASSISTANT, SYSTEM],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_texts(seed, examples), trainer)
    tokenizer.add_tokens([AddedToken(MASK, special=False, normalized=False)])
    return tokenizer


def _texts(seed: int, examples: int) -> Iterator[str]:
    for item in islice(draw("train", seed), examples):
        yield f"{item.instruction}\n{item.input}".replace(MASK, "")
        yield item.output


def tokenizer_config() -> dict[str, object]:
    """What `tokenizer_config.json` holds: the chat template and the names of the special tokens."""
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": None,
        "eos_token": EOS,
        "pad_token": EOS,
        "mask_token": MASK,
        "clean_up_tokenization_spaces": False,
        "model_max_length": 256,
        "chat_template": CHAT_TEMPLATE,
    }


def save_vocabulary(tokenizer: Tokenizer, folder: Path) -> None:
    """Writes `tokenizer.json` and `tokenizer_config.json` into the existing `folder`."""
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    (folder / "tokenizer_config.json").write_text(
        json.dumps(tokenizer_config(), indent=2) + "\n", encoding="utf-8"
    )
