"""Asking a process whether it serves."""

import asyncio
import contextlib
from typing import Any
from urllib.parse import urlsplit

POLL_SECONDS = 0.05
ANSWER_SECONDS_MAX = 1.0


# By them the edge knows which service is meant: payments without a name.
_SERVICES = ("", "paygate.webhooks.v1.WebhookService")


async def edge_serving(url: str) -> None:
    """Return once the edge at this address lets calls through, to each service.

    Its page alone does not say so: it comes by another way than calls, which wait until the edge
    has found the services healthy.
    """
    await http_serving(url)
    for service in _SERVICES:
        await grpc_serving(
            urlsplit(url).port or 80, service, host=urlsplit(url).hostname or "127.0.0.1"
        )


async def grpc_serving(port: int, service: str = "", *, host: str = "127.0.0.1") -> None:
    """Return once the standard health service on `port` says SERVING, of this service."""
    from grpc import RpcError, aio  # noqa: PLC0415 - 0.1 s that `ready` and `reset` needn't pay
    from grpc_health.v1 import health_pb2, health_pb2_grpc  # noqa: PLC0415

    options = [
        ("grpc.initial_reconnect_backoff_ms", 50),
        ("grpc.min_reconnect_backoff_ms", 50),
        ("grpc.max_reconnect_backoff_ms", 50),
    ]
    async with aio.insecure_channel(f"{host}:{port}", options=options) as channel:
        # The package is typed for the blocking API only.
        health: Any = health_pb2_grpc.HealthStub(channel)
        while True:
            with contextlib.suppress(RpcError):
                reply = await health.Check(
                    health_pb2.HealthCheckRequest(service=service),
                    timeout=ANSWER_SECONDS_MAX,
                    wait_for_ready=True,
                )
                if reply.status == health_pb2.HealthCheckResponse.SERVING:
                    return
            await asyncio.sleep(POLL_SECONDS)


async def http_serving(url: str, page: str = "/health") -> None:
    """Return once this page at this address answers 200."""
    while True:
        if await http_ok(url, page):
            return
        await asyncio.sleep(POLL_SECONDS)


async def http_ok(url: str, page: str = "/health") -> bool:
    """Say whether this page at this address answers 200 now."""
    host, port = urlsplit(url).hostname or "", urlsplit(url).port or 80
    try:
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            return await _status(host, port, page) == b"200"
    except (OSError, TimeoutError):
        return False


async def _status(host: str, port: int, page: str) -> bytes:
    reader, writer = await asyncio.open_connection(host, port)
    try:
        writer.write(f"GET {page} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n".encode())
        return (await reader.readline())[9:12]
    finally:
        writer.close()
