"""The protocol's methods, with the longest request of each and the limit on concurrent calls that it counts towards."""

from dataclasses import dataclass

from google.protobuf.descriptor import MethodDescriptor

from lad_runtime.wire.protocol import FILES, METHODS, is_answered_soon, max_request_bytes

LARGEST = 8 << 20
"""The most bytes of a message that the worker receives; larger data arrives in pieces."""

SMALL = 64 << 10
"""The most bytes of a request that consists of ids, names, numbers and switches."""


@dataclass(frozen=True, kw_only=True)
class Method:
    name: str  # WorkerService/GetInfo
    max_bytes: int  # of one request, or of one piece of it
    shares: str  # the limit that it counts towards: uploads, streams, work, calls


def service_names() -> list[str]:
    return [service.full_name for file in FILES for service in file.services_by_name.values()]


def method(path: str) -> Method:
    """The method of a gRPC path, `/lad.v1.WorkerService/GetInfo`. Methods of other protocols (reflection, health) are small
    streams."""
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
