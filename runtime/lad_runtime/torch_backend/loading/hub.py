"""Fetches model folders from a Hugging Face hub: only safetensors and tokenizer files, at a revision pinned to its commit."""

import os
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lad_runtime.errors import ErrorCode, LadError, invalid_option
from lad_runtime.torch_backend.files.model_files import (
    INDEX,
    SMALL_FILES,
    WHOLE,
    no_safetensors,
    read_json,
    shard_names,
)
from lad_runtime.torch_backend.loading.hub_partial import fetch_partial
from lad_runtime.types.bases import LoadProgress

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}")
_REVISION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,127}")


def is_hub_id(name: str) -> bool:
    """Whether `name` has the form `owner/name`."""
    return _NAME.fullmatch(name) is not None and ".." not in name and "--" not in name


def fetch_model(
    name: str,
    *,
    revision: str,
    token: str,
    progress: Callable[[LoadProgress], None],
    endpoint: str | None = None,
    cache: Path | None = None,
) -> tuple[Path, str]:
    """Fetches a hub model into the Hugging Face cache; returns its folder, and the commit of `revision`.

    `revision` is a branch, tag or commit (empty: the default branch). `token` gives access to gated models (empty: the machine's
    login). Cached files are not fetched again, and weights of which a part is there go on from it; if the hub cannot be reached,
    a cached copy of this revision is used. The defaults of `endpoint` and `cache` are the library's (HF_ENDPOINT, HF_HUB_CACHE).
    Reports the phase `download` in bytes. Raises NOT_FOUND, ACCESS_DENIED, UNAVAILABLE, STORAGE, and INVALID_FILE for a model
    without safetensors.
    """
    if revision and (_REVISION.fullmatch(revision) is None or ".." in revision):
        raise invalid_option(
            "revision", revision, "it is no name of a branch, tag or commit", "Give one, or leave it out."
        )
    # Imported here alone: it takes half a second, which other bases do not need.
    from huggingface_hub import HfApi, constants, hf_hub_download, snapshot_download

    where: dict[str, Any] = {
        "endpoint": endpoint or os.environ.get("HF_ENDPOINT") or None,
        "token": token or None,
    }
    place: dict[str, Any] = {"cache_dir": cache or os.environ.get("HF_HUB_CACHE") or None}
    try:
        with _translated(name, revision):
            found = HfApi(**where).model_info(
                name, revision=revision or None, files_metadata=True, timeout=30
            )
    except LadError as error:
        if error.code is not ErrorCode.UNAVAILABLE:
            raise
        try:
            local = snapshot_download(name, revision=revision or None, local_files_only=True, **place)
        except Exception:
            raise error from None
        return Path(local), Path(local).name

    sizes = {file.rfilename: file.size or 0 for file in found.siblings or []}
    commit = str(found.sha)
    received = _Received(progress)

    def fetch(file: str) -> Path:
        with _translated(name, revision), received.file(sizes.get(file, 0)) as bar:
            if file.endswith(".safetensors"):
                folder = Path(place["cache_dir"] or constants.HF_HUB_CACHE)
                fetch_partial(name, file, commit=commit, cache=folder, bar=bar, **where)
            return Path(hf_hub_download(name, file, revision=commit, tqdm_class=bar, **where, **place))

    if WHOLE not in sizes and INDEX not in sizes:
        raise no_safetensors(name, sizes)
    small = [file for file in SMALL_FILES if file in sizes]
    if WHOLE in sizes:
        received.total = sum(sizes[file] for file in [*small, WHOLE])
        folder = [fetch(file) for file in [*small, WHOLE]][-1].parent
    else:
        folder = fetch(INDEX).parent
        shards = [shard for shard in shard_names(read_json(folder, INDEX)) if shard in sizes]
        received.total = sum(sizes[file] for file in [*small, INDEX, *shards])
        for file in [*small, *shards]:
            fetch(file)
    with _translated(name, revision):
        _remember(folder, revision or "main", commit)
    return folder, commit


def _remember(folder: Path, revision: str, commit: str) -> None:
    """Records the commit of `revision` where the hub's library looks when it is offline."""
    path = folder.parents[1] / "refs" / revision
    if revision != commit:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(commit)


class _Received:
    """Adds up the bytes of several downloads. The library reports each one's through a progress bar."""

    def __init__(self, progress: Callable[[LoadProgress], None]) -> None:
        self.total = 0
        self._finished = 0
        self._progress = progress

    @contextmanager
    def file(self, size: int) -> Iterator[type]:
        from huggingface_hub.utils.tqdm import tqdm

        received = self
        current = 0

        class Bar(tqdm):
            def __init__(self, *args: Any, **kwargs: Any) -> None:
                nonlocal current
                current = kwargs.get("initial") or 0
                super().__init__(disable=True)

            def update(self, n: float | None = 1) -> None:
                nonlocal current
                current = min(size, current + int(n or 0))
                received._report(current)

        yield Bar
        self._finished += size
        self._report(0)

    def _report(self, current: int) -> None:
        self._progress(LoadProgress(phase="download", done=self._finished + current, total=self.total))


@contextmanager
def _translated(name: str, revision: str) -> Iterator[None]:
    from huggingface_hub import errors

    try:
        yield
    except errors.GatedRepoError as error:
        raise _denied(name) from error
    except errors.RevisionNotFoundError as error:
        raise LadError(
            ErrorCode.NOT_FOUND,
            f"The model {name} has no revision {revision!r}.",
            option="revision",
            value=revision,
            remedy="Give a branch, tag or commit of the model, or leave revision out.",
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise LadError(
            ErrorCode.NOT_FOUND,
            f"The hub has no model {name}, or does not show it without a token.",
            option="base",
            value=name,
            remedy="Check the spelling; for a private model give hubToken, or set HF_TOKEN.",
        ) from error
    except errors.HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else 0
        if status in (401, 403):
            raise _denied(name) from error
        raise _unavailable(name, f"it answers with status {status}") from error
    except OSError as error:
        if error.errno is None or isinstance(error, ConnectionError | TimeoutError | socket.gaierror):
            raise _unavailable(name, "it cannot be reached") from error
        raise LadError(
            ErrorCode.STORAGE,
            f"The model {name} cannot be stored: {error.strerror}.",
            value=name,
            remedy="Free space in the Hugging Face cache, or set HF_HOME to a folder that can be written.",
        ) from error
    except LadError:
        raise
    except Exception as error:  # of the HTTP library, which differs between versions of huggingface_hub
        raise _unavailable(name, "it cannot be reached") from error


def _denied(name: str) -> LadError:
    return LadError(
        ErrorCode.ACCESS_DENIED,
        f"The model {name} is gated or private, and this token does not open it.",
        option="hubToken",
        remedy=f"Accept its terms on the hub's page of {name}, then give hubToken, or set HF_TOKEN.",
    )


def _unavailable(name: str, problem: str) -> LadError:
    return LadError(
        ErrorCode.UNAVAILABLE,
        f"The hub is needed for the model {name}, and {problem}.",
        option="base",
        value=name,
        remedy="Check the network and HF_ENDPOINT, or give a folder that holds the model.",
    )
