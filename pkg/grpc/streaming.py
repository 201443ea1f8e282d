"""Handlers that stream, with something around them."""

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any, TypeAlias

import grpc

from pkg.grpc.messages import reader, writer

# Awaits what makes the replies, and returns what that returns.
Around: TypeAlias = Callable[[Awaitable[Any], Any], Awaitable[Any]]


def rewrapped(handler: Any, around: Around) -> "grpc.RpcMethodHandler[Any, Any]":
    """Return a handler that streams, run inside `around`; so is the reading of what it gets."""
    read, write = reader(handler), writer(handler)
    if handler.unary_stream is not None:

        async def replies(data: bytes, context: Any) -> Any:
            made = _made(lambda: handler.unary_stream(read(data), context), context)
            return await around(made, context)

        return grpc.unary_stream_rpc_method_handler(replies, response_serializer=write)

    inner = handler.stream_unary or handler.stream_stream

    async def conversation(requests: Any, context: Any) -> Any:
        return await around(_made(lambda: inner(requests, context), context), context)

    kind: Any = (
        grpc.stream_unary_rpc_method_handler
        if handler.stream_unary
        else grpc.stream_stream_rpc_method_handler
    )
    rewrapped: grpc.RpcMethodHandler[Any, Any] = kind(
        conversation, request_deserializer=read, response_serializer=write
    )
    return rewrapped


async def _made(begin: Callable[[], Any], context: Any) -> Any:
    """Run a handler that yields its replies, writes them, or returns the one that there is."""
    replies = begin()
    if not hasattr(replies, "__aiter__"):
        return await replies
    async with aclosing(replies):
        async for reply in replies:
            await context.write(reply)
    return None
