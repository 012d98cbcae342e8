"""Calls to a worker: the token with each, its errors in words, another try where it is busy."""

import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import grpc

from lad_runtime.gen.lad.v1 import (
    adapters_pb2_grpc,
    data_pb2_grpc,
    evaluation_pb2_grpc,
    runs_pb2_grpc,
    sampling_pb2_grpc,
    worker_pb2,
    worker_pb2_grpc,
)
from lad_runtime.version import BUILD_VERSION, PROTOCOL_VERSION

Reply = TypeVar("Reply")

_MESSAGE_BYTES = 64 << 20
_MOST_TRIES = 60
_DETAIL = "lad-error-bin"


class WorkerError(RuntimeError):
    """A call that failed, in the worker's own words."""


class Connection:
    """A worker's services. `address` is `unix:///path` or `host:port`."""

    def __init__(self, address: str, token: str) -> None:
        self._metadata = (("authorization", f"Bearer {token}"),)
        limits = [
            ("grpc.max_receive_message_length", _MESSAGE_BYTES),
            ("grpc.max_send_message_length", _MESSAGE_BYTES),
        ]
        self._channel = grpc.insecure_channel(address.replace("unix:///", "unix:/"), limits)
        self.adapters = adapters_pb2_grpc.AdaptersServiceStub(self._channel)
        self.data = data_pb2_grpc.DataServiceStub(self._channel)
        self.evaluation = evaluation_pb2_grpc.EvaluationServiceStub(self._channel)
        self.runs = runs_pb2_grpc.RunsServiceStub(self._channel)
        self.sampling = sampling_pb2_grpc.SamplingServiceStub(self._channel)
        self.worker = worker_pb2_grpc.WorkerServiceStub(self._channel)
        versions = worker_pb2.HandshakeRequest(protocol_version=PROTOCOL_VERSION, build_version=BUILD_VERSION)
        self.call(self.worker.Handshake, versions)

    def call(self, method: Callable[..., Reply], request: Any) -> Reply:
        """One reply. Raises WorkerError."""
        for _ in range(_MOST_TRIES):
            try:
                return method(request, metadata=self._metadata)
            except grpc.RpcError as error:
                detail = _detail(error)
                if error.code() != grpc.StatusCode.RESOURCE_EXHAUSTED or not detail.retry_after_ms:
                    raise _worker_error(error, detail) from error
                time.sleep(detail.retry_after_ms / 1000)
        raise WorkerError("The worker was busy for too long: try again once it has less to do.")

    def stream(self, method: Callable[..., Iterator[Reply]], request: Any) -> Iterator[Reply]:
        """The replies of a streaming method. Raises WorkerError."""
        try:
            yield from method(request, metadata=self._metadata)
        except grpc.RpcError as error:
            raise _worker_error(error, _detail(error)) from error

    def close(self) -> None:
        self._channel.close()


def _detail(error: grpc.RpcError) -> worker_pb2.ErrorDetail:
    trailing = dict(error.trailing_metadata() or ())
    return worker_pb2.ErrorDetail.FromString(trailing.get(_DETAIL, b""))


def _worker_error(error: grpc.RpcError, detail: worker_pb2.ErrorDetail) -> WorkerError:
    words = (detail.message or str(error.details()), detail.remedy)
    return WorkerError(" ".join(filter(None, words)))
