"""The worker: `python -m lad_runtime`."""

import asyncio
import logging
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.server.process.address import socket_address, tcp_address
from lad_runtime.server.process.command_line import Arguments, parse_arguments
from lad_runtime.server.process.death_pipe import lead_process_group, read_token_line, watch_stdin
from lad_runtime.server.process.state_folder import IN_USE_STATUS, StateInUseError, take_folder


def main(arguments: Arguments) -> int:
    """Runs the worker until it is told to stop and returns the exit status. Writes the reason to stderr if it cannot start.

    Prints `state FOLDER` (the folder of data sets and checkpoints) on stdout, then `ready ADDRESS`.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # until the server takes over
    _log_one_line_each(arguments.log_level)
    folder = arguments.state or Path(tempfile.mkdtemp(prefix="lad-state-"))
    bound = threading.Event()

    def clean_up() -> None:
        if arguments.socket and bound.is_set():
            Path(arguments.socket).unlink(missing_ok=True)
            if arguments.token_stdin:  # the client made the folder for this socket, and may be dead
                with suppress(OSError):
                    Path(arguments.socket).parent.rmdir()
        if arguments.state is None:
            shutil.rmtree(folder, ignore_errors=True)

    def on_ready(address: str) -> None:
        bound.set()
        print(f"ready {address}", flush=True)

    try:
        token = _token(arguments)
        if arguments.token_stdin:
            lead_process_group()
            watch_stdin(clean_up)
        state = take_folder(folder, or_next=arguments.or_next_state)
        print(f"state {state}", flush=True)
        _run(arguments, state, token, on_ready)
    except StateInUseError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        return IN_USE_STATUS
    except LadError as error:
        print(f"error: {error}", file=sys.stderr, flush=True)
        return 1
    except Exception as error:
        logging.getLogger("lad").exception("the worker failed")
        print(f"error: The worker failed: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
        return 1
    finally:
        clean_up()
    return 0


def _run(arguments: Arguments, state: Path, token: str, on_ready: Callable[[str], None]) -> None:
    address = socket_address(arguments.socket) if arguments.socket else tcp_address(arguments.listen or "")
    _spin_briefly()  # OpenMP reads the variable once, when torch is loaded
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # texts are encoded one at a time
    from lad_runtime.engine.worker import make_worker
    from lad_runtime.server.serve import serve
    from lad_runtime.torch_backend.backend import TorchBackend

    backend = TorchBackend(device=arguments.device, threads=arguments.threads, state=state)
    worker = make_worker(backend, state, arguments.memory_budget or None)
    if arguments.resume_runs:
        worker.resuming.resume_all()
    serving = serve(worker, address, token, arguments.lease_seconds, on_ready)
    asyncio.new_event_loop().run_until_complete(
        serving
    )  # asyncio.run waits for threads that load or download


def _spin_briefly() -> None:
    """Sets how long an idle OpenMP thread spins before it sleeps, unless the environment sets a wait policy.

    Sleeping at once costs a small model half its speed (a step of `tiny` takes 140 ms; 70 ms with this setting). Spinning for
    libgomp's default time takes the cores from other threads and processes.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", "10000")


def _token(arguments: Arguments) -> str:
    try:
        token = arguments.token_file.read_text().strip() if arguments.token_file else read_token_line()
    except (OSError, ValueError) as error:
        source = f"--token-file {arguments.token_file}" if arguments.token_file else "--token-stdin"
        raise LadError(
            ErrorCode.NOT_FOUND,
            f"{source} cannot be read: {getattr(error, 'strerror', 'it is not text')}.",
            remedy="Give a file, or a first line of standard input, that holds the token.",
        ) from error
    if len(token) < 16 or not token.isascii() or not token.isprintable():
        raise LadError(
            ErrorCode.INVALID_OPTION,
            "The token has fewer than 16 characters or other than printable ASCII ones.",
            remedy="Give at least 16 random letters and digits.",
        )
    return token


class _OneLine(logging.Formatter):
    """Writes each record, traceback included, on one line."""

    def format(self, record: logging.LogRecord) -> str:
        return super().format(record).replace("\n", "\\n")


def _log_one_line_each(level: str) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_OneLine("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler])


if __name__ == "__main__":
    status = main(parse_arguments(sys.argv[1:]))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # does not wait for threads that load or download
