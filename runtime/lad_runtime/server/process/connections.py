"""Limits the connections to the worker, and the time that one may stay idle."""

import logging
import resource
from dataclasses import dataclass

from lad_runtime.errors import ErrorCode, LadError

_log = logging.getLogger("lad.server")
_MOST = 1024
_USUAL = 256  # fewer are logged as a warning
_FEWEST = 16
_OWN_FILES = 144  # that the worker needs itself: libraries, threads, and files that it reads or writes
_WANTED_FILES = _MOST + 1024


@dataclass(frozen=True, kw_only=True)
class Connections:
    """A client without a token can keep a connection for `handshake_ms` before the handshake, or `idle_ms` without a call."""

    most: int
    handshake_ms: int = 5_000
    idle_ms: int = 60_000

    @property
    def options(self) -> list[tuple[str, int]]:
        """The options by gRPC's names. gRPC ignores unknown names without an error."""
        return [
            ("grpc.max_allowed_incoming_connections", self.most),
            ("grpc.server_handshake_timeout_ms", self.handshake_ms),
            ("grpc.max_connection_idle_ms", self.idle_ms),
            ("grpc.so_reuseport", 0),  # two workers on one port would share its connections at random
            ("grpc.keepalive_time_ms", 10_000),
            ("grpc.keepalive_timeout_ms", 5_000),
            ("grpc.keepalive_permit_without_calls", 1),
            ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
            ("grpc.http2.max_ping_strikes", 0),
            ("grpc.http2.bdp_probe", 0),  # together with the next: buffers at most 1 MiB of an unread stream
            ("grpc.http2.lookahead_bytes", 1 << 20),
            ("grpc.max_concurrent_streams", 8192),  # above the limits of calls in flight, which reply `busy`
        ]


def connections_by_descriptors() -> Connections:
    """As many connections as the process may open files for, after it has raised its own limit.

    Raises LadError(UNAVAILABLE) if these are too few.
    """
    files = _raised()
    most = min(_MOST, files - _OWN_FILES)
    if most < _FEWEST:
        raise LadError(
            ErrorCode.UNAVAILABLE,
            f"The worker may have {files} files open, of which it needs {_OWN_FILES} itself.",
            option="ulimit -n",
            value=files,
            remedy=f"Allow it at least {_OWN_FILES + _USUAL}.",
        )
    if most < _USUAL:
        _log.warning("%d files may be open: at most %d clients can be connected at once", files, most)
    return Connections(most=most)


def _raised() -> int:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _WANTED_FILES if hard == resource.RLIM_INFINITY else min(hard, _WANTED_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return _WANTED_FILES if soft == resource.RLIM_INFINITY else soft
