"""What every call passes through: the token is checked on the way in, errors are mapped on the way out."""

import asyncio
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any

import grpc
from grpc import aio

from lad_runtime.engine.failures import Describe, typed_error
from lad_runtime.errors import ErrorCode, LadError
from lad_runtime.wire.errors import DETAIL_KEY, error_detail, status_of

_OPEN = "/grpc.health.v1.Health/"  # tells nothing but that the worker lives; container health checks have no token


class Guard(aio.ServerInterceptor):
    """Wraps the handlers of all services but health. The token is compared in constant time."""

    def __init__(self, token: str, describe: Describe) -> None:
        self._expected = f"Bearer {token}".encode()
        self._describe = describe

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[grpc.RpcMethodHandler]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> grpc.RpcMethodHandler:
        handler = await continuation(handler_call_details)
        if handler is None or handler_call_details.method.startswith(_OPEN):
            return handler
        return self._guarded(handler)

    def _guarded(self, handler: Any) -> grpc.RpcMethodHandler:
        inner = handler.stream_stream or handler.unary_stream or handler.stream_unary or handler.unary_unary
        coders = (handler.request_deserializer, handler.response_serializer)

        async def one_reply(request: Any, context: aio.ServicerContext) -> Any:
            try:
                self._check_token(context)
                return await inner(request, context)
            except (asyncio.CancelledError, aio.AbortError):
                raise
            except Exception as error:
                await self._abort(context, error)

        async def many_replies(request: Any, context: aio.ServicerContext) -> AsyncIterator[Any]:
            try:
                self._check_token(context)
                async with aclosing(inner(request, context)) as replies:
                    async for reply in replies:
                        yield reply
            except (asyncio.CancelledError, aio.AbortError):
                raise
            except Exception as error:
                await self._abort(context, error)

        if handler.response_streaming:
            kind = (
                grpc.stream_stream_rpc_method_handler
                if handler.request_streaming
                else grpc.unary_stream_rpc_method_handler
            )
            return kind(many_replies, *coders)
        kind = (
            grpc.stream_unary_rpc_method_handler
            if handler.request_streaming
            else grpc.unary_unary_rpc_method_handler
        )
        return kind(one_reply, *coders)

    def _check_token(self, context: aio.ServicerContext) -> None:
        given = b""
        for key, value in context.invocation_metadata() or ():
            if key == "authorization":
                given = value.encode() if isinstance(value, str) else value
        if not hmac.compare_digest(given, self._expected):
            raise LadError(
                ErrorCode.UNAUTHENTICATED,
                "The worker's token is missing or wrong.",
                option="token",
                remedy="Give the token that the worker was started with.",
            )

    async def _abort(self, context: aio.ServicerContext, error: Exception) -> None:
        known = typed_error(error, self._describe)
        detail = error_detail(known)
        text = f"{detail.message} {detail.remedy}".strip()
        await context.abort(status_of(known), text, ((DETAIL_KEY, detail.SerializeToString()),))
