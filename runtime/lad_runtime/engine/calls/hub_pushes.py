"""Writes adapters' files to model repositories of a Hugging Face hub."""

import json
import os
import selectors
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import lad_runtime
from lad_runtime.engine.calls.adapters import Adapters
from lad_runtime.engine.calls.hub_push_process import unavailable
from lad_runtime.engine.data.storage import Transfers
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.types.adapters import Pushed, PushSpec
from lad_runtime.version import BUILD_VERSION

_PROCESS = "lad_runtime.engine.calls.hub_push_process"
_SOURCES = Path(lad_runtime.__file__).parents[1]
_STARTING_SECONDS = 60.0  # for the process to import the hub's library
_LOOKING_SECONDS = 0.1  # after which it is asked again whether anyone still waits
_MOST_TOLD_BYTES = 64 << 10


class HubPushes:
    def __init__(self, adapters: Adapters, transfers: Transfers) -> None:
        self._adapters = adapters
        self._transfers = transfers

    def push(self, adapter_id: str, spec: PushSpec, left: Callable[[], bool] = lambda: False) -> Pushed:
        """Writes the adapter's present weights, its card and its claims as one commit; blocks until the hub has them.

        The hub is that of HF_ENDPOINT, as for downloads. `left` says whether nobody waits any more, which ends it at once. Raises
        LadError: NOT_FOUND, ACCESS_DENIED, UNAVAILABLE, CANCELLED, STORAGE.
        """
        with self._transfers.folder() as folder:
            self._adapters.export(adapter_id, folder, with_card=True).result()
            return push_folder(folder, spec, left)


def push_folder(folder: Path, spec: PushSpec, left: Callable[[], bool]) -> Pushed:
    """Makes the repository, if it is not there, and writes a folder's files into it. Files of other names stay.

    A process of its own does it, since it can be ended at any moment, whatever the hub's library waits for.
    """
    asked = {
        "folder": str(folder),
        "endpoint": os.environ.get("HF_ENDPOINT") or None,
        "repo": spec.repo,
        "private": spec.private,
        "message": spec.message or f"An adapter of lad {BUILD_VERSION}",
        "token": spec.hub_token or None,
    }
    with _process(folder) as process:
        told = _told(process, asked, spec, left)
    if "error" in told:
        error = told["error"]
        raise LadError(ErrorCode(error.pop("code")), error.pop("message"), **error)
    return Pushed(url=told["url"], commit=told["commit"])


@contextmanager
def _process(folder: Path) -> "Iterator[subprocess.Popen[bytes]]":
    """It starts in a folder that has no modules of a user's. What it logs could have a request's headers, and is not kept."""
    path = [str(_SOURCES), *filter(None, [os.environ.get("PYTHONPATH")])]
    process = subprocess.Popen(
        [sys.executable, "-m", _PROCESS],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path)},
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _told(
    process: "subprocess.Popen[bytes]", asked: dict[str, Any], spec: PushSpec, left: Callable[[], bool]
) -> dict[str, Any]:
    """What the process says last. Each line before it is a sign that the hub does something."""
    assert process.stdin is not None and process.stdout is not None
    with suppress(BrokenPipeError):
        process.stdin.write(json.dumps(asked).encode() + b"\n")
        process.stdin.flush()
    idle_seconds, text = spec.idle_timeout_ms / 1000, b""
    deadline = time.monotonic() + max(_STARTING_SECONDS, idle_seconds)
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            if left():
                raise LadError(ErrorCode.CANCELLED, f"The push to {spec.repo} was cancelled.")
            if selector.select(_LOOKING_SECONDS):
                piece = os.read(process.stdout.fileno(), _MOST_TOLD_BYTES)
                *lines, text = (text + piece).split(b"\n")
                for line in lines:
                    if line != b".":
                        return dict(json.loads(line))
                if not piece:
                    raise unavailable(spec.repo, "the process that asks it has ended")
                deadline = time.monotonic() + idle_seconds
            elif time.monotonic() > deadline:
                raise _idle(spec)


def _idle(spec: PushSpec) -> LadError:
    return LadError(
        ErrorCode.UNAVAILABLE,
        f"The hub is needed for {spec.repo}, and keeps waiting for longer than idleTimeoutMs ({spec.idle_timeout_ms} ms).",
        option="idleTimeoutMs",
        value=spec.idle_timeout_ms,
        remedy="Check the network and HF_ENDPOINT, or give a longer idleTimeoutMs, and push again: "
        "nothing was committed that is not whole.",
    )
