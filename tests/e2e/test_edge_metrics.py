"""What Envoy shows to Prometheus beyond its loopback interface: its metrics, and nothing else."""

from collections.abc import Iterator
from typing import Any

import pytest
import urllib3
import yaml

from tests.e2e.edge import Edge, Upstream, rendered
from tests.e2e.stack import free_port
from tools.stack import envoy


@pytest.fixture(scope="module")
def metrics(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the listener for Prometheus, of a running edge."""
    config = rendered(upstream)
    source = yaml.safe_load(envoy.SOURCE.read_text())["static_resources"]
    listener, cluster = only(source["listeners"], "metrics"), only(source["clusters"], "admin")
    port = free_port()
    listener["address"] = address(port)
    (group,) = cluster["load_assignment"]["endpoints"]
    (host,) = group["lb_endpoints"]
    assert host["endpoint"]["address"] == address(9901)  # where envoy.yaml has its admin page
    host["endpoint"]["address"] = config["admin"]["address"]
    config["static_resources"]["listeners"].append(listener)
    config["static_resources"]["clusters"].append(cluster)
    with Edge(config, tmp_path_factory.mktemp("metrics")):
        yield f"http://127.0.0.1:{port}"


def only(found: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """Return the one of this name."""
    (one,) = [one for one in found if one["name"] == name]
    return one


def address(port: int) -> dict[str, Any]:
    """Return an address of this machine, as Envoy writes it."""
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def asked(url: str, method: str = "GET") -> urllib3.BaseHTTPResponse:
    """Return the answer to one request."""
    return urllib3.request(method, url, retries=False, timeout=5.0)


def test_prometheus_gets_the_metrics(metrics: str) -> None:
    """They come as text for Prometheus."""
    answer = asked(f"{metrics}/stats/prometheus")
    assert answer.status == 200
    assert b"\n# TYPE envoy_http_downstream_rq_xx counter\n" in answer.data


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("GET", path) for path in ("/", "/stats", "/clusters", "/config_dump", "/certs")),
        ("GET", "/stats/prometheus/"),
        ("GET", "/stats/prometheus/../../config_dump"),
        ("GET", "/stats/prometheus%2f..%2f..%2fconfig_dump"),
        *(("POST", path) for path in ("/quitquitquit", "/healthcheck/fail", "/stats/prometheus")),
    ],
)
def test_nobody_gets_anything_else(metrics: str, method: str, path: str) -> None:
    """Every other page of the admin's, and every other method, is refused; Envoy goes on."""
    assert asked(metrics + path, method).status in {400, 404}
    assert asked(f"{metrics}/stats/prometheus").status == 200
