"""The kind of gRPC server that tests run: the setting's, as for the processes."""

import os
from collections.abc import Callable
from typing import Any

import grpc
from grpc import aio

from pkg.grpc.servers.make import ServerKind, make_server

KIND = ServerKind(os.environ.get("PAYGATE_GRPC_SERVER", ServerKind.CORE))


def server_with(
    *interceptors: aio.ServerInterceptor,
    abandoned: Callable[[str], object] = lambda _method: None,
    kind: ServerKind = KIND,
    **options: Any,
) -> aio.Server:
    """Return a server with these interceptors and the options of gRPC's that are named.

    Args:
        interceptors: Around each handler.
        abandoned: Told of calls that run on without their clients.
        kind: Of the server.
        options: Without the `grpc.` before their names.
    """
    told = tuple((f"grpc.{name}", value) for name, value in options.items())
    return make_server(kind, interceptors=interceptors, options=told, abandoned=abandoned)


def serve_unary(
    server: aio.Server, service: str, name: str, answer: Callable[[Any, Any], Any], message: Any
) -> None:
    """Have a server answer a method whose request and reply are of one type."""
    handler = grpc.unary_unary_rpc_method_handler(
        answer,
        request_deserializer=message.FromString,
        response_serializer=message.SerializeToString,
    )
    server.add_registered_method_handlers(service, {name: handler})
