"""Hub files that are fetched in several sittings.

The hub's library downloads into a file of its process alone, and removes it when it is interrupted: a shard of gigabytes would
begin anew.
"""

import fcntl
import hashlib
import os
import re
from pathlib import Path
from typing import Any, BinaryIO, cast

from lad_runtime.errors import ErrorCode, LadError

_SHA256 = re.compile(r"[0-9a-f]{64}")
_GIT = re.compile(r"[0-9a-f]{40}")
_ETAG = re.compile(r"[0-9A-Za-z]{32,128}")
_READ_BYTES = 2**20
_RANGE_REFUSED = (400, 405, 409, 412, 416, 422)


def fetch_partial(
    name: str,
    file: str,
    *,
    commit: str,
    token: str | None,
    endpoint: str | None,
    cache: Path,
    bar: type,
) -> None:
    """Puts the content of a hub model's file where the library's cache looks for it, going on where an earlier try ended.

    What has arrived is kept among the cache's blobs, as `<etag>.lad-partial`; `bar` is the library's progress bar. Does nothing
    for a file that is there, of which the hub tells no etag or no size, or which is too large for plain HTTP: the library then
    fetches it as it does. Raises the library's errors, and LadError(INVALID_FILE) for content that is not the file's.
    """
    from huggingface_hub import constants, get_hf_file_metadata, hf_hub_url
    from huggingface_hub.file_download import http_get, repo_folder_name
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]  # it is exported, but not said to be

    url = hf_hub_url(name, file, revision=commit, endpoint=endpoint)
    facts = get_hf_file_metadata(url, token=token, endpoint=endpoint)
    etag, size = facts.etag or "", facts.size
    if _ETAG.fullmatch(etag) is None or size is None or size > constants.MAX_HTTP_DOWNLOAD_SIZE:
        return
    blobs = cache / repo_folder_name(repo_id=name, repo_type="model") / "blobs"
    blob = blobs / etag
    if blob.exists():
        return
    blobs.mkdir(parents=True, exist_ok=True)
    partial = blobs / f"{etag}.lad-partial"
    with _opened(partial) as content:
        fcntl.flock(content, fcntl.LOCK_EX)  # of several processes one fetches
        if blob.exists():
            return  # and this file has become it
        if content.seek(0, os.SEEK_END) > size:
            content.truncate(0)

        def fetch() -> None:
            """Goes on where the file ends."""
            http_get(
                url,
                cast(BinaryIO, _Bounded(content, size)),
                resume_size=content.seek(0, os.SEEK_END),
                headers={**build_hf_headers(token=token), "Accept-Encoding": "identity"},
                expected_size=size,
                tqdm_class=bar,
            )
            content.flush()
            if not _is_whole(content, etag, size):
                raise _NotTheFile("what came does not have the digest that the hub tells")

        for may_begin_anew in (content.seek(0, os.SEEK_END) > 0, False):
            try:
                fetch()
                break
            except Exception as error:
                if not _is_spoilt(error):
                    raise
                content.truncate(0)  # what earlier tries left is no part of it, or is not gone on with
                if may_begin_anew:
                    continue
                if isinstance(error, _NotTheFile):
                    raise _wrong(name, file, error) from error
                raise
        os.fsync(content.fileno())
        partial.rename(blob)


def _wrong(name: str, file: str, problem: Exception) -> LadError:
    return LadError(
        ErrorCode.INVALID_FILE,
        f"The hub did not send {file} of {name}: {problem}.",
        option="base",
        value=name,
        remedy="Pull again. If it stays so, what stands between the hub and here changes what it sends.",
    )


class _NotTheFile(Exception):
    """The hub sent something else, or more."""


def _is_spoilt(error: Exception) -> bool:
    """Whether a file has to be begun anew: it is not what it should be, or the hub does not go on from its end."""
    from huggingface_hub.errors import HfHubHTTPError

    if isinstance(error, HfHubHTTPError) and error.response is not None:
        return error.response.status_code in _RANGE_REFUSED
    return isinstance(error, _NotTheFile)


def _opened(path: Path) -> BinaryIO:
    """A link that somebody has put there is not followed."""
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666), "r+b")


class _Bounded:
    """A file that takes no more bytes than the whole has."""

    def __init__(self, content: BinaryIO, size: int) -> None:
        self._content = content
        self._size = size

    def write(self, data: bytes) -> int:
        if self._content.tell() + len(data) > self._size:
            raise _NotTheFile(f"more than the {self._size} bytes came that the file has")
        return self._content.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._content, name)


def _is_whole(content: BinaryIO, etag: str, size: int) -> bool:
    """Whether the content has the digest that the hub tells: SHA-256 of large files, of others Git's."""
    if _SHA256.fullmatch(etag):
        digest = hashlib.sha256()
    elif _GIT.fullmatch(etag):
        digest = hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    else:
        return True
    content.seek(0)
    while piece := content.read(_READ_BYTES):
        digest.update(piece)
    return digest.hexdigest() == etag
