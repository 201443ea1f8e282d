"""What every gRPC server of ours does around a call, in one interceptor.

A request id for each call; messages that cannot be read; refusals as google.rpc.Status; and a wall
that no exception's text gets through.
"""

import asyncio
import re
import uuid
from collections.abc import Awaitable, Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeAlias

import grpc
import structlog
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from google.rpc.status_pb2 import Status
from grpc import aio

from pkg.gate import Gate

logger = structlog.get_logger()

DOMAIN = "paygate"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")
_reply_headers: ContextVar[dict[str, str]] = ContextVar("reply_headers")
_called_method: ContextVar[str] = ContextVar("called_method")

Context = aio.ServicerContext[Any, Any]
# grpc's handler takes its parameters only from type checkers.
_Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any] | None"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An error as a client sees it.

    `violations` are what is wrong by the field's path in the request; `retry_after_seconds` says
    that it may go better then.
    """

    code: grpc.StatusCode
    reason: str
    message: str
    metadata: dict[str, str] = field(default_factory=dict)
    violations: dict[str, str] = field(default_factory=dict)
    retry_after_seconds: int | None = None

    def status(self) -> Status:
        """Return google.rpc.Status with ErrorInfo and, for bad input, BadRequest (AIP-193)."""
        details: list[Message] = [
            ErrorInfo(reason=self.reason, domain=DOMAIN, metadata=self.metadata)
        ]
        if self.violations:
            details.append(
                BadRequest(
                    field_violations=[
                        BadRequest.FieldViolation(field=name, description=text)
                        for name, text in self.violations.items()
                    ]
                )
            )
        status = Status(code=self.code.value[0], message=self.message)
        for detail in details:
            packed = AnyMessage()
            packed.Pack(detail)
            status.details.append(packed)
        return status


MESSAGE_BYTES_MAX = 64 * 1024

TOO_LARGE = Refusal(
    code=grpc.StatusCode.INVALID_ARGUMENT,
    reason="BODY_TOO_LARGE",
    message="The message is larger than 64 KiB.",
)
UNREADABLE = Refusal(
    code=grpc.StatusCode.INVALID_ARGUMENT,
    reason="MALFORMED_REQUEST",
    message="The request message could not be read.",
)
OVERLOADED = Refusal(
    code=grpc.StatusCode.UNAVAILABLE,
    reason="OVERLOADED",
    message="Too many requests are under way. Nothing was done; try again.",
    retry_after_seconds=1,
)


def add_reply_header(name: str, value: str) -> None:
    """Send a header with the reply to the call that this code runs for."""
    _reply_headers.get()[name] = value


def called_method() -> str:
    """Return the method that this code runs for, as `/package.Service/Method`."""
    return _called_method.get()


def metadata_values(context: Context, name: str) -> list[str]:
    """Return the call's metadata of that name, as text."""
    found: Iterable[tuple[str, str | bytes]] = context.invocation_metadata() or ()
    return [value for key, value in found if key == name and isinstance(value, str)]


class _RefusedError(Exception):
    """The call was refused before its handler had it."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.reason)
        self.refusal = refusal


class Guard(aio.ServerInterceptor):
    """Wraps every unary call.

    Args:
        refuse: Turns an exception into the refusal that the client gets; None for a bug, of which
            the client learns nothing but the request id.
        gate: Bounds the calls under way; what is too much is refused before it is even read.
    """

    def __init__(
        self, refuse: Callable[[Exception], Refusal | None], gate: Gate | None = None
    ) -> None:
        self._refuse = refuse
        self._gate = gate

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[_Handler]],
        details: grpc.HandlerCallDetails,
    ) -> _Handler:
        """Return the handler with the wall around it."""
        handler = await continuation(details)
        if handler is None or handler.unary_unary is None:
            return handler
        method, read = details.method, _reader(handler)
        inner: Callable[[Any, Any], Awaitable[object]] = handler.unary_unary

        async def handle(data: bytes, context: Context) -> object:
            return await inner(read(data), context)

        async def call(data: bytes, context: Context) -> object:
            return await self._call(handle, method, data, context)

        # Without a deserializer the handler gets the bytes.
        return grpc.unary_unary_rpc_method_handler(
            call, response_serializer=handler.response_serializer
        )

    async def _call(
        self,
        handle: Callable[[bytes, Context], Awaitable[object]],
        method: str,
        data: bytes,
        context: Context,
    ) -> object:
        request_id = _request_id(context)
        headers = {"x-request-id": request_id}
        if self._gate is not None and not self._gate.enter(method):
            await _abort(context, OVERLOADED, headers)
        _reply_headers.set(headers)
        _called_method.set(method)
        try:
            reply = await handle(data, context)
        except (aio.AbortError, asyncio.CancelledError, NotImplementedError):
            raise
        except _RefusedError as refused:
            await _abort(context, refused.refusal, headers)
        except Exception as problem:
            refusal = self._refuse(problem)
            if refusal is None:
                logger.exception("unexpected error", method=method, request_id=request_id)
                refusal = _internal(request_id)
            await _abort(context, refusal, headers)
        finally:
            if self._gate is not None:
                self._gate.leave()
        await context.send_initial_metadata(tuple(headers.items()))
        return reply


def _reader(handler: "grpc.RpcMethodHandler[Any, Any]") -> Callable[[bytes], object]:
    deserialize = handler.request_deserializer
    assert deserialize is not None  # generated handlers have one

    def read(data: bytes) -> object:
        if len(data) > MESSAGE_BYTES_MAX:
            raise _RefusedError(TOO_LARGE)
        try:
            return deserialize(data)
        except Exception:  # noqa: BLE001  # whatever it is, the client sent bytes that are no message
            raise _RefusedError(UNREADABLE) from None

    return read


def _request_id(context: Context) -> str:
    """Take the id that the edge gave the call, or make one."""
    given = metadata_values(context, "x-request-id")
    return given[0] if given and _REQUEST_ID.match(given[0]) else str(uuid.uuid4())


def _internal(request_id: str) -> Refusal:
    return Refusal(
        code=grpc.StatusCode.INTERNAL,
        reason="INTERNAL",
        message="An internal error happened. Name the request id when you report it.",
        metadata={"request_id": request_id},
    )


async def _abort(context: Context, refusal: Refusal, headers: dict[str, str]) -> NoReturn:
    # As initial metadata they are headers in REST as well; trailing metadata would be lost there.
    if refusal.retry_after_seconds is not None:
        headers["retry-after"] = str(refusal.retry_after_seconds)
    await context.send_initial_metadata(tuple(headers.items()))
    details = ("grpc-status-details-bin", refusal.status().SerializeToString())
    await context.abort(refusal.code, refusal.message, (details,))
    raise AssertionError("abort() always raises")
