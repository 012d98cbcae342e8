"""The files of a model folder: finds them, rejects names that are paths, and reads JSON of bounded size."""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from lad_runtime.errors import ErrorCode, LadError

INDEX = "model.safetensors.index.json"
WHOLE = "model.safetensors"
SMALL_FILES = (
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "chat_template.jinja",
)
"""The other files of a model folder that are read if they exist."""

GET_AGAIN = "Get the file again: it is damaged or incomplete."

_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,199}")
_MOST_JSON_BYTES = 64 << 20


def file_in(folder: Path, name: str) -> Path:
    """The path of `name` inside `folder`. Raises INVALID_FILE for a name that is a path, or a link that leads outside.

    Links within a Hugging Face cache (`models--…/snapshots/<commit>` to `models--…/blobs`) stay inside.
    """
    check_name(name)
    path = folder / name
    if not path.resolve().is_relative_to(_root(folder)):
        raise _outside(name)
    return path


def check_name(name: str) -> None:
    """Raises INVALID_FILE for a file name that is a path, hidden, or holds anything but letters, digits, `.`, `_` and `-`."""
    if _NAME.fullmatch(name) is None:
        raise _outside(name)


def _outside(name: str) -> LadError:
    return LadError(
        ErrorCode.INVALID_FILE,
        f"The file name {json.dumps(name[:120])} leads outside the model's folder.",
        value=name,
        remedy="Put the file itself into the folder (no link, no path), and use only models that you trust.",
    )


def read_json(folder: Path, name: str, *, optional: bool = False) -> dict[str, Any]:
    """The JSON object in `name`; {} if it is optional and missing. Raises INVALID_FILE if it cannot be read."""
    path = file_in(folder, name)
    if not path.is_file():
        if optional:
            return {}
        raise LadError(
            ErrorCode.INVALID_FILE,
            f"The model folder has no {name} ({folder}).",
            remedy="Give the folder of a Hugging Face model in safetensors format.",
        )
    try:
        if path.stat().st_size > _MOST_JSON_BYTES:
            raise ValueError(f"it is larger than {_MOST_JSON_BYTES >> 20} MiB")
        value = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(value, dict):
            raise ValueError("it is not a JSON object")
    except (OSError, ValueError, RecursionError) as error:
        raise LadError(
            ErrorCode.INVALID_FILE, f"{name} cannot be read: {error}.", remedy="Get the file again."
        ) from error
    return value


def small_files(folder: Path) -> dict[str, bytes]:
    """The content of those of `SMALL_FILES` that exist."""
    paths = {name: file_in(folder, name) for name in SMALL_FILES}
    return {name: path.read_bytes() for name, path in paths.items() if path.is_file()}


def weight_files(folder: Path) -> tuple[Path, ...]:
    """The safetensors files of a model folder: the single file, else the shards that its index names."""
    whole = file_in(folder, WHOLE)
    if whole.is_file():
        return (whole,)
    if not file_in(folder, INDEX).is_file():
        raise no_safetensors(str(folder), (path.name for path in folder.iterdir()))
    paths = tuple(file_in(folder, shard) for shard in shard_names(read_json(folder, INDEX)))
    for path in paths:
        if not path.is_file():
            raise bad_file(INDEX, f"it names {path.name}, which is missing", "Get the missing shard.")
    return paths


def shard_names(index: Mapping[str, Any]) -> tuple[str, ...]:
    """The file names in a parsed `model.safetensors.index.json`, each checked to be the name of a safetensors file."""
    mapping = index.get("weight_map")
    if not isinstance(mapping, dict) or not mapping or not all(isinstance(v, str) for v in mapping.values()):
        raise bad_file(INDEX, "it has no weight_map from tensor names to file names", GET_AGAIN)
    names = tuple(sorted(set(mapping.values())))
    for name in names:
        check_name(name)
        if not name.endswith(".safetensors"):
            raise bad_file(INDEX, f"it names {name}, which is not a safetensors file", "Convert the model.")
    return names


def no_safetensors(model: str, files: Iterable[str]) -> LadError:
    """The error for a model without safetensors weights among its `files`; it mentions a pickle if there is one."""
    pickles = sorted(name for name in files if name.endswith(_PICKLES))
    if pickles:
        return LadError(
            ErrorCode.INVALID_FILE,
            f"The model has no safetensors file, only {pickles[0]}: a pickle can run code when it is opened ({model}).",
            value=pickles[0],
            remedy="Convert it to safetensors where you trust it, or use a revision that has safetensors.",
        )
    return LadError(
        ErrorCode.INVALID_FILE,
        f"The model has neither {WHOLE} nor {INDEX} ({model}).",
        remedy="Give a Hugging Face model in safetensors format.",
    )


def bad_file(name: str, problem: str, remedy: str) -> LadError:
    """The error for an unusable file of the model."""
    return LadError(ErrorCode.INVALID_FILE, f"{name} cannot be used: {problem}.", value=name, remedy=remedy)


def _root(folder: Path) -> Path:
    real = folder.resolve()
    cache = real.parents[1] if real.parent.name == "snapshots" else None
    return cache if cache is not None and (cache / "blobs").is_dir() else real
