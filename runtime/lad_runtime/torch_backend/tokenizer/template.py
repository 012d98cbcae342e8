"""A model's chat template, rendered in a sandbox process under limits (template_sandbox.py)."""

import signal
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lad_runtime.errors import ErrorCode, LadError, invalid_option
from lad_runtime.torch_backend.tokenizer.template_process import SandboxEnded, SandboxProcess
from lad_runtime.types.data import Message

_START_SECONDS = 60.0  # of wall time for a new interpreter's first answer on a busy machine
_WALL_SECONDS = 60.0  # for one conversation; the effective limit is on its CPU time


@dataclass(frozen=True, kw_only=True)
class TemplateLimits:
    """The limits for rendering one conversation."""

    cpu_seconds: float = 2.0
    memory_bytes: int = 512 << 20  # of address space, the interpreter included
    characters: int = 4 << 20  # of rendered text
    source_characters: int = 1 << 20  # of the template itself


class ChatTemplate:
    """Renders conversations with the Jinja template `source`, as transformers does, with the date fixed to 26 July 2024.

    `given` tells, for error texts, that the caller wrote the template (the `chatTemplate` option) and not the model's author.
    `variables` are the special tokens that the template may use (`bos_token`, `eos_token`, …). Raises LadError at once for a
    template that does not compile. Thread-safe.
    """

    def __init__(
        self,
        source: str,
        *,
        given: bool = False,
        variables: Mapping[str, str] | None = None,
        limits: TemplateLimits | None = None,
    ) -> None:
        self.source = source
        self._given = given
        self._variables = dict(variables or {})
        self._limits = limits or TemplateLimits()
        self._lock = threading.Lock()
        self._child: SandboxProcess | None = None
        if len(source) > self._limits.source_characters:
            raise self._error(f"is longer than {self._limits.source_characters} characters")
        with self._lock:
            self._start()

    def render(self, messages: Sequence[Message], add_generation_prompt: bool) -> str:
        """The conversation as text; with `add_generation_prompt`, including the beginning of the assistant's next turn.

        Raises INVALID_DATA if the template rejects the messages, and INVALID_FILE (INVALID_OPTION for the caller's own
        template) if it fails, accesses something forbidden, or exceeds the limits.
        """
        variables = {
            **self._variables,
            "messages": [{"role": message.role, "content": message.content} for message in messages],
            "add_generation_prompt": add_generation_prompt,
            "tools": None,
            "documents": None,
        }
        with self._lock:
            if self._child is None:
                self._start()
            return self._ask({"variables": variables}, _WALL_SECONDS)

    def close(self) -> None:
        """Ends the template's process; a later `render` starts another."""
        with self._lock:
            self._end()

    def _start(self) -> None:
        self._child = SandboxProcess()
        limits = {
            "cpu_seconds": self._limits.cpu_seconds,
            "memory_bytes": self._limits.memory_bytes,
            "characters": self._limits.characters,
        }
        self._ask({"template": self.source, "limits": limits}, _START_SECONDS)

    def _ask(self, request: dict[str, Any], seconds: float) -> str:
        assert self._child is not None
        most_bytes = 12 * self._limits.characters + 4096  # \ud83e\udd99 is one character in JSON
        try:
            answer = self._child.ask(request, seconds, most_bytes)
        except SandboxEnded as ended:
            self._end()
            if ended.status == -signal.SIGPROF or ended.timed_out:
                raise self._error(
                    f"needs more than {self._limits.cpu_seconds:g} s for one conversation"
                ) from None
            raise self._error("made its process end") from None
        except BaseException:
            self._end()
            raise
        if "text" in answer:
            return str(answer["text"])
        problem, detail = answer["problem"], answer["detail"]
        if problem == "refused":
            raise LadError(
                ErrorCode.INVALID_DATA,
                f"The chat template refuses these messages: {detail}",
                option="messages",
                remedy="Give messages in an order that it takes, or another chatTemplate.",
            )
        if problem in ("syntax", "memory"):
            self._end()
        raise self._error(
            {
                "syntax": f"is not a valid Jinja template ({detail})",
                "unsafe": f"reaches for what a template must not touch ({detail})",
                "too-long": f"renders more than {self._limits.characters} characters",
                "memory": f"needs more than {self._limits.memory_bytes >> 20} MiB of memory",
                "failed": f"fails on these messages ({detail})",
            }[problem]
        )

    def _end(self) -> None:
        if self._child is not None:
            self._child.end()
            self._child = None

    def _error(self, problem: str) -> LadError:
        if self._given:
            return invalid_option(
                "chatTemplate", self.source, f"it {problem}", "Correct the template, or leave it out."
            )
        return LadError(
            ErrorCode.INVALID_FILE,
            f"The model's chat template {problem}.",
            remedy="Give one of your own as chatTemplate.",
        )
