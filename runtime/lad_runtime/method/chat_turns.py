"""A conversation cut into prompt and answers, as text."""

from collections.abc import Callable, Sequence

from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.method.example import Message

Piece = tuple[str, bool]
"""Text, and whether it is an answer. An answer comes without the token that ends it."""
Render = Callable[[Sequence[Message], bool], str]


def last_answer(id: int, messages: Sequence[Message], render: Render, end_token: str) -> list[Piece]:
    """The last message is the answer, everything before it the prompt."""
    return [(render(messages[:-1], True), False), (messages[-1].content, True)]


def every_answer(id: int, messages: Sequence[Message], render: Render, end_token: str) -> list[Piece]:
    """Each assistant turn is an answer, what stands between them prompt.

    The template has to write turns one after another; raises INVALID_DATA for one that rewrites earlier turns.
    """
    turns = [i for i, message in enumerate(messages) if message.role == "assistant"]
    pieces: list[Piece] = []
    done = ""  # the text that the pieces so far stand for, up to the last answer
    answer = ""
    for turn in turns:
        text = render(messages[:turn], True)
        if not text.startswith(done):
            raise _rewritten(id)
        between = text[len(done) :]
        if pieces:
            between = _after_answer(id, between, answer, end_token)
        answer = messages[turn].content
        pieces += [(between, False), (answer, True)]
        done = text
    return pieces


def _after_answer(id: int, text: str, answer: str, end_token: str) -> str:
    """What follows an answer and its end, where the template wrote the answer as it is or without the space around it."""
    for written in (answer, answer.strip()):
        if text.startswith(written):
            rest = text[len(written) :]
            space, end, after = rest.partition(end_token)
            return after if end and not space.strip() else rest
    raise _rewritten(id)


def _rewritten(id: int) -> LadError:
    return LadError(
        ErrorCode.INVALID_DATA,
        f"The chat template rewrites the earlier turns of example {id}.",
        option="superviseTurns",
        value="all-assistant",
        remedy="Supervise the last turn only (turns: last), or give another chatTemplate.",
    )
