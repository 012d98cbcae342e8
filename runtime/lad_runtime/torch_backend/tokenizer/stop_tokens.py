"""The tokens that end an answer: those that a model folder names, and the one that ends a turn in its chat template."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tokenizers

from lad_runtime.errors import LadError
from lad_runtime.torch_backend.files.model_files import read_json
from lad_runtime.torch_backend.tokenizer.template import ChatTemplate
from lad_runtime.types.data import Message

_CONFIGURATIONS = ("generation_config.json", "config.json")
_QUESTION, _ANSWER = "4711", "1729"  # texts that no template contains or changes


@dataclass(frozen=True, kw_only=True)
class NamedStops:
    """The stop tokens that a folder's files name; `passed_over` are those ignored because they are ordinary text."""

    tokens: tuple[str, ...]
    passed_over: tuple[str, ...]


def named_stops(folder: Path, eos_token: str | None, backend: tokenizers.Tokenizer) -> NamedStops:
    """The tokenizer's `eos_token`, then those of generation_config.json and config.json.

    An id there that is ordinary text is far more often a configuration's default (2, in transformers) than a stop token. So it
    is used only if there is no other.
    """
    added = {token.content for token in backend.get_added_tokens_decoder().values()}
    own = () if eos_token is None else (eos_token,)
    listed = tuple(
        dict.fromkeys(token for name in _CONFIGURATIONS for token in _listed(folder, name, backend))
    )
    tokens = tuple(dict.fromkeys((*own, *(token for token in listed if token in added)))) or listed
    return NamedStops(tokens=tokens, passed_over=tuple(token for token in listed if token not in tokens))


def closing_token(template: ChatTemplate, controls: Collection[str], stops: Collection[str]) -> str | None:
    """The token among `controls` that the template writes after an assistant's text; None if it writes none there.

    A token that also opened the turn counts only if it is in `stops`: some templates always end with the next turn's beginning.
    """
    messages = [Message(role="user", content=_QUESTION), Message(role="assistant", content=_ANSWER)]
    try:
        before, answer, after = template.render(messages, False).rpartition(_ANSWER)
    except LadError:  # callers receive it when they render their own conversations
        return None
    if not answer:
        return None
    after = after.lstrip()
    closing = max((token for token in controls if after.startswith(token)), key=len, default=None)
    opening = max((token for token in controls if token in before), key=before.rfind, default=None)
    return closing if closing != opening or closing in stops else None


def _listed(folder: Path, name: str, backend: tokenizers.Tokenizer) -> list[str]:
    ids = read_json(folder, name, optional=True).get("eos_token_id")
    tokens = [_token(backend, id) for id in (ids if isinstance(ids, list) else [ids])]
    return [token for token in tokens if token is not None]


def _token(backend: tokenizers.Tokenizer, id: Any) -> str | None:
    known = isinstance(id, int) and not isinstance(id, bool) and 0 <= id < 2**32
    return backend.id_to_token(id) if known else None
