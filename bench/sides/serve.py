"""A side's conversation with the harness: one JSON object a line, requests on standard input, replies on standard output."""

import json
import os
import sys
import traceback
from typing import Any, Protocol, TextIO

from bench.sides import memory
from lad_runtime.errors import LadError

Values = dict[str, Any]


class Side(Protocol):
    """What is measured. It computes only while a request is being answered."""

    def load(self, request: Values) -> Values:
        """Everything that is not timed; what the other side and the harness need to know of it."""

    def prepare(self, request: Values) -> None:
        """Takes the inputs that every run computes with."""

    def run(self, request: Values) -> Values:
        """One timed unit: `seconds`, and what came out."""


def serve(side: Side) -> None:
    """Answers `load`, `prepare`, `run` and, where the side has it, `profile`, until standard input ends."""
    replies = _private_stdout()
    for line in sys.stdin:
        try:
            reply: Values = {"ok": _answer(side, json.loads(line))}
        except LadError as error:
            reply = {"refused": {"code": error.code.value, "message": str(error)}}
        except Exception as error:
            traceback.print_exc()
            reply = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(reply), file=replies, flush=True)


def _answer(side: Side, request: Values) -> Values:
    action = request.pop("do")
    if action == "load":
        facts = side.load(request)
        memory.forget_peak()
        return {**facts, "residentBytes": memory.resident_bytes()}
    if action == "run":
        return {**side.run(request), "peakBytes": memory.peak_bytes()}
    getattr(side, action)(request)
    return {}


def _private_stdout() -> TextIO:
    """Standard output for replies alone: what a library prints goes to standard error."""
    replies = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return replies
