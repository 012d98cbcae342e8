"""Which columns of a row are read, which are refused, and which are ignored (docs/data.md)."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple

from lad_runtime.types.data import EXAMPLE_FIELDS

CHAT = ("messages", "id", "weight", "source")
INSTRUCTION = ("system", "instruction", "input", "output", "id", "weight", "source")
_MEANINGS: Mapping[str, tuple[str, ...]] = {
    "system": ("system_prompt", "system_message"),
    "instruction": ("question", "prompt", "query", "problem"),
    "input": ("context",),
    "output": ("answer", "response", "completion", "target"),
    "messages": ("conversations", "conversation", "dialogue", "turns"),
    "weight": ("loss_weight", "sample_weight", "example_weight"),
}
"""What other data calls a column: a row that has such a name and not our own would be read without what it says."""

_ANSWERING: Mapping[str, str] = {
    "tools": "Write what the model is told of its tools into the system message.",
    "functions": "Write what the model is told of its functions into the system message.",
    "images": "Leave out examples with images: a Llama reads text.",
}
"""What an answer depends on elsewhere and that no column of ours could hold."""

_TURN = ("role", "content")
_TURN_ELSEWHERE: Mapping[str, str] = {
    "weight": "Give the example a weight, or choose the turns that train by superviseTurns.",
    "train": "Give the example a weight, or choose the turns that train by superviseTurns.",
    "tool_calls": "Write calls of tools into the content.",
    "function_call": "Write calls of functions into the content.",
}

_SHORTEST = 4
_LIKENESS = 0.8  # of letters in common, Ratcliff and Obershelp's: one in five is another


class Refusal(NamedTuple):
    problem: str
    remedy: str


def refused_column(row: Mapping[str, Any]) -> Refusal | None:
    """The first column of a row that may not be ignored, in the row's order; None: the others mean nothing to training.

    Columns that hold null are as good as absent.
    """
    given = [name for name, value in row.items() if value is not None]
    if "messages" not in given and not {"instruction", "output"} & set(given):
        return None
    own = CHAT if "messages" in given else INSTRUCTION
    missing = [name for name in own if name not in given]
    for name in given:
        if name in own:
            continue
        meant = _meaning(name, missing) or _misspelt(name, missing)
        if meant is not None:
            return _no_column(name, f"Did you mean {meant}?", {**_read(own, given), meant: name})
        if name in _ANSWERING and row[name]:
            return _no_column(name, _ANSWERING[name], _read(own, given))
    if "messages" in given and row.get("system") and not _opens_with_system(row["messages"]):
        return Refusal("system stands beside messages", "Write it as the first message, of the role system.")
    return None


def refused_of_turn(turn: Mapping[str, Any]) -> Refusal | None:
    """The first key of a message that may not be ignored."""
    for name, value in turn.items():
        if name in _TURN or value is None or value == []:
            continue
        if name in _TURN_ELSEWHERE:
            return Refusal(f"a message has no key {name}", _TURN_ELSEWHERE[name])
        meant = _misspelt(name, [key for key in _TURN if key not in turn])
        if meant is not None:
            return Refusal(f"a message has no key {name}", f"Did you mean {meant}?")
    return None


def mapping_of(names: Sequence[str]) -> str:
    """The option `fields` that reads columns which mean an instruction and its answer, or a chat; empty if there are none."""
    found = {own: name for own in _MEANINGS if (name := _first(own, names)) is not None}
    if "messages" in found:
        return written({"messages": found["messages"]})
    return written(found) if {"instruction", "output"} <= found.keys() else ""


def written(fields: Mapping[str, str]) -> str:
    """The option `fields` as a user writes it."""
    return "fields: { " + ", ".join(f'{own}: "{name}"' for own, name in fields.items()) + " }"


def _no_column(name: str, remedy: str, fields: Mapping[str, str]) -> Refusal:
    reading = {own: fields[own] for own in EXAMPLE_FIELDS if own in fields}
    verb = "read it so" if name in fields.values() else "ignore it"
    return Refusal(f"there is no key {name}", f"{remedy} To {verb}, give the source {written(reading)}.")


def _read(own: Sequence[str], given: Sequence[str]) -> dict[str, str]:
    """The columns that a row has by their own names."""
    return {name: name for name in own if name in given}


def _first(own: str, names: Sequence[str]) -> str | None:
    return next((name for name in (own, *_MEANINGS[own]) if name in names), None)


def _meaning(name: str, missing: Sequence[str]) -> str | None:
    """The missing column that this one means."""
    return next((own for own in missing if name.lower() in _MEANINGS.get(own, ())), None)


def _misspelt(name: str, missing: Sequence[str]) -> str | None:
    """The missing column that this one is a slip of, of the same first letter: `id` is too short to tell."""
    word = name.strip().lower()
    like = [own for own in missing if len(own) >= _SHORTEST and own[:1] == word[:1]]
    return next(iter(get_close_matches(word, like, n=1, cutoff=_LIKENESS)), None)


def _opens_with_system(messages: Any) -> bool:
    first = messages[0] if isinstance(messages, list) and messages else None
    return isinstance(first, dict) and first.get("role") == "system"
