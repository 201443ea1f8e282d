"""What every gRPC server of ours does around a call, in one interceptor.

A request id for each call; messages that cannot be read; refusals as google.rpc.Status; and a wall
that no exception's text gets through.
"""

import asyncio
import re
import time
import uuid
from collections.abc import Awaitable, Callable, Iterable
from contextvars import ContextVar
from functools import partial
from typing import Any, NoReturn, TypeAlias

import grpc
import structlog
from grpc import aio

from pkg.grpc.calls import Call, CallRecords
from pkg.grpc.limits import Gate, Place
from pkg.grpc.messages import UnreadError, reader, writer
from pkg.grpc.refusals import DOMAIN, Refusal, internal
from pkg.grpc.streaming import rewrapped

logger = structlog.get_logger()

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")

Context = aio.ServicerContext[Any, Any]
# grpc's handler takes its parameters only from type checkers.
_Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any] | None"


_call: ContextVar[Call] = ContextVar("call")


OVERLOADED = Refusal(
    code=grpc.StatusCode.UNAVAILABLE,
    reason="OVERLOADED",
    message="Too many requests are under way. Nothing was done; try again.",
    retry_after_seconds=1,
)


def add_reply_header(name: str, value: str) -> None:
    """Send a header with the reply to the call that this code runs for."""
    _call.get().headers[name] = value


def note_caller(merchant_id: str, key_id: str) -> None:
    """Note for the log whose call it is that this code runs for, if it runs for one."""
    call = _call.get(None)
    if call is not None:
        call.merchant_id, call.key_id = merchant_id, key_id


def note_payment(payment_id: str) -> None:
    """Note for the log which payment the call is about that this code runs for, if it runs for one.

    For handlers whose reply is bytes, in which nobody looks for it.
    """
    call = _call.get(None)
    if call is not None:
        call.payment_id = payment_id


def current_place() -> Place | None:
    """Return the place of the call that this code runs for, if it has one."""
    call = _call.get(None)
    return call.place if call else None


def current_call() -> Call | None:
    """Return the call that this code runs for, if it runs for one."""
    return _call.get(None)


def outgoing_metadata(traceparent: str = "") -> tuple[tuple[str, str], ...]:
    """Return what a call to another service of ours tells it of the call that this code runs for.

    Args:
        traceparent: Of the call to the other service; empty if it is not traced.
    """
    call = _call.get(None)
    request_id = (("x-request-id", call.request_id),) if call else ()
    return (*request_id, ("traceparent", traceparent)) if traceparent else request_id


def called_method() -> str:
    """Return the method that this code runs for, as `/package.Service/Method`."""
    return _call.get().method


def metadata_values(context: Context, name: str) -> list[str]:
    """Return the call's metadata of that name, as text."""
    call = _call.get(None)
    metadata = _metadata(context) if call is None else call.metadata
    return metadata.get(name, [])


def client_address(context: Context) -> str:
    """Return the address that a call comes from.

    It is the last one of `x-forwarded-for`, which the edge has written; any before it is what the
    client says of itself. Without that it is the peer's.
    """
    call = _call.get(None)
    return _address(_metadata(context), context) if call is None else call.address


def _address(metadata: dict[str, list[str]], context: Context) -> str:
    forwarded = metadata.get("x-forwarded-for")
    if forwarded:
        return forwarded[-1].rpartition(",")[2].strip()
    kind, _, rest = context.peer().partition(":")  # ipv4:192.0.2.1:4711, ipv6:%5B::1%5D:4711
    host = rest.rpartition(":")[0] if kind in {"ipv4", "ipv6"} else kind
    return host.removeprefix("%5B").removesuffix("%5D").removeprefix("[").removesuffix("]")


def _metadata(context: Context) -> dict[str, list[str]]:
    """Read the call's metadata, which grpc puts together anew each time."""
    found: Iterable[tuple[str, str | bytes]] = context.invocation_metadata() or ()
    metadata: dict[str, list[str]] = {}
    for key, value in found:
        if isinstance(value, str):
            metadata.setdefault(key, []).append(value)
    return metadata


_Handle: TypeAlias = Callable[[bytes, Context, Call], Awaitable[bytes]]


class Guard(aio.ServerInterceptor):
    """Wraps every call. One that streams takes no place here: its handler bounds it.

    Args:
        refuse: Turns an exception into the refusal that the client gets; None for a bug, of which
            the client learns nothing but the request id.
        gate: Bounds the calls under way; what is too much is refused before it is even read.
        records: Counts and logs every call.
        domain: Whose errors these are, as they say themselves.
    """

    def __init__(
        self,
        refuse: Callable[[Exception], Refusal | None],
        gate: Gate | None = None,
        records: CallRecords | None = None,
        domain: str = DOMAIN,
    ) -> None:
        self._refuse = refuse
        self._gate = gate
        self._records = records
        self._domain = domain

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[_Handler]],
        details: grpc.HandlerCallDetails,
    ) -> _Handler:
        """Return the handler with the wall around it."""
        handler = await continuation(details)
        if handler is None:
            return None
        if handler.unary_unary is None:
            return rewrapped(handler, partial(self._stream, details.method))
        method, read, write = details.method, reader(handler), writer(handler)
        inner: Callable[[Any, Any], Awaitable[object]] = handler.unary_unary

        async def handle(data: bytes, context: Context, call: Call) -> bytes:
            try:
                call.request = request = read(data)
                call.reply = reply = await inner(request, context)
                return write(reply)
            finally:
                # Before a refusal is sent, so that a flood of those takes up nothing.
                if call.place is not None:
                    call.place.leave()

        async def call(data: bytes, context: Context) -> bytes:
            return await self._call(handle, method, data, context)

        # Without a deserializer and a serializer the handler gets bytes and returns them.
        return grpc.unary_unary_rpc_method_handler(call)

    async def _call(self, handle: _Handle, method: str, data: bytes, context: Context) -> bytes:
        call = _begun(method, context)
        if self._records is None:
            return await self._answer(handle, call, data, context)
        self._records.begin(call)
        began = time.perf_counter()
        call.code = "CANCELLED"  # unless something else is noted below
        try:
            reply = await self._answer(handle, call, data, context)
            # What a client has not waited for was done all the same.
            call.code = "CANCELLED" if context.cancelled() else "OK"
            return reply
        finally:
            self._records.end(call, time.perf_counter() - began)

    async def _answer(self, handle: _Handle, call: Call, data: bytes, context: Context) -> bytes:
        if self._gate is not None:
            call.place = self._gate.enter(call.method)
            if call.place is None:
                await self._abort(context, OVERLOADED, call)
        _call.set(call)
        try:
            reply = await handle(data, context, call)
        except (aio.AbortError, asyncio.CancelledError):
            raise
        except Exception as problem:  # noqa: BLE001  # all that can be wrong
            await self._fail(problem, context, call)
        if call.headers:
            await _send_headers(context, call)
        return reply

    async def _stream(self, method: str, replies: Awaitable[Any], context: Context) -> Any:
        call = _begun(method, context)
        _call.set(call)
        if self._records is None:
            return await self._streamed(replies, context, call)
        self._records.opened(call)
        began = time.perf_counter()
        call.code = "CANCELLED"  # unless something else is noted below
        try:
            reply = await self._streamed(replies, context, call)
            call.code = "OK"
            return reply
        finally:
            self._records.closed(call, time.perf_counter() - began)

    async def _streamed(self, replies: Awaitable[Any], context: Context, call: Call) -> Any:
        try:
            return await replies
        except (aio.AbortError, asyncio.CancelledError):
            raise
        except Exception as problem:  # noqa: BLE001  # all that can be wrong
            await self._fail(problem, context, call)

    async def _fail(self, problem: Exception, context: Context, call: Call) -> NoReturn:
        """End a call that went wrong; nothing of the exception's text is told."""
        match problem:
            case NotImplementedError():
                call.code = "UNIMPLEMENTED"
                await context.abort(grpc.StatusCode.UNIMPLEMENTED, "Method not implemented!")
            case UnreadError():
                refusal: Refusal | None = problem.refusal
            case _:
                refusal = self._refuse(problem)
        if refusal is None:
            told = {"method": call.method, "request_id": call.request_id}
            logger.error("unexpected error", **told, exc_info=problem)
            refusal = internal(call.request_id)
        await self._abort(context, refusal, call)

    async def _abort(self, context: Context, refusal: Refusal, call: Call) -> NoReturn:
        call.code, call.reason, call.refusal = refusal.code.name, refusal.reason, refusal
        # As initial metadata they are headers in REST as well, where trailing metadata is lost.
        headers = {"x-request-id": call.request_id, **call.headers}
        if refusal.retry_after_seconds is not None:
            headers["retry-after"] = str(refusal.retry_after_seconds)
        if refusal.unauthenticated:
            headers["www-authenticate"] = "Bearer"
        # All in one frame, which begins the answer and ends it. In REST they are headers, too.
        details = ("grpc-status-details-bin", refusal.status(self._domain).SerializeToString())
        metadata = (*headers.items(), details)
        await context.abort(refusal.code, refusal.message, metadata)


def _begun(method: str, context: Context) -> Call:
    """Return a call that begins."""
    metadata = _metadata(context)
    call = Call(method, request_id_of(metadata), metadata, address=_address(metadata, context))
    # As trailing metadata it goes with the reply; as a header it would be a batch of its own,
    # which costs a fifth of a call. The edge puts the id into its replies' headers itself.
    context.set_trailing_metadata((("x-request-id", call.request_id),))
    return call


def request_id_of(metadata: dict[str, list[str]]) -> str:
    """Take the id that the edge gave the call, or make one."""
    given = metadata.get("x-request-id")
    return given[0] if given and _REQUEST_ID.match(given[0]) else str(uuid.uuid4())


async def _send_headers(context: Context, call: Call) -> None:
    """Send what goes with a reply, as the call's client can read it.

    grpc sends initial metadata at once and the reply after it. A process that dies in between
    leaves a call that has begun to be answered, of which the edge can only reset the rest; so
    native clients get all of it behind the reply. In REST it has to be headers, and there the
    transcoder holds them back until the reply is whole.
    """
    headers = tuple(call.headers.items())
    if "x-transcoded" in call.metadata:
        await context.send_initial_metadata(headers)
    else:
        context.set_trailing_metadata((("x-request-id", call.request_id), *headers))
