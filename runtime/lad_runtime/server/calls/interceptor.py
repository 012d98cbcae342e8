"""The interceptor of every call: checks the token before it receives anything and the request before it parses it, and maps
errors to gRPC statuses."""

import asyncio
import hmac
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any, NoReturn

import grpc
from grpc import aio

from lad_runtime.engine.scheduler.failures import Describe, typed_error
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.server.calls.in_flight import LENGTH_KEY, InFlight, check_length
from lad_runtime.server.calls.methods import SMALL, Method, method
from lad_runtime.wire.admit import read_request
from lad_runtime.wire.errors import DETAIL_KEY, error_detail, status_of

_NEEDS_NO_TOKEN = "/grpc.health.v1.Health/Check"  # needs no token, for containers' health checks; tells only that the worker lives

_Abort = tuple[grpc.StatusCode, str, tuple[tuple[str, bytes], ...]]
"""The arguments of `abort`."""


class Guard(aio.ServerInterceptor):
    """Wraps the handlers of all services.

    gRPC receives a single request before it calls the handler, but a stream's requests only when the handler asks for them. So
    every handler is presented to gRPC as one that takes a stream, and a request without the token, or beyond the limit of calls
    in flight, is never received.
    """

    def __init__(self, token: str, describe: Describe) -> None:
        self._expected = f"Bearer {token}".encode()
        self._describe = describe
        self._in_flight = InFlight()

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler:
        path = handler_call_details.method
        permitted = self._has_token(handler_call_details)
        if not permitted and path != _NEEDS_NO_TOKEN:
            return grpc.stream_unary_rpc_method_handler(self._refuse)
        handler = await continuation(handler_call_details)
        if handler is None:
            return handler
        return self._guarded(handler, method(path)) if permitted else _answered_unread(handler)

    def _has_token(self, details: grpc.HandlerCallDetails) -> bool:
        """Compares the token in constant time."""
        given = b""
        for key, value in details.invocation_metadata or ():
            if key == "authorization":
                given = value.encode() if isinstance(value, str) else value
        return hmac.compare_digest(given, self._expected)

    async def _refuse(self, _: Any, context: aio.ServicerContext) -> NoReturn:
        missing = LadError(
            ErrorCode.UNAUTHENTICATED,
            "The worker's token is missing or wrong.",
            option="token",
            remedy="Give the token that the worker was started with.",
        )
        await context.abort(*self._abort_arguments(missing))
        raise AssertionError("abort raises")

    def _guarded(self, handler: Any, called: Method) -> grpc.RpcMethodHandler:
        """Wraps a handler. The wrappers' frames hold no request: the error of `abort` keeps them alive in a reference cycle."""

        async def one_reply(_: Any, context: aio.ServicerContext) -> Any:
            try:
                return await self._reply(context, called, handler)
            except (asyncio.CancelledError, aio.AbortError):
                raise
            except Exception as error:
                arguments = self._abort_arguments(error)
            return await context.abort(*arguments)

        async def many_replies(_: Any, context: aio.ServicerContext) -> AsyncIterator[Any]:
            try:
                async with aclosing(self._replies(context, called, handler)) as replies:
                    async for reply in replies:
                        yield reply
                return
            except (asyncio.CancelledError, aio.AbortError):
                raise
            except Exception as error:
                arguments = self._abort_arguments(error)
            await context.abort(*arguments)

        if handler.response_streaming:
            return grpc.stream_stream_rpc_method_handler(many_replies, None, handler.response_serializer)
        return grpc.stream_unary_rpc_method_handler(one_reply, None, handler.response_serializer)

    async def _reply(self, context: aio.ServicerContext, called: Method, handler: Any) -> Any:
        inner = handler.stream_unary or handler.unary_unary
        async with self._received(context, called, handler) as given:
            return await inner(given, context)

    async def _replies(
        self, context: aio.ServicerContext, called: Method, handler: Any
    ) -> AsyncGenerator[Any, None]:
        inner = handler.stream_stream or handler.unary_stream
        async with (
            self._received(context, called, handler) as given,
            aclosing(inner(given, context)) as replies,
        ):
            async for reply in replies:
                yield reply

    @asynccontextmanager
    async def _received(
        self, context: aio.ServicerContext, called: Method, handler: Any
    ) -> AsyncIterator[Any]:
        """The handler's argument, one request or an iterator of several, while the handler works on it."""
        kind = handler.request_deserializer.__self__
        with self._in_flight.place(called):
            if handler.request_streaming:
                yield _each(context, called, kind)
            else:
                receiving = self._in_flight.request(lambda: _next(context), called, _declared(context))
                async with receiving as data:
                    yield await _read(kind, data)

    def _abort_arguments(self, error: Exception) -> _Abort:
        """Translates an error to status, text and detail. The result must not refer to the exception, whose traceback would keep
        the call's request in memory until the garbage collector runs."""
        known = typed_error(error, self._describe)
        detail = error_detail(known)
        text = f"{detail.message} {detail.remedy}".strip()
        return status_of(known), text, ((DETAIL_KEY, detail.SerializeToString()),)


async def _each(context: aio.ServicerContext, called: Method, kind: type[Any]) -> AsyncIterator[Any]:
    while (data := await _next(context)) is not None:
        check_length(data, called)
        yield read_request(kind, data)


async def _read(kind: type[Any], data: bytes) -> Any:
    """Parses a request; a long one in a thread, since it may take tenths of a second."""
    return (
        await asyncio.to_thread(read_request, kind, data) if len(data) > SMALL else read_request(kind, data)
    )


def _declared(context: aio.ServicerContext) -> int | None:
    given = dict(context.invocation_metadata() or ()).get(LENGTH_KEY, "")
    return int(given) if isinstance(given, str) and given.isdecimal() and len(given) < 12 else None


async def _next(context: aio.ServicerContext) -> bytes | None:
    """The next message, or None. gRPC's own iterator is a reference cycle, which keeps the last message in memory."""
    data = await context.read()
    return None if data is aio.EOF else data


def _answered_unread(handler: Any) -> grpc.RpcMethodHandler:
    """Answers a caller without the token as if its request were empty."""
    nothing = handler.request_deserializer(b"")

    async def reply(_: Any, context: aio.ServicerContext) -> Any:
        return await handler.unary_unary(nothing, context)

    return grpc.stream_unary_rpc_method_handler(reply, None, handler.response_serializer)
