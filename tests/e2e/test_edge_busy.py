"""A worker that is busy for longer than a health check may take is no worker that is away."""

import time
from collections.abc import Iterator

import pytest
import urllib3
from grpc_health.v1.health_pb2 import HealthCheckResponse

from tests.e2e.edge import Edge, Upstream, rendered
from tests.e2e.test_edge_health import soon

BUSY_SECONDS = 2.5  # for so long, at least, a worker may be
SERVED, AWAY = (200, ""), (503, "DEPENDENCY_UNAVAILABLE")


@pytest.fixture
def worker() -> Iterator[Upstream]:
    """The only one."""
    with Upstream() as running:
        yield running
        running.says.set()


@pytest.fixture
def asking(worker: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """An edge that asks it, as the real one does."""
    config = rendered(worker, asked="payments")
    with Edge(config, tmp_path_factory.mktemp("asking")) as running:
        yield running


def listed(edge: Edge) -> tuple[int, str]:
    """Return what a request gets, and why if it failed."""
    reply = urllib3.request("GET", f"{edge.url}/payments", timeout=5.0, retries=False)
    return reply.status, "" if reply.status == 200 else reply.json()["details"][0]["reason"]


def test_a_worker_may_be_busy_while_it_is_asked(worker: Upstream, asking: Edge) -> None:
    """A while without an answer changes nothing; after more of it the worker gets no requests."""
    worker.says.clear()
    busy = time.monotonic() + BUSY_SECONDS
    while time.monotonic() < busy:
        assert listed(asking) == SERVED
        time.sleep(0.05)
    soon(lambda: listed(asking), AWAY)
    worker.says.set()
    soon(lambda: listed(asking), SERVED)


def test_a_worker_that_says_it_ends_gets_nothing_more(worker: Upstream, asking: Edge) -> None:
    """Its word counts at once, and so it does when it serves again."""
    worker.health = HealthCheckResponse.NOT_SERVING
    began = time.monotonic()
    soon(lambda: listed(asking), AWAY)
    assert time.monotonic() - began < BUSY_SECONDS
    worker.health = HealthCheckResponse.SERVING
    soon(lambda: listed(asking), SERVED)
