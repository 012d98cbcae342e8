"""What can be called: how long a request of each method may be, and with which others it shares the worker's places."""

from dataclasses import dataclass

from google.protobuf.descriptor import MethodDescriptor

from lad_runtime.wire.protocol import FILES, METHODS, is_answered_soon, max_request_bytes

LARGEST = 8 << 20
"""Bytes of any message that the worker receives: what is larger comes in pieces."""

SMALL = 64 << 10
"""Bytes of a request that is ids, names, numbers and switches."""


@dataclass(frozen=True, kw_only=True)
class Method:
    name: str  # WorkerService/GetInfo
    max_bytes: int  # of one request, or of one piece of it
    shares: str  # the places that it takes one of: uploads, streams, work, calls


def service_names() -> list[str]:
    return [service.full_name for file in FILES for service in file.services_by_name.values()]


def method(path: str) -> Method:
    """Of a path of gRPC's, `/lad.v1.WorkerService/GetInfo`; what is not in the protocol (reflection, health) is a small stream."""
    return _KNOWN.get(path) or Method(name=path[1:], max_bytes=SMALL, shares="streams")


def _known(each: MethodDescriptor) -> Method:
    return Method(
        name=f"{each.containing_service.name}/{each.name}",
        max_bytes=max_request_bytes(each) or SMALL,
        shares=_shares(each),
    )


def _shares(each: MethodDescriptor) -> str:
    if each.client_streaming:
        return "uploads"
    if each.server_streaming:
        return "streams"
    return "calls" if is_answered_soon(each) else "work"


_KNOWN = {f"/{each.containing_service.full_name}/{each.name}": _known(each) for each in METHODS}
