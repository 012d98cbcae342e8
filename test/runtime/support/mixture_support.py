"""Stored data sets, complete specifications of mixtures, and a base that counts characters."""

import json
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from conftest import FakeTokenizer
from fake_backend import base_info
from lad_runtime.engine.data.datasets import DatasetStore
from lad_runtime.engine.data.mixtures.mixing import Mixtures
from lad_runtime.method.windows import cut_examples
from lad_runtime.types.mixtures import Contamination, MixtureReport, MixtureSource, MixtureSpec

TOKENIZER = FakeTokenizer()
INFO = base_info(
    id="base",
    vocab_size=TOKENIZER.vocab_size,
    mask_token_id=TOKENIZER.mask_token_id,
    eos_token=TOKENIZER.eos_token,
    eos_token_id=TOKENIZER.eos_token_id,
    max_positions=200,
)
BASE: Any = SimpleNamespace(id="base", resident=SimpleNamespace(info=INFO), info=INFO)
BACKEND: Any = SimpleNamespace(
    cut=lambda base, examples, window: cut_examples(examples, window, TOKENIZER, base.info),
    decode=lambda base, sequences, keep_special: [
        TOKENIZER.decode(ids, not keep_special) for ids in sequences
    ],
    describe=lambda error: None,
)


def stored(store: DatasetStore, rows: Sequence[dict[str, Any]]) -> str:
    with store.upload() as upload:
        for row in rows:
            upload.write(json.dumps(row).encode() + b"\n")
        return upload.finish()[0]


def asked(store: DatasetStore, *questions: str, answer: str = "a") -> str:
    """A data set of these questions."""
    return stored(store, [{"instruction": question, "output": answer} for question in questions])


def numbered(store: DatasetStore, name: str, count: int) -> str:
    return asked(store, *[f"{name} {number}" for number in range(count)])


def source(name: str, dataset_id: str, share: float = 1, **options: Any) -> MixtureSource:
    given = {"max_prompt_tokens": 0, "max_answer_tokens": 0, "max_repeats": 3, **options}
    return MixtureSource(name=name, dataset_id=dataset_id, share=share, **given)


def mixture(
    *sources: MixtureSource, without: Sequence[str] = (), overlap: int = 13, **options: Any
) -> MixtureSpec:
    given: dict[str, Any] = {
        "seed": 0,
        "examples": 0,
        "exact_duplicates": True,
        "near_duplicates": None,
        **options,
    }
    contamination = Contamination(dataset_ids=tuple(without), overlap_words=overlap)
    return MixtureSpec(sources=sources, contamination=contamination, **given)


def mixed(store: DatasetStore, spec: MixtureSpec, base: Any = None) -> tuple[str, MixtureReport]:
    return Mixtures(BACKEND, store).mix(base, spec, lambda: False)


def rows_of(store: DatasetStore, dataset_id: str) -> list[tuple[str, str]]:
    """Source and question of each example."""
    return [(example.source, example.messages[-2].content) for example in store.examples(dataset_id)]
