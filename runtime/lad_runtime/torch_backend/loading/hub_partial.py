"""Hub files that are fetched in several sittings.

The hub's library downloads into a file of its process alone, and removes it when it is interrupted: a shard of gigabytes would
begin anew.
"""

import fcntl
import hashlib
import os
import re
from pathlib import Path
from typing import BinaryIO

_SHA256 = re.compile(r"[0-9a-f]{64}")
_ETAG = re.compile(r"[0-9A-Za-z]{32,128}")
_READ_BYTES = 2**20


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
    for a file that is there, or of which the hub tells no etag or no size: the library then fetches it as it does. Raises the
    library's errors.
    """
    from huggingface_hub import get_hf_file_metadata, hf_hub_url
    from huggingface_hub.file_download import http_get, repo_folder_name
    from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]  # it is exported, but not said to be

    url = hf_hub_url(name, file, revision=commit, endpoint=endpoint)
    facts = get_hf_file_metadata(url, token=token, endpoint=endpoint)
    etag, size = facts.etag or "", facts.size
    if _ETAG.fullmatch(etag) is None or size is None:
        return
    blobs = cache / repo_folder_name(repo_id=name, repo_type="model") / "blobs"
    blob = blobs / etag
    if blob.exists():
        return
    blobs.mkdir(parents=True, exist_ok=True)
    partial = blobs / f"{etag}.lad-partial"
    with partial.open("a+b") as content:
        fcntl.flock(content, fcntl.LOCK_EX)  # of several processes one fetches
        if blob.exists():
            return  # and this file has become it
        if content.seek(0, os.SEEK_END) > size:
            content.truncate(0)
        for _ in range(2):
            start = content.seek(0, os.SEEK_END)
            http_get(
                url,
                content,
                resume_size=start,
                headers=build_hf_headers(token=token),
                expected_size=size,
                tqdm_class=bar,
            )
            content.flush()
            if start == 0 or _is_whole(content, etag):
                break
            content.truncate(0)  # what earlier tries left is no part of it
        os.fsync(content.fileno())
        partial.rename(blob)


def _is_whole(content: BinaryIO, etag: str) -> bool:
    """Whether what was fetched in several sittings has the digest of the whole, if the hub tells it: large files' etags do."""
    if _SHA256.fullmatch(etag) is None:
        return True
    digest = hashlib.sha256()
    content.seek(0)
    while piece := content.read(_READ_BYTES):
        digest.update(piece)
    return digest.hexdigest() == etag
