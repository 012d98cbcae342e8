"""Resolves a base's name to its registry entry and its model folder, which is found, fetched or made."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from lad_runtime.errors import ErrorCode, LadError, invalid_option
from lad_runtime.tiny.sizes import SIZES, base_folder
from lad_runtime.torch_backend.files.fingerprint import fingerprint
from lad_runtime.torch_backend.files.torch_archive import SUFFIXES
from lad_runtime.torch_backend.files.user_cache import user_cache
from lad_runtime.torch_backend.loading.hub import fetch_model, is_hub_id
from lad_runtime.torch_backend.loading.smollm2 import smollm2_folder
from lad_runtime.torch_backend.loading.stub import write_stub
from lad_runtime.types.bases import BaseSpec, LoadProgress


@dataclass(frozen=True, kw_only=True)
class BaseEntry:
    """A base's settings that do not come from its files. Empty strings leave the choice to the files.

    Without a `mask_token`, it is `mask_token` of tokenizer_config.json, else `MASK`, which is one token of Llama 3's vocabulary.
    `system_prompt` begins conversations that have no system message; empty: the chat template decides.
    """

    mask_token: str = ""
    system_prompt: str = ""
    chat_template: str = ""


@dataclass(frozen=True, kw_only=True)
class BaseSource:
    """Where `from_pretrained` of transformers finds a base: a hub id with its commit, or an absolute folder of this machine.

    Empty: nowhere, since the base's files were made for its loading alone, or are not what it loads.
    """

    name: str = ""
    revision: str = ""  # of a hub id


REGISTRY = {
    "stub": BaseEntry(),
    "tiny": BaseEntry(),
    "tiny-0.7m": BaseEntry(),
    "tiny-5m": BaseEntry(),
    "smollm2-135m": BaseEntry(mask_token="<empty_output>"),  # one token that occurs in no text
}
"""The known names, which are neither folders nor hub ids. All other bases use an empty entry."""


@dataclass(frozen=True, kw_only=True)
class BaseFiles:
    """A base's files on this machine."""

    folder: Path
    revision: str  # the hub's commit, else a fingerprint of the files
    archive: Path | None = None  # a file of torch.save that has the weights, in place of the folder's own


@contextmanager
def files_of(spec: BaseSpec, progress: Callable[[LoadProgress], None]) -> Iterator[BaseFiles]:
    named, local, archive = spec.name in REGISTRY, _folder(spec.name), _archive(spec.name)
    if spec.revision and (named or local is not None or archive is not None):
        raise invalid_option(
            "revision", spec.revision, f"{spec.name} is no model of a hub", "Leave revision out."
        )
    if spec.name == "stub":
        with tempfile.TemporaryDirectory(prefix="lad-stub-") as scratch:
            write_stub(Path(scratch), spec.seed)
            yield BaseFiles(folder=Path(scratch), revision=fingerprint(Path(scratch)))
    elif archive is not None:
        yield BaseFiles(folder=archive.parent, revision=fingerprint(archive.parent, archive), archive=archive)
    elif named or local is not None:
        folder = local
        if spec.name in SIZES:
            folder = base_folder(spec.name)
        elif spec.name == "smollm2-135m":
            folder = smollm2_folder(_cache(), progress)
        assert folder is not None
        yield BaseFiles(folder=folder, revision=fingerprint(folder))
    elif is_hub_id(spec.name):
        folder, commit = fetch_model(
            spec.name, revision=spec.revision, token=spec.hub_token, progress=progress
        )
        yield BaseFiles(folder=folder, revision=commit)
    else:
        guess = "".join(f"Did you mean {name}? " for name in get_close_matches(spec.name, REGISTRY, n=1))
        raise LadError(
            ErrorCode.NOT_FOUND,
            f"There is no base {spec.name[:200]!r}: it is no known name, no folder or file of torch.save on the worker, and no "
            "hub id.",
            option="base",
            value=spec.name,
            remedy=f"{guess}Give {', '.join(REGISTRY)}, a hub id such as meta-llama/Llama-3.2-1B-Instruct, or an existing folder.",
        )


def source_of(spec: BaseSpec, files: BaseFiles, *, is_llama: bool) -> BaseSource:
    """Of a base that has these files; of a Llama under other names, or in a file of torch.save, there is none."""
    if spec.name == "stub" or not is_llama:
        return BaseSource()
    if spec.name in REGISTRY or _folder(spec.name) is not None:
        return BaseSource(name=str(files.folder.resolve()))
    return BaseSource(name=spec.name, revision=files.revision)


def _folder(name: str) -> Path | None:
    try:
        path = Path(name).expanduser()
        return path.resolve() if path.is_dir() else None
    except (OSError, ValueError, RuntimeError):  # too long, a NUL inside, no home
        return None


def _archive(name: str) -> Path | None:
    try:
        path = Path(name).expanduser()
        return path.resolve() if path.suffix in SUFFIXES and path.is_file() else None
    except (OSError, ValueError, RuntimeError):
        return None


def _cache() -> Path:
    home = user_cache()
    if home is None:
        raise LadError(
            ErrorCode.STORAGE,
            "There is no home folder to keep converted bases in.",
            remedy="Set LAD_HOME to a folder that can be written, as an absolute path.",
        )
    return home / "bases"
