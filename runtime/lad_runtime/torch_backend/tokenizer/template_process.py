"""Starts, asks and ends the process that renders a chat template (template_sandbox.py)."""

import contextlib
import json
import os
import selectors
import subprocess
import sys
import time
import weakref
from pathlib import Path
from typing import Any

_SCRIPT = Path(__file__).with_name("template_sandbox.py")
_PASSED_ENVIRONMENT = ("PATH", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "HOME", "TMPDIR")


class SandboxProcess:
    """One sandbox process and its two pipes. The process ends when its standard input ends, so it cannot outlive the worker."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(_SCRIPT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={name: os.environ[name] for name in _PASSED_ENVIRONMENT if name in os.environ},
        )
        self._finalizer = weakref.finalize(self, _kill, self._process)

    @property
    def pid(self) -> int:
        return self._process.pid

    def ask(self, request: dict[str, Any], seconds: float, most_bytes: int) -> dict[str, Any]:
        """The answer to one request. Raises SandboxEnded."""
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(request).encode() + b"\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise SandboxEnded(self._status(), timed_out=False) from None
        answer, deadline = bytearray(), time.monotonic() + seconds
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while not answer.endswith(b"\n"):
                if not selector.select(max(0.0, deadline - time.monotonic())):
                    raise SandboxEnded(None, timed_out=True)
                piece = os.read(self._process.stdout.fileno(), 1 << 16)
                if not piece or len(answer) > most_bytes:
                    raise SandboxEnded(self._status() if not piece else None, timed_out=False)
                answer += piece
        return dict(json.loads(answer))

    def end(self) -> None:
        """Kills the process and waits for it. May be called again."""
        self._finalizer()

    def _status(self) -> int | None:
        try:
            return self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            return None


class SandboxEnded(Exception):
    """The process has ended or was too slow. `status` is Popen's (−n: ended by signal n), None while it still runs."""

    def __init__(self, status: int | None, timed_out: bool) -> None:
        super().__init__()
        self.status = status
        self.timed_out = timed_out


def _kill(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(BrokenPipeError):  # of data still buffered for a dead process
                pipe.close()
