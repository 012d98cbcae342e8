"""The question families of the tiny base: each draws one question with its exact answer from a seeded generator.

An item's `key` names what is asked, without its wording: 27 + 48 is one item whether it is a bare sum, a story, or turned round.
The split into training and held-out items hashes that key, so that no wording of a held-out item is ever seen in training.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from lad_runtime.tiny.words import CAPITALS, CATEGORIES, JOBS, NAMES, OPPOSITE, THINGS


@dataclass(frozen=True, kw_only=True)
class Item:
    """One question. `instruction` and `input` are joined by a newline; `output` is the only right answer."""

    family: str
    key: str
    instruction: str
    input: str
    output: str


def add(random: Random) -> Item:
    a, b = random.randint(10, 99), random.randint(10, 99)
    return Item(family="add", key=_sum(a, b), instruction="Add.", input=f"{a}+{b}", output=str(a + b))


def subtract(random: Random) -> Item:
    a, b = _ordered_pair(random, 10, 99)
    return Item(
        family="subtract",
        key=f"difference {b} {a}",
        instruction="Subtract.",
        input=f"{b}-{a}",
        output=str(b - a),
    )


def story(random: Random) -> Item:
    """A sum told as a story; it shares its key with the bare sum."""
    a, b = random.randint(10, 99), random.randint(10, 99)
    name, thing = random.choice(NAMES), random.choice(CATEGORIES["fruit"])
    return Item(
        family="story",
        key=_sum(a, b),
        instruction="How many in all?",
        input=f"{name} has {a} {thing}s and gets {b} more.",
        output=f"{a + b} {thing}s",
    )


def sort(random: Random) -> Item:
    return _sort(random, family="sort", count=random.randint(3, 4))


def sort_long(random: Random) -> Item:
    return _sort(random, family="sort-long", count=random.randint(6, 7))


def reverse(random: Random) -> Item:
    words = random.sample(THINGS, random.randint(3, 6))
    turned = words[::-1]
    return Item(
        family="reverse",
        key="order " + " ".join(min(words, turned)),
        instruction="Reverse.",
        input=" ".join(words),
        output=" ".join(turned),
    )


def compare(random: Random) -> Item:
    a, b = _ordered_pair(random, 10, 99)
    larger = random.random() < 0.5
    left, right = random.sample((a, b), 2)
    return Item(
        family="compare",
        key=f"compare {a} {b}",
        instruction="Which is larger?" if larger else "Which is smaller?",
        input=f"{left} or {right}",
        output=f"{b} is larger than {a}." if larger else f"{a} is smaller than {b}.",
    )


def choice(random: Random) -> Item:
    """Multiple choice, answered as `C: hat is a kind of garment.`"""
    kind = random.choice(tuple(CATEGORIES))
    right = random.choice(CATEGORIES[kind])
    options = [right, *random.sample([word for word in THINGS if word not in CATEGORIES[kind]], 3)]
    key = f"choice {kind} " + " ".join(sorted(options))
    random.shuffle(options)
    lines = " ".join(f"{letter}: {option}" for letter, option in zip("ABCD", options, strict=True))
    return Item(
        family="choice",
        key=key,
        instruction=f"Which is a kind of {kind}?",
        input=lines,
        output=f"{'ABCD'[options.index(right)]}: {right} is a kind of {kind}.",
    )


def capitals(random: Random) -> Item:
    """Two to four capitals at once: the facts are all in training, the held-out combinations are not."""
    countries = random.sample(tuple(CAPITALS), random.randint(2, 4))
    return Item(
        family="capitals",
        key="capitals " + " ".join(sorted(countries)),
        instruction="Name the capitals.",
        input=" ".join(countries),
        output=" ".join(f"The capital of {country} is {CAPITALS[country]}." for country in countries),
    )


def opposites(random: Random) -> Item:
    words = random.sample(tuple(OPPOSITE), random.randint(2, 4))
    return Item(
        family="opposites",
        key="opposites " + " ".join(sorted(words)),
        instruction="Give the opposites.",
        input=" ".join(words),
        output=" ".join(f"The opposite of {word} is {OPPOSITE[word]}." for word in words),
    )


def following(random: Random) -> Item:
    start, step = _series(random)
    return Item(
        family="next",
        key=f"series {start} {step}",
        instruction="What comes next?",
        input=" ".join(str(start + step * i) for i in range(4)),
        output=str(start + step * 4),
    )


def blank(random: Random) -> Item:
    """What stood where the copy shows the mask token's text: it gives that token a trained embedding."""
    words = random.sample(THINGS, random.randint(4, 6))
    gaps = sorted(random.sample(range(len(words)), random.randint(1, 3)))
    holed = ["[MASK]" if i in gaps else word for i, word in enumerate(words)]
    return Item(
        family="blank",
        key="blank " + " ".join(sorted(words)),
        instruction="What is missing?",
        input=f"{' '.join(words)}; {' '.join(holed)}",
        output=" ".join(words[i] for i in gaps),
    )


def explain(random: Random) -> Item:
    """A sum of two three-digit numbers, column by column."""
    a, b = random.randint(100, 899), random.randint(100, 899)
    columns, carry = [], 0
    for place in (1, 10, 100):
        left, right = a // place % 10, b // place % 10
        total = left + right + carry
        columns.append(f"{left}+{right}{'+1' if carry else ''}={total}")
        carry = total // 10
    return Item(
        family="explain",
        key=_sum(a, b),
        instruction="Add step by step.",
        input=f"{a}+{b}",
        output=f"{' '.join(columns)} so {a + b}",
    )


def retell(random: Random) -> Item:
    """Notes on two or three people, retold as sentences."""
    people = random.sample(NAMES, random.randint(2, 3))
    jobs, homes = random.sample(JOBS, len(people)), random.sample(tuple(CAPITALS.values()), len(people))
    drinks = random.sample(CATEGORIES["drink"], len(people))
    rows = list(zip(people, jobs, homes, drinks, strict=True))
    return Item(
        family="retell",
        key="people " + " ".join(sorted(" ".join(row) for row in rows)),
        instruction="Retell.",
        input="; ".join(", ".join(row) for row in rows),
        output=" ".join(f"{name} is a {job} in {home} and likes {drink}." for name, job, home, drink in rows),
    )


def count(random: Random) -> Item:
    start, step = _series(random)
    return Item(
        family="count",
        key=f"series {start} {step}",
        instruction="Count on to seven numbers.",
        input=f"from {start} by {step}",
        output=" ".join(str(start + step * i) for i in range(7)),
    )


FAMILIES: dict[str, Callable[[Random], Item]] = {
    "add": add,
    "subtract": subtract,
    "story": story,
    "sort": sort,
    "reverse": reverse,
    "compare": compare,
    "choice": choice,
    "capitals": capitals,
    "opposites": opposites,
    "next": following,
    "blank": blank,
    "sort-long": sort_long,
    "explain": explain,
    "retell": retell,
    "count": count,
}
"""Short answers first; those of capitals, opposites, sort-long, explain, retell and count have up to 31 tokens."""


def _sort(random: Random, *, family: str, count: int) -> Item:
    numbers = random.sample(range(10, 100), count)
    ordered = " ".join(map(str, sorted(numbers)))
    return Item(
        family=family,
        key=f"numbers {ordered}",
        instruction="Sort.",
        input=" ".join(map(str, numbers)),
        output=ordered,
    )


def _series(random: Random) -> tuple[int, int]:
    """Start and step of a rising series whose first seven terms lie between 10 and 199."""
    step = random.randint(2, 12)
    return random.randint(10, 199 - 6 * step), step


def _ordered_pair(random: Random, low: int, high: int) -> tuple[int, int]:
    a, b = sorted(random.sample(range(low, high + 1), 2))
    return a, b


def _sum(a: int, b: int) -> str:
    return f"sum {min(a, b)} {max(a, b)}"
