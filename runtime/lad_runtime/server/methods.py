"""What can be called: how long a request of each method may be, and with which others it shares the worker's places."""

from dataclasses import dataclass

from lad_runtime.gen.lad.v1 import (
    adapters_pb2,
    data_pb2,
    evaluation_pb2,
    runs_pb2,
    sampling_pb2,
    training_pb2,
    worker_pb2,
)

LARGEST = 8 << 20
"""Bytes of any message that the worker receives: what is larger comes in pieces."""

SMALL = 64 << 10
"""Bytes of a request that is ids, names, numbers and switches."""

_FILES = (worker_pb2, data_pb2, adapters_pb2, training_pb2, sampling_pb2, runs_pb2, evaluation_pb2)
_PIECE = (1 << 20) + 1024  # of a file, with its name

_LONGER = {
    "WorkerService/LoadBase": 512 << 10,  # a chat template and a system prompt
    "DataService/UploadDataset": _PIECE,
    "AdaptersService/UploadAdapter": _PIECE,
    "DataService/Encode": LARGEST,  # texts
    "DataService/Render": LARGEST,  # a chat
    "DataService/Decode": LARGEST,  # tokens, 1 to 3 bytes each
    "EvaluationService/Score": LARGEST,
    "SamplingService/StartSampling": LARGEST,  # 4,096 prompts of 700 tokens
    "SamplingService/Predict": LARGEST,
    "TrainingService/ForwardBackward": LARGEST,  # tokens with a target and a weight, 6 to 10 bytes each
}


_ANSWERED_AT_ONCE = {
    "WorkerService/Handshake",
    "WorkerService/GetInfo",
    "RunsService/GetRun",
    "RunsService/ListRuns",
    "RunsService/CancelRun",
    "RunsService/PauseRun",
    "AdaptersService/GetAdapter",
    "AdaptersService/DropAdapter",
}
"""They, or what they ask for, end within a micro-step. Everything else may wait for the device, the disk or the hub."""


@dataclass(frozen=True, kw_only=True)
class Method:
    name: str  # WorkerService/GetInfo
    max_bytes: int  # of one request, or of one piece of it
    shares: str  # the places that it takes one of: uploads, streams, work, calls


def service_names() -> list[str]:
    return [service.full_name for file in _FILES for service in file.DESCRIPTOR.services_by_name.values()]


def method(path: str) -> Method:
    """Of a path of gRPC's, `/lad.v1.WorkerService/GetInfo`; what is not in the protocol (reflection, health) is a small stream."""
    return _METHODS.get(path) or Method(name=path[1:], max_bytes=SMALL, shares="streams")


def _shares(name: str, request_streaming: bool, response_streaming: bool) -> str:
    if request_streaming:
        return "uploads"
    if response_streaming:
        return "streams"
    return "calls" if name in _ANSWERED_AT_ONCE else "work"


def _methods() -> dict[str, Method]:
    found = {}
    for file in _FILES:
        for service in file.DESCRIPTOR.services_by_name.values():
            for each in service.methods:
                name = f"{service.name}/{each.name}"
                found[f"/{service.full_name}/{each.name}"] = Method(
                    name=name,
                    max_bytes=_LONGER.get(name, SMALL),
                    shares=_shares(name, each.client_streaming, each.server_streaming),
                )
    return found


_METHODS = _methods()
