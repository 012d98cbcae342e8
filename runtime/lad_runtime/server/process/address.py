"""The address on which the worker listens: a unix socket in a private folder, or TCP."""

import os
import socket
from pathlib import Path

from lad_runtime.errors import ErrorCode, LadError, invalid_option

_LONGEST_SOCKET_PATH = 100  # sun_path holds 104 bytes on macOS, 108 on Linux


def socket_address(path: str) -> str:
    """The gRPC address of a unix socket. Its folder must be private: any user who can reach the socket can connect."""
    full = Path(path).absolute()
    if len(os.fsencode(full)) > _LONGEST_SOCKET_PATH:
        raise invalid_option(
            "--socket",
            path,
            f"the path is longer than {_LONGEST_SOCKET_PATH} bytes",
            "Use a short temporary folder.",
        )
    folder = full.parent
    if not folder.is_dir():
        raise invalid_option(
            "--socket", path, "its folder does not exist", "Make the folder first, with mode 0700."
        )
    status = folder.stat()
    if status.st_uid != os.geteuid() or status.st_mode & 0o077:
        raise invalid_option(
            "--socket", path, "its folder is open to other users", "Use a folder of your own with mode 0700."
        )
    if _answers(full):
        raise LadError(
            ErrorCode.ALREADY_EXISTS,
            f"--socket is {path}: another process listens there.",
            option="--socket",
            value=path,
            remedy="Stop it or use another path.",
        )
    full.unlink(missing_ok=True)  # left behind by a killed worker
    return f"unix:{full}"


def tcp_address(listen: str) -> str:
    """Checks HOST:PORT; an IPv6 host is written in brackets."""
    host, _, port = listen.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise invalid_option("--listen", listen, "it is not HOST:PORT", "Give for instance 127.0.0.1:50051.")
    return listen


def with_port(listen: str, port: int) -> str:
    return f"{listen.rpartition(':')[0]}:{port}"


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
    return True
