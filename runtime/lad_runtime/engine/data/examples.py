"""Reads examples from JSON lines: `system/instruction/input/output`, or `messages`, each with an optional `id`, `weight` and the
name of its `source`."""

import json
from collections.abc import Iterable, Iterator
from typing import Any, NoReturn, cast

from lad_runtime.checks import MAX_FLOAT32
from lad_runtime.engine.data.columns import Refusal, mapping_of, refused_column, refused_of_turn
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.types.data import Example, Message
from lad_runtime.types.limits import MAX_UINT64

MAX_SOURCE_NAME = 64
_LONGEST_ID = 20  # digits of 2^64 − 1
_LONGEST_SHOWN = 64  # characters
_MOST_MISTAKES = 10  # that one error tells
_LONGEST_MISTAKE = 160  # characters
_ROLES = ("system", "user", "assistant")


def read_examples(lines: Iterable[bytes]) -> Iterator[Example]:
    """The examples of a data set in order. Blank lines are ignored, and so are columns that mean nothing to training.

    A whole number as `id` keys an example's noise; its default is the row number, from 0. Raises LadError(INVALID_DATA) with the
    line's number, from 1.
    """
    for example in _examples_and_mistakes(lines):
        if isinstance(example, LadError):
            raise example
        yield example


def count_examples(lines: Iterable[bytes]) -> int:
    """How many examples there are. Raises as `read_examples`, with the first ten wrong lines and how many there are in all."""
    count = wrong = 0
    mistakes: list[LadError] = []
    for example in _examples_and_mistakes(lines):
        if isinstance(example, LadError):
            wrong += 1
            if len(mistakes) < _MOST_MISTAKES:
                mistakes.append(example)
        else:
            count += 1
    if mistakes:
        raise _together(mistakes, wrong)
    return count


def _together(mistakes: list[LadError], wrong: int) -> LadError:
    """One error of the first mistakes; the remedy is the first one's."""
    first, *others = mistakes
    if not others:
        return first
    told = "; ".join(
        "l" + error.message[1:].replace(" of the data:", ":", 1).removesuffix(".")[:_LONGEST_MISTAKE]
        for error in others
    )
    more = f"{wrong - 1} more {'lines are' if wrong > 2 else 'line is'} wrong"
    return LadError(
        ErrorCode.INVALID_DATA,
        f"{first.message} {more}{', among them' if wrong > len(mistakes) else ':'} {told}.",
        option=first.option,
        remedy=first.remedy,
    )


def _examples_and_mistakes(lines: Iterable[bytes]) -> Iterator[Example | LadError]:
    """An example or what is wrong, of each line that is not blank."""
    seen: set[int] = set()
    row = 0
    for number, line in enumerate(lines, start=1):
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if not line.strip():
            continue
        try:
            example = _example(_object(line, number), row, number)
            if example.id in seen:
                _refuse(
                    number,
                    f"id {example.id} stands in an earlier line too",
                    "Give every example an id of its own, or none.",
                )
            seen.add(example.id)
        except LadError as mistake:
            found: Example | LadError = mistake
        else:
            found = example
        row += 1
        yield found


def check_columns(row: dict[str, Any], number: int) -> None:
    """Raises LadError(INVALID_DATA) for a column of a line's row that may not be ignored."""
    _check(refused_column(row), number)


def _object(line: bytes, number: int) -> dict[str, Any]:
    try:
        value = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError:
        _refuse(number, "it is not UTF-8", "Save the file as UTF-8.")
    except (ValueError, RecursionError) as error:
        _refuse(number, f"it is not JSON ({_reason(error)})", "Write one JSON object a line.")
    if not isinstance(value, dict):
        _refuse(
            number,
            "it is not a JSON object",
            'Write {"instruction": ..., "output": ...} or {"messages": [...]}.',
        )
    return value


def _example(fields: dict[str, Any], row: int, number: int) -> Example:
    check_columns(fields, number)
    if "messages" in fields:
        messages = _messages(fields["messages"], number)
    elif "instruction" in fields or "output" in fields:
        messages = _instruction(fields, number)
    else:
        names = ", ".join(sorted(fields)[:8]) or "none"
        meaning = mapping_of(list(fields))
        _refuse(
            number,
            f"it has neither messages nor instruction and output (its fields: {names})",
            (f"Give the source {meaning}, or write" if meaning else "Write")
            + ' {"instruction": ..., "output": ...} or {"messages": [...]}.',
        )
    return Example(
        id=row if fields.get("id") is None else _id(fields["id"], number),
        messages=messages,
        source=_source(fields.get("source")),
        weight=_weight(fields.get("weight"), number),
    )


def _id(value: Any, number: int) -> int:
    """A whole number, however it is written: 7, 7.0 and "7" are the same."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= _LONGEST_ID:
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        _refuse(
            number,
            f"id {_shown(value)} is no whole number",
            "Give a whole number, or read the other columns alone by naming them in the source's fields.",
        )
    if not 0 <= value <= MAX_UINT64:
        _refuse(number, f"id {value} is out of range", "An integer id lies between 0 and 2^64 − 1.")
    return value


def _weight(value: Any, number: int) -> float:
    if value is None:
        return 1.0
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 <= value <= MAX_FLOAT32:
        _refuse(
            number,
            f"weight {_shown(value)} is no finite number of at least 0",
            "Give how many times its loss counts: 1 as any other, 0 not at all.",
        )
    return float(value)


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def _source(value: Any) -> str:
    """The name of a source; any other value that a column of this name holds is ignored."""
    return value if isinstance(value, str) and len(value) <= MAX_SOURCE_NAME and value.isprintable() else ""


def _instruction(fields: dict[str, Any], number: int) -> tuple[Message, ...]:
    """Joins instruction and input by a newline; drops an empty system prompt."""
    system = _text(fields.get("system") or "", "system", number)
    asked = [_text(fields.get(name) or "", name, number) for name in ("instruction", "input")]
    question = "\n".join(part for part in asked if part)
    if not question.strip():
        _refuse(number, "instruction is empty", "Give every example an instruction, an input or both.")
    if fields.get("output") is None:
        _refuse(number, "output is missing", "Give every example an output; it may be empty text.")
    answer = _text(fields["output"], "output", number)
    turns = [Message(role="user", content=question), Message(role="assistant", content=answer)]
    return tuple([Message(role="system", content=system), *turns] if system.strip() else turns)


def _messages(value: Any, number: int) -> tuple[Message, ...]:
    if not isinstance(value, list) or not all(isinstance(turn, dict) for turn in value):
        _refuse(number, "messages is not a list of objects", 'Write [{"role": "user", "content": ...}, ...].')
    turns = []
    for turn in cast(list[dict[str, Any]], value):
        _check(refused_of_turn(turn), number)
        role = turn.get("role")
        if role not in _ROLES:
            _refuse(number, f"role {role!r} is not known", "A role is system, user or assistant.")
        turns.append(Message(role=role, content=_text(turn.get("content"), "content", number)))
    roles = [turn.role for turn in turns]
    if roles[-1:] != ["assistant"] or "user" not in roles:
        _refuse(
            number,
            "messages does not end with an answer to a user",
            "Let the last message be the assistant's.",
        )
    if "system" in roles[1:]:
        _refuse(number, "a system message stands after the beginning", "Let it be the first message.")
    return tuple(turns)


def _text(value: Any, name: str, number: int) -> str:
    if not isinstance(value, str):
        _refuse(number, f"{name} is not text", f"Give {name} as a string.")
    try:
        value.encode()
    except UnicodeEncodeError:
        _refuse(
            number,
            f"{name} holds half of a surrogate pair",
            "Write characters beyond U+FFFF as a whole pair.",
        )
    return value


def _reason(error: Exception) -> str:
    return error.msg if isinstance(error, json.JSONDecodeError) else "nested too deeply or a number too long"


def _check(refusal: Refusal | None, number: int) -> None:
    if refusal is not None:
        _refuse(number, *refusal)


def _refuse(number: int, problem: str, remedy: str) -> NoReturn:
    raise LadError(
        ErrorCode.INVALID_DATA, f"Line {number} of the data: {problem}.", option="data", remedy=remedy
    )
