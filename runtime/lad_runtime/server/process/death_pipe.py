"""The worker dies with the process that holds the other end of its standard input."""

import os
import signal
import threading
from collections.abc import Callable

_CLEAN_UP_SECONDS = 0.5


def read_token_line() -> str:
    """The first line of standard input, read byte by byte so that nothing behind it is swallowed."""
    line = bytearray()
    while (byte := os.read(0, 1)) and byte != b"\n":
        line += byte
    return line.decode("utf-8", "replace").strip()


def lead_process_group() -> None:
    """Makes this process the leader of a group of its own, which `die` can end as a whole."""
    if os.getpgrp() != os.getpid() and not os.isatty(0):
        os.setpgid(0, 0)


def watch_stdin(clean_up: Callable[[], None]) -> None:
    """From now on the end of standard input ends the worker at once, after `clean_up` or half a second of it."""

    def watch() -> None:
        while os.read(0, 4096):
            pass
        timer = threading.Timer(_CLEAN_UP_SECONDS, _die)
        timer.daemon = True
        timer.start()
        try:
            clean_up()
        finally:
            _die()

    threading.Thread(target=watch, name="lad-death-pipe", daemon=True).start()


def _die() -> None:
    if os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)
