"""Rules, dashboards and runbooks name only metrics that a running stack shows."""

import re

import pytest
import urllib3

from tests.e2e.settled import settle
from tests.e2e.stack import Stack
from tests.observability.rules import expressions, named
from tests.observability.shown import Shown, shown_by
from tools.stack.settings import REPOSITORY

# What Prometheus makes itself, and what is of things that no stack of ours runs: postgres_exporter,
# CloudNativePG, Patroni.
ELSEWHERE = {
    "up",
    *("pg_replication_lag_seconds", "pg_replication_is_replica"),
    *("cnpg_pg_replication_lag", "cnpg_pg_replication_streaming_replicas"),
    *("cnpg_collector_sync_replicas", "patroni_sync_standby", "patroni_quorum_standby"),
}
OPERATIONS = (REPOSITORY / "docs" / "operations.md").read_text()


@pytest.fixture(scope="module")
def shown(spare: Stack) -> Shown:
    """What all its processes show, after a request."""
    settle(spare)
    urllib3.request("GET", f"{spare.url}/payments", retries=False, timeout=5.0)
    return shown_by(spare)


def test_every_metric_of_envoy_is_there(shown: Shown) -> None:
    """Envoy shows each of its metrics that a rule, a panel or a runbook asks for."""
    of_envoy = {name for name in named() if name.startswith("envoy_")}
    assert of_envoy
    assert of_envoy <= shown.names


def test_envoys_labels_are_as_they_are_asked_for(shown: Shown) -> None:
    """The labels by which Envoy's metrics are chosen have these values."""
    page = shown.pages["envoy"]
    for name, labels in (
        ("envoy_http_downstream_rq_xx", ('envoy_response_code_class="5"', 'prefix="edge"')),
        ("envoy_cluster_membership_healthy", ('envoy_cluster_name="payments"',)),
        ("envoy_cluster_membership_healthy", ('envoy_cluster_name="events"',)),
    ):
        lines = [line for line in page.splitlines() if line.startswith(name + "{")]
        assert any(all(label in line for label in labels) for line in lines), lines


def test_every_metric_of_ours_is_there(shown: Shown) -> None:
    """Each other metric is shown by some process, and explained in docs/operations.md."""
    ours = {name for name in named() - ELSEWHERE if not name.startswith("envoy_")}
    assert ours <= shown.names
    for name in ours:
        family = re.sub(r"_(bucket|sum|count)$", "", name)
        assert f"`{family}" in OPERATIONS or f"`{name}" in OPERATIONS, name
    # A bound that no bucket has would select nothing, and no alert would ever fire.
    bounds = {bound for one in expressions() for bound in re.findall(r'le="([^"]*)"', one.text)}
    lines = [line for page in shown.pages.values() for line in page.splitlines()]
    buckets = [line for line in lines if line.startswith("grpc_server_handling_seconds_bucket{")]
    assert bounds
    for bound in bounds:
        assert any(f'le="{bound}"' in line for line in buckets), bound
