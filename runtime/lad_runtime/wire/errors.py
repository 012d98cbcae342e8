"""Translates a LadError to its gRPC status and ErrorDetail."""

import grpc

from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.gen.lad.v1 import worker_pb2 as pb

DETAIL_KEY = "lad-error-bin"
"""The trailing metadata key of a failed call's serialized ErrorDetail."""

_LONGEST = 2000
"""The most characters in one text of an ErrorDetail: a call's metadata is limited to 8 KiB in all."""

_STATUS = {
    ErrorCode.INVALID_OPTION: grpc.StatusCode.INVALID_ARGUMENT,
    ErrorCode.INVALID_DATA: grpc.StatusCode.INVALID_ARGUMENT,
    ErrorCode.INVALID_FILE: grpc.StatusCode.INVALID_ARGUMENT,
    ErrorCode.UNSUPPORTED_MODEL: grpc.StatusCode.INVALID_ARGUMENT,
    ErrorCode.NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    ErrorCode.ALREADY_EXISTS: grpc.StatusCode.ALREADY_EXISTS,
    ErrorCode.INVALID_STATE: grpc.StatusCode.FAILED_PRECONDITION,
    ErrorCode.VERSION_MISMATCH: grpc.StatusCode.FAILED_PRECONDITION,
    ErrorCode.ACCESS_DENIED: grpc.StatusCode.PERMISSION_DENIED,
    ErrorCode.UNAUTHENTICATED: grpc.StatusCode.UNAUTHENTICATED,
    ErrorCode.OUT_OF_MEMORY: grpc.StatusCode.RESOURCE_EXHAUSTED,
    ErrorCode.BUSY: grpc.StatusCode.RESOURCE_EXHAUSTED,
    ErrorCode.STORAGE: grpc.StatusCode.DATA_LOSS,
    ErrorCode.CANCELLED: grpc.StatusCode.CANCELLED,
    ErrorCode.DIVERGED: grpc.StatusCode.ABORTED,
    ErrorCode.UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    ErrorCode.INTERNAL: grpc.StatusCode.INTERNAL,
}


def status_of(error: LadError) -> grpc.StatusCode:
    return _STATUS[error.code]


def error_detail(error: LadError) -> pb.ErrorDetail:
    return pb.ErrorDetail(
        code=error.code.value,
        message=_clean(error.message),
        option=_clean(error.option),
        value=_clean(error.value),
        remedy=_clean(error.remedy),
        retry_after_ms=error.retry_after_ms,
    )


def _clean(text: str) -> str:
    """Makes a text valid UTF-8, since a path may contain undecodable bytes, and limits its length."""
    return text.encode("utf-8", "replace").decode()[:_LONGEST]
