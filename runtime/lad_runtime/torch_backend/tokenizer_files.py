"""The tokenizer and chat template of a model folder."""

from pathlib import Path
from typing import Any

import tokenizers

from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.torch_backend.model_files import file_in, read_json
from lad_runtime.torch_backend.template import ChatTemplate
from lad_runtime.torch_backend.tokenizer import Tokenizer

DEFAULT_MASK_TOKEN = "MASK"  # one token of Llama 3's vocabulary


def load_tokenizer(
    folder: Path, *, mask_token: str = "", chat_template: str = "", system_prompt: str = ""
) -> Tokenizer:
    """The tokenizer of a model folder: `tokenizer.json`, `tokenizer_config.json`, `chat_template.jinja`, `config.json`.

    An empty `mask_token` means the folder's own (`mask_token` in tokenizer_config.json), else `MASK`; an empty `chat_template`
    the folder's own. Raises INVALID_FILE for files that are missing or unreadable, INVALID_OPTION for a mask string
    that is not exactly one token.
    """
    settings = read_json(folder, "tokenizer_config.json", optional=True)
    backend = _read_backend(folder)
    specials = _special_tokens(settings)
    eos_token = specials.get("eos_token") or _eos_of_config(folder, backend)
    specials.setdefault("eos_token", eos_token)
    source = chat_template or _own_template(folder, settings)
    template = ChatTemplate(source, given=bool(chat_template), variables=specials) if source else None
    try:
        return Tokenizer(
            backend,
            eos_token=eos_token,
            mask_token=mask_token or specials.get("mask_token") or DEFAULT_MASK_TOKEN,
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
    except BaseException as error:  # the library's panics are no Exception
        if isinstance(error, KeyboardInterrupt | SystemExit | GeneratorExit):
            raise
        raise LadError(
            ErrorCode.INVALID_FILE,
            f"tokenizer.json cannot be read: {str(error)[:200]}.",
            remedy="Get the file again; it may be damaged, or newer than this worker's `tokenizers` library.",
        ) from error


def _special_tokens(settings: dict[str, Any]) -> dict[str, str]:
    tokens = {}
    for name in ("bos_token", "eos_token", "unk_token", "pad_token", "mask_token", "sep_token", "cls_token"):
        value = settings.get(name)
        content = value.get("content") if isinstance(value, dict) else value
        if isinstance(content, str):
            tokens[name] = content
    return tokens


def _eos_of_config(folder: Path, backend: tokenizers.Tokenizer) -> str:
    for name in ("generation_config.json", "config.json"):
        value = read_json(folder, name, optional=True).get("eos_token_id")
        first = value[0] if isinstance(value, list) and value else value
        token = backend.id_to_token(first) if isinstance(first, int) and first >= 0 else None
        if token is not None:
            return str(token)
    raise LadError(
        ErrorCode.INVALID_FILE,
        "The model folder names no token that ends an answer.",
        remedy="Set eos_token in tokenizer_config.json, or eos_token_id in config.json.",
    )


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
