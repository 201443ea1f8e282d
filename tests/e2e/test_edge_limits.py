"""The edge's own limits: connections and memory."""

import socket
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import urllib3

from tests.e2e import raw
from tests.e2e.edge import Edge, Upstream, manager, rendered
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


def answered(edge: Edge, address: str) -> bool:
    """Tell whether a request that comes from this address is answered."""
    with socket.create_connection(("127.0.0.1", edge.port), 5.0, (address, 0)) as client:
        try:
            client.sendall(REQUEST)
            return client.recv(15) == b"HTTP/1.1 200 OK"
        except ConnectionError:
            return False


def test_an_address_can_t_take_all_connections(upstream: Upstream, tmp_path: Path) -> None:
    """Sixteen share a limit each; one address that has used it up keeps out its own alone."""
    config = rendered(upstream, whole=True)
    listener = config["static_resources"]["listeners"][0]
    limits = [chain["filters"][0]["typed_config"] for chain in listener["filter_chains"]]
    assert [limit["max_connections"] for limit in limits] == [250] * 16
    for limit in limits:
        limit["max_connections"] = 2
    others = [f"127.0.1.{number}" for number in range(1, 81)]
    with Edge(config, tmp_path) as edge, ExitStack() as opened:
        for _ in range(2):
            opened.enter_context(
                socket.create_connection(("127.0.0.1", edge.port), 5.0, ("127.0.0.2", 0))
            )
        edge.wait_for(r"^connection_limit\.addresses\.active_connections", 2)
        assert not answered(edge, "127.0.0.2")
        # All but five of eighty, by the odds.
        assert 65 <= sum(answered(edge, address) for address in others) < 80


def places(config: dict[str, Any], *told: int) -> None:
    """Let an address have so many places, get so many back in a second, and let so many be few."""
    filters = {one["name"]: one["typed_config"] for one in manager(config)["http_filters"]}
    source = filters["envoy.filters.http.lua.places"]["default_source_code"]
    before = "PLACES, BACK_PER_SECOND, FEW, ADDRESSES, MANY = 250, 50, 100, 4096, 4096"
    assert before in source["inline_string"]
    after = before.replace("250, 50, 100", "{}, {}, {}".format(*told))
    source["inline_string"] = source["inline_string"].replace(before, after)


def test_requests_that_do_not_end_take_the_places_of_their_address_alone(
    upstream: Upstream, tmp_path: Path
) -> None:
    """Of both protocols: the next is refused with 429 and retry-after, and others go on."""
    config = rendered(upstream)
    places(config, 3, 0, 0)
    native = raw.packed(
        (b":method", b"POST"),
        (b":scheme", b"http"),
        (b":authority", b"x"),
        (b":path", b"/paygate.payments.v1.PaymentService/ListPayments"),
        (b"content-type", b"application/grpc"),
    )
    begun = b"".join(raw.frame(raw.HEADERS, raw.END_HEADERS, n, native) for n in (1, 3, 5))
    before = len(upstream.calls)
    with Edge(config, tmp_path) as edge, ExitStack() as opened:
        for _ in range(8):  # however its connections are dealt to Envoy's threads
            client = socket.create_connection(("127.0.0.1", edge.port), 5.0, ("127.0.0.2", 0))
            opened.enter_context(client).sendall(raw.opening() + begun)
        edge.wait_for(r"^http\.edge\.downstream_rq_total", 24)
        answer = talk(edge.port, REQUEST, wait=5.0)
        assert answer.statuses == [200]
        with socket.create_connection(("127.0.0.1", edge.port), 5.0, ("127.0.0.2", 0)) as client:
            client.sendall(REQUEST)
            refused = client.recv(65_536)
    assert refused.startswith(b"HTTP/1.1 429 ")
    assert b"\r\nretry-after: 1\r\n" in refused
    assert b'"reason":"RATE_LIMITED"' in refused
    assert b"x-refused" not in refused
    assert len(upstream.calls) == before + 1  # and none of those that did not end


def test_a_place_that_is_answered_is_free_again(upstream: Upstream, tmp_path: Path) -> None:
    """Requests one after the other are never too many."""
    config = rendered(upstream)
    places(config, 2, 0, 0)
    with Edge(config, tmp_path) as edge, urllib3.PoolManager(retries=False, timeout=5.0) as pool:
        for path in ("/payments", "/health/live", "/nothing", "/health", "/payment/pay_a?x=1"):
            statuses = {pool.request("GET", edge.url + path).status for _ in range(4)}
            assert len(statuses) == 1, path
            assert not statuses & {429, 503}, path


def begun(stream: int, address: bytes) -> bytes:
    """Return a request of this address that goes on, by what a proxy says of it."""
    block = raw.request_headers(method=b"POST") + raw.packed((b"x-forwarded-for", address))
    return raw.frame(raw.HEADERS, raw.END_HEADERS, stream, block)


@pytest.mark.parametrize(
    ("first", "same", "another"),
    [
        (b"2001:db8::1", b"2001:db8::ffff:2", b"2001:db8:0:1::1"),
        (b"::1", b"::2:3:4:5", b"0:0:0:1::"),
        (b"2001:db8:1:2::", b"2001:db8:1:2:3:4:5:6", b"2001:db8:1:3::"),
        (b"2001:db8:0:1::1", b"2001:db8::1:2:3:4:5", b"2001:db8::1:1"),
        (b"192.0.2.1", b"192.0.2.1", b"192.0.2.2"),
    ],
)
def test_an_ipv6_network_has_the_places_of_one_address(
    upstream: Upstream, tmp_path: Path, first: bytes, same: bytes, another: bytes
) -> None:
    """However its addresses are written: the first 64 bits are whose they are."""
    config = rendered(upstream)
    places(config, 1, 0, 0)
    manager(config)["xff_num_trusted_hops"] = 1
    requests = b"".join(begun(n, who) for n, who in ((1, first), (3, same), (5, another)))
    with Edge(config, tmp_path) as edge:
        answer = talk(edge.port, raw.opening() + requests, wait=2.0)
    answered = [stream for kind, stream, _ in answer.frames() if kind == raw.HEADERS]
    assert answered == [3]


def test_few_requests_of_all_are_not_divided(upstream: Upstream, tmp_path: Path) -> None:
    """Beyond a few, each has what an address has; once these have ended, it begins anew.

    Which those that were refused have not: they get their places back in time, here never.
    """
    config = rendered(upstream)
    places(config, 2, 0, 3)
    first = b"".join(begun(stream, b"") for stream in (1, 3, 5, 7, 9, 11))
    ended = b"".join(
        raw.frame(raw.DATA, raw.END_STREAM, stream, b"{}") for stream in (1, 3, 5, 7, 9)
    )
    second = b"".join(begun(stream, b"") for stream in (13, 15, 17, 19, 21, 23))
    with Edge(config, tmp_path) as edge:
        answer = talk(edge.port, raw.opening() + first, ended, second, wait=2.0)
    answered = [stream for kind, stream, _ in answer.frames() if kind == raw.HEADERS]
    assert answered[0] == 11
    assert sorted(answered[1:6]) == [1, 3, 5, 7, 9]
    assert answered[6:] == [21, 23]
