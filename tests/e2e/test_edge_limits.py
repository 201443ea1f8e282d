"""The edge's own limits: connections and memory."""

import socket
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import urllib3

from tests.e2e.edge import Edge, Upstream, rendered
from tests.e2e.raw import talk

REQUEST = b"GET /payments HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


def resource(config: dict[str, Any], name: str) -> dict[str, Any]:
    """Return what a monitor of the overload manager is told."""
    monitors = config["overload_manager"]["resource_monitors"]
    found: dict[str, Any]
    (found,) = [one["typed_config"] for one in monitors if one["name"].endswith(name)]
    return found


def test_connections_are_limited(upstream: Upstream, tmp_path: Path) -> None:
    """One connection more than allowed is closed at once; those before it go on."""
    config = rendered(upstream)
    limit = resource(config, "global_downstream_max_connections")
    assert limit["max_active_downstream_connections"] == 4000
    limit["max_active_downstream_connections"] = 3
    with Edge(config, tmp_path) as edge, ExitStack() as opened:
        address = ("127.0.0.1", edge.port)
        first, *_ = [opened.enter_context(socket.create_connection(address)) for _ in range(3)]
        edge.wait_for(r"^http\.edge\.downstream_cx_active", 3)
        refused = talk(edge.port, REQUEST, wait=5.0)
        assert (refused.data, refused.closed) == (b"", True)
        first.sendall(REQUEST)
        assert first.recv(15) == b"HTTP/1.1 200 OK"


def test_a_full_heap_refuses_requests(upstream: Upstream, tmp_path: Path) -> None:
    """Without memory for more, a request gets 503 with retry-after, before anything reads it."""
    config = rendered(upstream)
    resource(config, "fixed_heap")["max_heap_size_bytes"] = 1_000_000
    before = len(upstream.calls)
    with Edge(config, tmp_path) as edge:
        edge.wait_for(r"^overload\.envoy\.overload_actions\.stop_accepting_requests\.active", 1)
        reply = urllib3.request("GET", f"{edge.url}/payments", timeout=5.0, retries=False)
    assert (reply.status, reply.headers["retry-after"]) == (503, "1")
    assert reply.json()["details"][0]["reason"] == "OVERLOADED"
    assert len(upstream.calls) == before
