"""What ports lead to of Envoy's admin page: metrics, and to say that it ends; nothing else."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
import urllib3
import yaml

from tests.e2e.edge import Edge, Upstream, rendered
from tests.e2e.stack import free_port
from tools.stack import envoy

PROMETHEUS = "/stats/prometheus"
DRAIN = "/healthcheck/fail"
# What of the admin page nobody gets, by any listener.
PAGES = (
    *(("GET", path) for path in ("/", "/stats", "/clusters", "/config_dump", "/certs")),
    *(("GET", f"{page}/") for page in (PROMETHEUS, DRAIN)),
    *(("GET", f"{page}/../../config_dump") for page in (PROMETHEUS, DRAIN)),
    *(("GET", f"{page}%2f..%2f..%2fconfig_dump") for page in (PROMETHEUS, DRAIN)),
    *(("POST", path) for path in ("/quitquitquit", "/logging?level=trace", "/reset_counters")),
    ("POST", PROMETHEUS),
    ("GET", DRAIN),
)


@dataclass(frozen=True)
class Shown:
    """A running edge, and the addresses of its listeners for Prometheus and for who stops it."""

    edge: Edge
    metrics: str
    drain: str


@pytest.fixture(scope="module")
def shown(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """An edge with all listeners that containers have."""
    config = rendered(upstream)
    listeners = config["static_resources"]["listeners"]
    metrics = only(listeners, "metrics")["address"]["socket_address"]["port_value"]
    source = yaml.safe_load(envoy.SOURCE.read_text())["static_resources"]
    drain = only(source["listeners"], "drain")
    assert drain["address"]["socket_address"]["address"] == "127.0.0.1"
    port = free_port()
    drain["address"] = address(port)
    listeners.append(drain)
    with Edge(config, tmp_path_factory.mktemp("metrics")) as edge:
        yield Shown(edge, f"http://127.0.0.1:{metrics}", f"http://127.0.0.1:{port}")


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


def test_prometheus_gets_the_metrics(shown: Shown) -> None:
    """They come as text for Prometheus."""
    answer = asked(shown.metrics + PROMETHEUS)
    assert answer.status == 200
    assert b"\n# TYPE envoy_http_downstream_rq_xx counter\n" in answer.data


@pytest.mark.parametrize(("method", "path"), [*PAGES, ("POST", DRAIN)])
def test_prometheus_gets_nothing_else(shown: Shown, method: str, path: str) -> None:
    """Every other page of the admin's, and every other method, is refused; Envoy goes on."""
    assert asked(shown.metrics + path, method).status in {400, 404}
    assert asked(shown.metrics + PROMETHEUS).status == 200


@pytest.mark.parametrize(("method", "path"), [*PAGES, ("GET", PROMETHEUS)])
def test_who_stops_it_gets_nothing_else(shown: Shown, method: str, path: str) -> None:
    """It may say that the edge ends, and no more."""
    assert asked(shown.drain + path, method).status in {400, 404}
    assert asked(f"{shown.edge.url}/health/ready").status == 200


def test_the_admin_page_is_its_own_users(shown: Shown) -> None:
    """No port leads to it; the socket is a file that nobody else may open."""
    assert shown.edge.admin.stat().st_mode & 0o777 == 0o600
    process = psutil.Process(shown.edge.pid)
    listening = {
        connection.laddr.port
        for connection in process.net_connections(kind="tcp")
        if connection.status == psutil.CONN_LISTEN
    }
    ports = {urlsplit(url).port for url in (shown.edge.url, shown.metrics, shown.drain)}
    assert listening == ports
    for url in (shown.edge.url, shown.metrics, shown.drain):
        assert asked(f"{url}/server_info").status in {400, 404}


def test_who_stops_it_may_say_that_it_ends(shown: Shown) -> None:
    """After that it is not ready, until the admin page says otherwise."""
    assert asked(shown.drain + DRAIN, "POST").status == 200
    deadline = time.monotonic() + 5.0
    while asked(f"{shown.edge.url}/health/ready").status != 503:
        assert time.monotonic() < deadline
    assert shown.edge.ask_admin("/healthcheck/ok", method="POST").status == 200
