"""Draws questions from the families, split into training, validation and test items by a hash of what is asked.

The base is trained on all families. The files are for adapters: questions of the families in `LOOKUPS`, and in data/stories
arithmetic word problems, whose answers must be computed.

python -m lad_runtime.tiny.generate            # writes the files of data/ and of data/stories/ again
"""

import argparse
import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Literal

from lad_runtime.tiny.families import FAMILIES, Item

Split = Literal["train", "heldout", "test"]

DATA = Path(__file__).parent / "data"

LOOKUPS: dict[str, float] = {"capitals": 6, "retell": 3, "opposites": 1, "choice": 0.5, "compare": 0.5}
"""Shares of the adapters' questions, whose answers are found rather than computed, in sentences of 8 to 10 tokens.

Most answers have two or three of them: long enough that what a denoiser writes in one step does not fit together.
"""


def split_of(key: str) -> Split:
    """One key in twenty is held out for validation, one in twenty for the final test; the rest is training data."""
    bucket = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") % 20
    if bucket == 0:
        return "heldout"
    return "test" if bucket == 1 else "train"


def draw(split: Split, seed: int, weights: Mapping[str, float] | None = None) -> Iterator[Item]:
    """Endless items of a split; `weights` are the families' shares (default: all equal)."""
    random = Random(f"{split} {seed}")
    names = list(weights or FAMILIES)
    shares = list(weights.values()) if weights else [1.0] * len(names)
    while True:
        yield _draw_from(random, split, random.choices(names, shares)[0])


def draw_balanced(split: Split, seed: int, count: int) -> list[Item]:
    """`count` distinct questions, the families taking turns. Raises ValueError where a family has not so many."""
    random = Random(f"{split} balanced {seed}")
    names = list(FAMILIES)
    return _distinct(random, split, [names[turn % len(names)] for turn in range(count)])


def draw_lookups(split: Split, seed: int, count: int) -> list[Item]:
    """`count` distinct questions of the families that an adapter learns within a minute, in their shares."""
    random = Random(f"{split} lookups {seed}")
    return _distinct(random, split, random.choices(list(LOOKUPS), list(LOOKUPS.values()), k=count))


def draw_stories(split: Split, seed: int, count: int) -> list[Item]:
    """`count` distinct sums told as stories."""
    return _distinct(Random(f"{split} stories {seed}"), split, ["story"] * count)


def _distinct(random: Random, split: Split, families: list[str]) -> list[Item]:
    items: dict[tuple[str, str], Item] = {}
    for family in families:
        tries = (_draw_from(random, split, family) for _ in range(10_000))
        item = next((item for item in tries if (item.instruction, item.input) not in items), None)
        if item is None:
            raise ValueError(f"the {split} split has too few questions of the family {family}")
        items[item.instruction, item.input] = item
    return list(items.values())


def _draw_from(random: Random, split: Split, family: str) -> Item:
    while True:
        item = FAMILIES[family](random)
        if split_of(item.key) == split:
            return item


def write(path: Path, items: list[Item]) -> None:
    """One JSON object a line: `instruction`, `input`, `output`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        for item in items:
            record = {"instruction": item.instruction, "input": item.input, "output": item.output}
            file.write(json.dumps(record) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=DATA, help="folder for the files")
    parser.add_argument("--train", type=int, default=8000, help="examples for adapters to train on")
    parser.add_argument("--heldout", type=int, default=450, help="validation examples")
    parser.add_argument("--test", type=int, default=450, help="test examples")
    parser.add_argument("--stories", type=int, default=4000, help="word problems to train on")
    parser.add_argument(
        "--heldout-stories", type=int, default=200, help="word problems for validation, and for the test"
    )
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    counts: dict[Split, int] = {"train": options.train, "heldout": options.heldout, "test": options.test}
    for split, count in counts.items():
        write(options.out / f"{split}.jsonl", draw_lookups(split, options.seed, count))
        stories = options.stories if split == "train" else options.heldout_stories
        write(options.out / "stories" / f"{split}.jsonl", draw_stories(split, options.seed, stories))


if __name__ == "__main__":
    main()
