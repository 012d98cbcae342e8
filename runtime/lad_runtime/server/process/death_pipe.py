"""Ends the worker when the process at the other end of its standard input dies."""

import os
import signal
import threading
from collections.abc import Callable

_CLEAN_UP_SECONDS = 0.5


def read_token_line() -> str:
    """The first line of standard input, read byte by byte so that nothing after it is consumed."""
    line = bytearray()
    while (byte := os.read(0, 1)) and byte != b"\n":
        line += byte
    return line.decode("utf-8", "replace").strip()


def lead_process_group() -> None:
    """Makes this process the leader of a new process group, which `_die` can kill as a whole."""
    if os.getpgrp() != os.getpid() and not os.isatty(0):
        os.setpgid(0, 0)


def watch_stdin(clean_up: Callable[[], None]) -> None:
    """From now on, kills the worker when standard input ends, after `clean_up` has run for at most half a second."""

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
