"""Loads the tokenizer and chat template of a model folder."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tokenizers

from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.torch_backend.files.model_files import file_in, read_json
from lad_runtime.torch_backend.tokenizer.control_tokens import control_tokens
from lad_runtime.torch_backend.tokenizer.stop_tokens import closing_token, named_stops
from lad_runtime.torch_backend.tokenizer.template import ChatTemplate
from lad_runtime.torch_backend.tokenizer.tokenizer import Tokenizer

DEFAULT_MASK_TOKEN = "MASK"  # one token of Llama 3's vocabulary


def load_tokenizer(
    folder: Path, *, mask_token: str = "", chat_template: str = "", system_prompt: str = ""
) -> Tokenizer:
    """The tokenizer of a model folder: `tokenizer.json`, `tokenizer_config.json`, `chat_template.jinja`, `config.json`.

    An empty `mask_token` means the folder's own (`mask_token` in tokenizer_config.json, `mask_token_id` in config.json), else
    `MASK`; an empty `chat_template` means the folder's own. Answers end with the token that ends a turn in the template, else with
    the first that the folder names. Raises INVALID_FILE for missing or unreadable files, INVALID_OPTION for a mask string that is
    not exactly one token.
    """
    settings = read_json(folder, "tokenizer_config.json", optional=True)
    backend = _read_backend(folder)
    specials = _special_tokens(settings)
    named = named_stops(folder, specials.get("eos_token"), backend)
    stops = named.tokens
    if stops:
        specials.setdefault("eos_token", stops[0])
    controls = control_tokens(backend, {*stops, *_named_controls(settings, specials)})
    source = chat_template or _own_template(folder, settings)
    template = ChatTemplate(source, given=bool(chat_template), variables=specials) if source else None
    try:
        closing = closing_token(template, controls, stops) if template is not None else None
        return Tokenizer(
            backend,
            controls=controls,
            stop_tokens=tuple(dict.fromkeys((closing, *stops) if closing else stops)),
            warnings=tuple(map(_ordinary_stop, named.passed_over)),
            mask_token=mask_token
            or specials.get("mask_token")
            or _mask_of_config(folder, backend)
            or DEFAULT_MASK_TOKEN,
            template=template,
            system_prompt=system_prompt,
        )
    except BaseException:
        if template is not None:
            template.close()
        raise


def _read_backend(folder: Path) -> tokenizers.Tokenizer:
    path = file_in(folder, "tokenizer.json")
    if not path.is_file():
        raise LadError(
            ErrorCode.INVALID_FILE,
            f"The model folder has no tokenizer.json ({folder}).",
            remedy="Save the model's fast tokenizer there: AutoTokenizer.from_pretrained(…).save_pretrained(folder).",
        )
    try:
        return tokenizers.Tokenizer.from_file(str(path))
    except BaseException as error:  # the library's panics are not subclasses of Exception
        if isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit):
            raise
        raise LadError(
            ErrorCode.INVALID_FILE,
            f"tokenizer.json cannot be read: {str(error)[:200]}.",
            remedy="Get the file again; it may be damaged, or newer than this worker's `tokenizers` library.",
        ) from error


def _mask_of_config(folder: Path, backend: tokenizers.Tokenizer) -> str | None:
    """The text of `mask_token_id` in config.json, by which LLaDA names its own; None if no text is that token alone."""
    given = read_json(folder, "config.json", optional=True).get("mask_token_id")
    if type(given) is not int or not 0 <= given < 2**31:
        return None
    texts = (backend.id_to_token(given), backend.decode([given], skip_special_tokens=False))
    alone = (text for text in texts if text and backend.encode(text, add_special_tokens=False).ids == [given])
    return next(alone, None)


def _special_tokens(settings: dict[str, Any]) -> dict[str, str]:
    tokens = {}
    for name in ("bos_token", "eos_token", "unk_token", "pad_token", "mask_token", "sep_token", "cls_token"):
        content = _content(settings.get(name))
        if content is not None:
            tokens[name] = content
    return tokens


def _named_controls(settings: dict[str, Any], specials: Mapping[str, str]) -> list[str]:
    """The special tokens of tokenizer_config.json without the mask, which may be an ordinary word."""
    others = settings.get("additional_special_tokens")
    more = [_content(value) for value in others] if isinstance(others, list) else []
    return [token for name, token in specials.items() if name != "mask_token"] + [t for t in more if t]


def _ordinary_stop(token: str) -> str:
    return (
        f"generation_config.json or config.json names {json.dumps(token)} as a token that ends an answer (eos_token_id), and it is "
        "ordinary text in this vocabulary: answers do not end there."
    )


def _content(value: Any) -> str | None:
    content = value.get("content") if isinstance(value, dict) else value
    return content if isinstance(content, str) else None


def _own_template(folder: Path, settings: dict[str, Any]) -> str:
    path = file_in(folder, "chat_template.jinja")
    if path.is_file():
        try:
            return path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise LadError(
                ErrorCode.INVALID_FILE,
                f"chat_template.jinja cannot be read: {error}.",
                remedy="Correct the file, or give chatTemplate.",
            ) from error
    value = settings.get("chat_template")
    if isinstance(value, list):  # several, by name
        named = {entry.get("name"): entry.get("template") for entry in value if isinstance(entry, dict)}
        value = named.get("default")
    return value if isinstance(value, str) else ""
