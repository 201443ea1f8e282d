"""When `make run` says that the edge serves: calls go through, and not its page alone."""

import asyncio
from pathlib import Path

from grpc_health.v1.health_pb2 import HealthCheckResponse

from tests.e2e.edge import Edge, Upstream, rendered
from tests.e2e.test_edge_health import endpoint
from tools.stack import probe

NOTICED_SECONDS_MAX = 10.0


async def serving_waits_for(service: Upstream, edge: Edge) -> None:
    """Check that the edge is not said to serve before this service says that it serves."""
    assert await probe.http_ok(edge.url, "/health")
    serving = asyncio.create_task(probe.edge_serving(edge.url))
    await asyncio.wait({serving}, timeout=0.5)
    assert not serving.done()
    service.health = HealthCheckResponse.SERVING
    await asyncio.wait_for(serving, NOTICED_SECONDS_MAX)


async def test_the_edge_serves_when_calls_go_through(tmp_path: Path) -> None:
    """While a service is not found healthy, the page may be well; calls would be refused."""
    with Upstream() as payments, Upstream() as webhooks:
        config = rendered(payments, asked="payments")
        for cluster in config["static_resources"]["clusters"]:
            if cluster["name"] == "events":
                (place,) = cluster["load_assignment"]["endpoints"]
                place["lb_endpoints"] = [endpoint(webhooks.port)]
        with Edge(config, tmp_path) as edge:
            payments.health = HealthCheckResponse.NOT_SERVING
            await asyncio.to_thread(edge.wait_for, r"^cluster\.payments\.membership_healthy$", 0)
            await serving_waits_for(payments, edge)
            webhooks.health = HealthCheckResponse.NOT_SERVING
            await serving_waits_for(webhooks, edge)
