"""The process that renders a chat template. It is a separate script, because a template is code from a model's author.

It reads one JSON object per line from standard input and answers each with one line. The first is the set-up, `{"template",
"limits": {"cpu_seconds", "memory_bytes", "characters"}}`; each later one is a conversation, `{"variables"}`. Answers are `{"text"}`
or `{"problem", "detail"}` with problem `syntax | refused | unsafe | too-long | memory | failed`. The kernel kills a render that
exceeds its CPU time (SIGPROF). The process ends when its standard input ends.

It imports nothing of lad_runtime, so that it starts in a tenth of a second and has no secrets in its memory.
"""

import sys

sys.path.pop(0)  # the script's own folder, whose modules could shadow the standard library's

import json
import resource
import signal
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NoReturn

import jinja2
from jinja2 import nodes
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.runtime import Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

FIXED_DATE = datetime(2024, 7, 26)  # the default date of Llama 3's own templates


def main() -> None:
    for request in (
        signal.SIGINT,
        signal.SIGTERM,
    ):  # sent to the worker's group; the worker decides when it ends
        signal.signal(request, signal.SIG_IGN)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    lines = iter(sys.stdin.buffer.readline, b"")
    setup = json.loads(next(lines))
    limits = setup["limits"]
    resource.setrlimit(resource.RLIMIT_AS, (limits["memory_bytes"], limits["memory_bytes"]))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for answer in _answers(setup["template"], limits, lines):
        signal.setitimer(signal.ITIMER_PROF, 0)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _answers(source: str, limits: dict[str, Any], lines: Iterator[bytes]) -> Iterator[dict[str, str]]:
    def attempt(act: Any, *arguments: Any) -> dict[str, Any]:
        signal.setitimer(signal.ITIMER_PROF, limits["cpu_seconds"])
        try:
            return {"value": act(*arguments)}
        except _Refused as error:
            return {"problem": "refused", "detail": str(error)[:300]}
        except _TooLong:
            return {"problem": "too-long", "detail": ""}
        except SecurityError as error:
            return {"problem": "unsafe", "detail": str(error)[:300]}
        except jinja2.TemplateSyntaxError as error:
            return {"problem": "syntax", "detail": f"line {error.lineno}: {str(error.message)[:300]}"}
        except MemoryError:
            return {"problem": "memory", "detail": ""}
        except Exception as error:
            return {"problem": "failed", "detail": f"{type(error).__name__}: {str(error)[:300]}"}

    compiled = attempt(_environment().from_string, source)
    template = compiled.pop("value", None)
    yield compiled or {"text": ""}
    if template is None:
        return
    for line in lines:
        rendered = attempt(_render, template, json.loads(line)["variables"], limits["characters"])
        yield {"text": rendered["value"]} if "value" in rendered else rendered


def _render(template: jinja2.Template, variables: dict[str, Any], most_characters: int) -> str:
    pieces, length = [], 0
    for piece in template.generate(**variables):
        length += len(piece)
        if length > most_characters:
            raise _TooLong
        pieces.append(piece)
    return "".join(pieces)


class _Refused(Exception):
    """The template called `raise_exception`."""


class _TooLong(Exception):
    """The rendered text is longer than allowed."""


class _Environment(ImmutableSandboxedEnvironment):
    def unsafe_undefined(self, obj: Any, attribute: str) -> Undefined:
        raise SecurityError(f"the attribute {attribute[:60]!r} of {type(obj).__name__} is out of bounds")


class _GenerationTag(Extension):
    """Renders the body of `{% generation %}…{% endgeneration %}`, which marks an assistant's text for training masks."""

    tags = {"generation"}  # noqa: RUF012 (the name and type that jinja2 requires)

    def parse(self, parser: Parser) -> list[nodes.Node]:
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class _TemplateNamespace(Namespace):
    """`namespace()` without names that begin with an underscore, which jinja2's own lets a template set."""

    def __init__(*args: Any, **kwargs: Any) -> None:
        attributes = dict(*args[1:], **kwargs)
        for name in attributes:
            _check_name(name)
        Namespace.__init__(args[0], attributes)

    def __setitem__(self, name: str, value: Any) -> None:
        _check_name(name)
        super().__setitem__(name, value)


def _check_name(name: object) -> None:
    if isinstance(name, str) and name.startswith("_"):
        raise SecurityError(f"the namespace name {name[:60]!r} is out of bounds")


def _environment() -> _Environment:
    """The filters and functions that transformers offers to chat templates, with a fixed date."""

    def raise_exception(message: object) -> NoReturn:
        raise _Refused(str(message))

    def tojson(
        value: Any,
        ensure_ascii: bool = False,
        indent: Any = None,
        separators: Any = None,
        sort_keys: bool = False,
    ) -> str:
        return json.dumps(
            value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys
        )

    environment = _Environment(
        trim_blocks=True, lstrip_blocks=True, extensions=[_GenerationTag, loopcontrols]
    )
    environment.filters["tojson"] = tojson
    environment.globals.update(
        raise_exception=raise_exception,
        strftime_now=FIXED_DATE.strftime,
        namespace=_TemplateNamespace,
    )
    return environment


if __name__ == "__main__":
    main()
