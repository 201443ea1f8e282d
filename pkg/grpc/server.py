"""A gRPC server's life: listen, say that it is healthy, drain on SIGTERM."""

import asyncio
import contextlib
import gc
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import grpc
import structlog
from grpc_health.v1 import health_pb2_grpc

from pkg.grpc.health_checks import HealthChecks
from pkg.grpc.servers.make import OwnServer

logger = structlog.get_logger()

OPTIONS = (
    # Above the limit of `pkg.grpc.guard`, so that what is too large gets an error that says so.
    ("grpc.max_receive_message_length", 1024 * 1024),
    # As much as the edge lets through, with the 32 bytes that are counted for each; from the first
    # size on calls would be refused at random.
    ("grpc.max_metadata_size", 96 * 1024),
    ("grpc.absolute_max_metadata_size", 128 * 1024),
    # Envoy pings idle connections; without these the server would answer with GOAWAY.
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.min_ping_interval_without_data_ms", 5_000),
)


def options(*, port_is_held: bool = False) -> tuple[tuple[str, int], ...]:
    """Return the options of every gRPC server of ours.

    Args:
        port_is_held: Whether our supervisor holds the port, which the server is to join. On by
            default at gRPC: a second server would silently share the port and take half of the
            calls.
    """
    return (*OPTIONS, ("grpc.so_reuseport", int(port_is_held)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a server ends, in seconds.

    Attributes:
        notice_seconds: How long health checks get NOT_SERVING while calls are still taken. Longer
            than a load balancer's interval: one that has not heard yet still sends calls.
        drain_seconds: How long clients may wait for running calls after that; these run on.
        end_seconds: How long after the signal all have ended. What runs for longer is given up, or
            it would hold the process until it is killed.
    """

    notice_seconds: float = 0.0
    drain_seconds: float
    end_seconds: float


async def serve_until_stopped(
    server: OwnServer,
    *,
    listen: str,
    ending: Ending,
    credentials: grpc.ServerCredentials | None = None,
    closing: Callable[[], None] | None = None,
    before_close: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Serve on `listen` until SIGTERM or SIGINT, then let running calls end.

    After SIGTERM it goes on for a while and says that it is about to go; after SIGINT, or when one
    follows, it does not wait: nobody is in front any more.

    Args:
        server: With the service's own handlers; the standard health service is added here.
        listen: Address and port, such as `127.0.0.1:50051`.
        ending: How long its end may take.
        credentials: For TLS; plain text without.
        closing: Called when nothing new is taken any more: calls that stay open are to end now.
        before_close: Awaited after the last call ended; not if one was given up.

    Raises:
        RuntimeError: The port is taken.
    """
    stopped, at_once = stop_signal(), asyncio.Event()
    _stop_at_once(stopped, at_once)
    checks = HealthChecks(server.services)
    health_pb2_grpc.add_HealthServicer_to_server(checks, server)
    if credentials is None:
        server.add_insecure_port(listen)
    else:
        server.add_secure_port(listen, credentials)
    await server.start()
    _spare_the_collector()
    logger.info("serving", listen=listen, tls=credentials is not None)
    await stopped.wait()
    end = asyncio.get_running_loop().time() + ending.end_seconds
    checks.leave()
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(at_once.wait(), ending.notice_seconds)
    # From here on nothing new is taken.
    checks.close()
    if closing:
        closing()
    try:
        async with asyncio.timeout_at(end):
            await server.stop(ending.drain_seconds)
            if before_close:
                await before_close()
    except TimeoutError:
        logger.error("calls have not ended, and are given up")  # noqa: TRY400  # where is no news
    else:
        logger.info("stopped")


def _spare_the_collector() -> None:
    """Have the garbage collector leave alone what is there for good, and look less often.

    It is only for cycles, of which a call leaves next to none. By default it looked at all modules
    and classes again and again, which took 8 % of the time of an Authorize.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def _stop_at_once(*events: asyncio.Event) -> None:
    """Have SIGINT set all of these."""

    def interrupted() -> None:
        for event in events:
            event.set()

    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, interrupted)


def stop_signal() -> asyncio.Event:
    """Return an event that SIGTERM or SIGINT sets."""
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    return stopped
