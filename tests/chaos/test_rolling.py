"""Workers are restarted one after the other, under load, and no client notices."""

import asyncio
import json
import os
import signal
import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.chaos.load import Load
from tests.e2e import envoy_admin
from tests.e2e.stack import Stack

RESTARTS = 100 if os.environ.get("PAYGATE_CHAOS") == "full" else 3
DRAIN_SECONDS_MAX = 10.0
# Envoy asks once a second, and has to have the answer.
NOTICE_SECONDS_MIN = 1.2


class Edge:
    """What Envoy knows of the workers."""

    def __init__(self, stack: Stack) -> None:
        config = yaml.safe_load((stack.data_dir / "run" / "envoy.yaml").read_text())
        self._admin = Path(config["admin"]["address"]["pipe"]["path"])
        (payments,) = [
            cluster
            for cluster in config["static_resources"]["clusters"]
            if cluster["name"] == "payments"
        ]
        (group,) = payments["load_assignment"]["endpoints"]
        self.ports: list[int] = [
            entry["endpoint"]["address"]["socket_address"]["port_value"]
            for entry in group["lb_endpoints"]
        ]

    async def sends_to(self, port: int, *, seconds_max: float = 20.0) -> None:
        """Wait until Envoy finds the worker on this port healthy."""
        async with asyncio.timeout(seconds_max):
            while not await asyncio.to_thread(self._healthy, port):
                await asyncio.sleep(0.05)

    def _healthy(self, port: int) -> bool:
        answer = envoy_admin.asked(self._admin, "/clusters?format=json")
        clusters = json.loads(answer.data)["cluster_statuses"]
        (payments,) = [one for one in clusters if one["name"] == "payments"]
        (worker,) = [
            host
            for host in payments["host_statuses"]
            if host["address"]["socket_address"]["port_value"] == port
        ]
        health = worker["health_status"]
        return health.get("eds_health_status") == "HEALTHY" and len(health) == 1


@pytest.mark.chaos
@pytest.mark.timeout(1800)
async def test_no_client_sees_a_rolling_restart(own_stack: Stack) -> None:
    """SIGTERM to one worker after the other, under load: every request has its reply at once."""
    edge, channel = Edge(own_stack), partial(aio.insecure_channel, own_stack.grpc)
    load = Load(own_stack.url, own_stack.api_key, channel)
    for port in edge.ports:
        await edge.sends_to(port)
    running = asyncio.create_task(load.run())
    drains = []
    for number in range(RESTARTS):
        worker = number % 2
        name = f"payments-{worker + 1}"
        pid, began = own_stack.pids()[name], time.monotonic()
        os.kill(pid, signal.SIGTERM)
        drains.append(await ended(pid) - began)
        await asyncio.to_thread(own_stack.restarted, name, pid)
        await edge.sends_to(edge.ports[worker])
        assert not running.done()
    load.stopped = True
    await running
    assert not load.failures, Counter(load.failures)
    assert max(drains) <= DRAIN_SECONDS_MAX
    # A client that stood still would have seen no failure either.
    assert load.done["gRPC STATUS_SUCCEEDED"] > 20 * RESTARTS, load.done
    assert load.done["REST STATUS_SUCCEEDED"] > 20 * RESTARTS, load.done


async def ended(pid: int) -> float:
    """Wait until a process of somebody else's is gone; return the time."""
    async with asyncio.timeout(2 * DRAIN_SECONDS_MAX):
        while _is_there(pid):
            await asyncio.sleep(0.01)
    return time.monotonic()


def _is_there(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def asked(port: int) -> str:
    """Return what the worker says of its health to somebody who has just connected."""
    async with aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        health: Any = health_pb2_grpc.HealthStub(channel)  # typed for the blocking API only
        try:
            reply = await health.Check(health_pb2.HealthCheckRequest(), timeout=2)
        except aio.AioRpcError:
            return "closed"
        return health_pb2.HealthCheckResponse.ServingStatus.Name(reply.status)


@pytest.mark.chaos
async def test_a_worker_says_that_it_goes_before_it_closes(own_stack: Stack) -> None:
    """After SIGTERM new connections hear NOT_SERVING for longer than Envoy's interval."""
    port, pid = Edge(own_stack).ports[0], own_stack.pids()["payments-1"]
    assert await asked(port) == "SERVING"
    os.kill(pid, signal.SIGTERM)
    began, heard = time.monotonic(), list[tuple[float, str]]()
    while _is_there(pid):
        heard.append((time.monotonic() - began, await asked(port)))
        assert heard[-1][0] < DRAIN_SECONDS_MAX
        await asyncio.sleep(0.02)
    said = [word for _, word in heard]
    # In this order, with nothing after it that is not `closed`.
    order = ["SERVING", "NOT_SERVING", "closed"]
    assert said == sorted(said, key=order.index), said
    told = [moment for moment, word in heard if word == "NOT_SERVING"]
    assert told, said
    assert told[-1] >= NOTICE_SECONDS_MIN, heard
