"""Folders of files that are written atomically, and verified by checksums before they are used."""

import contextlib
import errno
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from lad_runtime.errors import ErrorCode, LadError

MANIFEST = "manifest.json"
_TEMPORARY = ".writing-"
_CHUNK = 1 << 20
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class DamagedFolderError(Exception):
    """A folder whose files differ from what was written; the text says which and how."""


def write_folder(folder: Path, files: Mapping[str, bytes]) -> str:
    """Makes `folder` with these files and a manifest of their SHA-256; returns the SHA-256 of the manifest.

    Writes and syncs a temporary folder, then renames it: after a crash at any moment there is the whole folder or none. If the
    disk is full or fails, it raises STORAGE and leaves nothing behind.
    """
    temporary = folder.parent / f"{_TEMPORARY}{folder.name}"
    try:
        _make_parents(folder.parent)
        _remove_unfinished(folder.parent)
        temporary.mkdir()
        entries = {
            name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in files.items()
        }
        manifest = json.dumps({"files": entries}, indent=1).encode()
        for name, data in (*files.items(), (MANIFEST, manifest)):
            _write_synced(temporary / name, data)
        sync_folder(temporary)
        temporary.rename(folder)
        sync_folder(folder.parent)
    except OSError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise storage_error("written", error) from error
    return hashlib.sha256(manifest).hexdigest()


def verify_folder(folder: Path) -> str:
    """Verifies every file of a folder by its manifest; returns the manifest's SHA-256. Raises DamagedFolderError."""
    try:
        manifest = (folder / MANIFEST).read_bytes()
        entries = json.loads(manifest)["files"].items()
        for name, entry in entries:
            if name != Path(name).name:
                raise DamagedFolderError(f"{MANIFEST} names a path")
            path = folder / name
            if path.stat().st_size != entry["bytes"] or _digest(path) != entry["sha256"]:
                raise DamagedFolderError(f"{name} is not what was written")
    except FileNotFoundError as error:
        raise DamagedFolderError(f"{Path(str(error.filename)).name} is missing") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedFolderError(f"{type(error).__name__} while it was read") from error
    return hashlib.sha256(manifest).hexdigest()


def storage_error(what: str, error: OSError) -> LadError:
    """`The checkpoint could not be written: No space left on device.`"""
    reason = os.strerror(error.errno) if error.errno else type(error).__name__
    full = error.errno in _FULL
    return LadError(
        ErrorCode.STORAGE,
        f"The checkpoint could not be {what}: {reason}. Earlier checkpoints are as they were.",
        remedy="Make room on the worker's disk." if full else "Check the worker's disk and its permissions.",
    )


def sync_folder(folder: Path) -> None:
    """Syncs a folder, so that files made, renamed or removed in it stay so after a crash."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _write_synced(path: Path, data: bytes) -> None:
    with open(path, "wb") as file:
        view = memoryview(data)
        for start in range(0, len(view), _CHUNK):
            file.write(view[start : start + _CHUNK])
        file.flush()
        os.fsync(file.fileno())


def _make_parents(folder: Path) -> None:
    """Makes a folder and its parents, and syncs each one's entry."""
    if folder.is_dir():
        return
    _make_parents(folder.parent)
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    sync_folder(folder.parent)


def _remove_unfinished(folder: Path) -> None:
    for leftover in folder.glob(f"{_TEMPORARY}*"):
        shutil.rmtree(leftover, ignore_errors=True)


def _digest(path: Path) -> str:
    digest = hashlib.sha256()  # hashlib.file_digest came with Python 3.11
    for chunk in _chunks(path):
        digest.update(chunk)
    return digest.hexdigest()


def _chunks(path: Path) -> Iterator[bytes]:
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk
