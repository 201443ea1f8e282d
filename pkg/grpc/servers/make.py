"""Which server it is."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, TypeAlias, assert_never

from grpc import aio

from pkg.grpc.servers.aio import AioServer
from pkg.grpc.servers.server import CoreServer

# Its `services` are the full names of those that were added.
OwnServer: TypeAlias = CoreServer | AioServer


class ServerKind(StrEnum):
    """What stands between gRPC's core and our handlers."""

    CORE = "core"
    AIO = "aio"


def make_server(
    kind: ServerKind,
    *,
    interceptors: Sequence[aio.ServerInterceptor] = (),
    options: Sequence[tuple[str, Any]] = (),
    calls_max: int | None = None,
    abandoned: Callable[[str], object] = lambda _method: None,
) -> OwnServer:
    """Return a server that has not begun to serve.

    Args:
        kind: Whose.
        interceptors: Around each handler, the first outermost.
        options: gRPC's.
        calls_max: How many calls may be under way; more are refused. None for any number.
        abandoned: Told the method of a call that runs on after its client has gone.
    """
    made: type[OwnServer]
    match kind:
        case ServerKind.CORE:
            made = CoreServer
        case ServerKind.AIO:
            made = AioServer
        case _:
            assert_never(kind)
    return made(
        interceptors=interceptors, options=options, calls_max=calls_max, abandoned=abandoned
    )
