"""When `make run` says that the edge serves: calls go through, and not its page alone."""

import asyncio
from pathlib import Path

import yaml
from grpc_health.v1.health_pb2 import HealthCheckResponse

from tests.e2e.edge import Edge, Upstream, rendered
from tools.stack import envoy, probe

NOTICED_SECONDS_MAX = 10.0


async def test_the_edge_serves_when_calls_go_through(tmp_path: Path) -> None:
    """While its services are not found healthy, its page may be well; calls would be refused."""
    source = yaml.safe_load(envoy.SOURCE.read_text())["static_resources"]["clusters"]
    with Upstream() as upstream:
        config = rendered(upstream)
        (payments,) = [
            one for one in config["static_resources"]["clusters"] if one["name"] == "payments"
        ]
        (asked,) = [one["health_checks"] for one in source if one["name"] == "payments"]
        payments["health_checks"] = asked
        with Edge(config, tmp_path) as edge:
            upstream.health = HealthCheckResponse.NOT_SERVING
            await asyncio.to_thread(edge.wait_for, r"^cluster\.payments\.membership_healthy$", 0)
            assert await probe.http_ok(edge.url, "/health")
            serving = asyncio.create_task(probe.edge_serving(edge.url))
            await asyncio.wait({serving}, timeout=0.5)
            assert not serving.done()
            upstream.health = HealthCheckResponse.SERVING
            await asyncio.wait_for(serving, NOTICED_SECONDS_MAX)
