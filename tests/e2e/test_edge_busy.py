"""A worker that is busy for longer than a health check may take is no worker that is away."""

import time
from collections.abc import Iterator

import pytest
import urllib3
import yaml
from grpc_health.v1.health_pb2 import HealthCheckResponse

from tests.e2e.edge import READY_SECONDS_MAX, Edge, Upstream, rendered
from tests.e2e.test_edge_health import soon
from tools.stack import envoy

UNANSWERED = r"^cluster\.payments\.health_check\.network_failure$"
UNANSWERED_MAX = 3  # then a worker gets no more requests
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
    config = rendered(worker)
    source = yaml.safe_load(envoy.SOURCE.read_text())["static_resources"]["clusters"]
    checks = {one["name"]: one.get("health_checks") for one in source}
    for cluster in config["static_resources"]["clusters"]:
        if cluster["name"] == "payments":
            cluster["health_checks"] = checks["payments"]
    with Edge(config, tmp_path_factory.mktemp("asking")) as running:
        yield running


def listed(edge: Edge) -> tuple[int, str]:
    """Return what a request gets, and why if it failed."""
    reply = urllib3.request("GET", f"{edge.url}/payments", timeout=5.0, retries=False)
    return reply.status, "" if reply.status == 200 else reply.json()["details"][0]["reason"]


def test_a_worker_may_be_busy_while_it_is_asked(worker: Upstream, asking: Edge) -> None:
    """One check without an answer changes nothing; after more of them it gets no requests."""
    worker.says.clear()
    deadline = time.monotonic() + READY_SECONDS_MAX
    while list(asking.stats(UNANSWERED).values()) == [0]:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert listed(asking) == SERVED
    soon(lambda: listed(asking), AWAY)
    worker.says.set()
    soon(lambda: listed(asking), SERVED)


def test_a_worker_that_says_it_ends_gets_nothing_more(worker: Upstream, asking: Edge) -> None:
    """Its word counts at once: no three checks have to go unanswered before."""
    (before,) = asking.stats(UNANSWERED).values()
    worker.health = HealthCheckResponse.NOT_SERVING
    soon(lambda: listed(asking), AWAY)
    (unanswered,) = asking.stats(UNANSWERED).values()
    assert unanswered - before < UNANSWERED_MAX
