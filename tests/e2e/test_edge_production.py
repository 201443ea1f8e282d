"""The edge of production: TLS on both sides, its own domains, no sandbox."""

import json
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
import urllib3
import yaml

from tests.certificates import Authority, put
from tests.e2e.edge import Edge, Upstream, manager
from tests.e2e.stack import free_port
from tests.e2e.strict import Binding, bindings
from tools.edge.production import DOMAINS, SANDBOX, production
from tools.edge.rehearsal import rehearsed
from tools.stack import envoy

(DOMAIN,) = DOMAINS
CLIENT = "edge.internal.paygate"
WORKER = "{}.internal.paygate"
AUTHORITY = Authority()
ROTATED_SECONDS_MAX = 10.0
SANDBOX_BINDINGS = [one for one in bindings() if SANDBOX in one.rpc]


def worker(name: str, authority: Authority = AUTHORITY) -> Upstream:
    """Return a worker of that name, which talks only to whom the internal authority has signed."""
    certificate, key = authority.sign(name)
    return Upstream(
        grpc.ssl_server_credentials([(key, certificate)], AUTHORITY.pem, require_client_auth=True)
    )


@contextmanager
def running(
    folder: Path, payments: Upstream, events: Upstream, *, healthy: bool = True
) -> Iterator[Edge]:
    """Run the edge in front of these workers; with `healthy` once they are found to be so."""
    tls, secrets = folder / "tls", folder / "sds"
    tls.mkdir()
    secrets.mkdir()
    (tls / "ca").mkdir()
    (tls / "ca" / "ca.crt").write_bytes(AUTHORITY.pem)
    put(AUTHORITY, CLIENT, tls / "edge")
    put(AUTHORITY, DOMAIN, tls / "public")
    config = rehearsed(tls=tls, folder=secrets)
    page = payments.page.port
    shown = {"health": [page], "health-webhooks": [page]}
    services = {"payments": [payments.port], "events": [events.port], **shown}
    envoy.place(
        config,
        port=free_port(),
        metrics_port=free_port(),
        admin=Path(envoy.ADMIN),
        services=services,
    )
    for cluster in config["static_resources"]["clusters"]:
        if "health_checks" not in cluster:
            continue
        if healthy:
            cluster["health_checks"][0]["timeout"] = "5s"  # on a busy machine
        else:
            del cluster["health_checks"]  # each request is to find out by itself
    with Edge(config, folder) as edge:
        chains = len(config["static_resources"]["listeners"][0]["filter_chains"])
        edge.wait_for(r"^listener\..*ssl_context_update_by_sds$", chains)
        yield edge


@pytest.fixture(scope="module")
def payments() -> Iterator[Upstream]:
    """A payments worker."""
    with worker(WORKER.format("payments")) as started:
        yield started


@pytest.fixture(scope="module")
def edge(payments: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """The edge in front of good workers."""
    folder = tmp_path_factory.mktemp("production")
    with worker(WORKER.format("events")) as events, running(folder, payments, events) as started:
        yield started


def trusting(authority: Authority = AUTHORITY) -> ssl.SSLContext:
    """Return what a client checks the edge's certificate by."""
    return ssl.create_default_context(cadata=authority.pem.decode())


def request(
    edge: Edge, method: str, path: str, body: bytes | None = None, host: str = DOMAIN
) -> urllib3.BaseHTTPResponse:
    """Send a request over HTTP/1.1 and TLS, as if the domain were this machine's."""
    with urllib3.HTTPSConnectionPool(
        "127.0.0.1",
        edge.port,
        ssl_context=trusting(),
        server_hostname=DOMAIN,
        assert_hostname=DOMAIN,
        retries=False,
        timeout=10.0,
    ) as pool:
        headers = {"host": host, **({"content-type": "application/json"} if body else {})}
        return pool.request(method, path, body=body, headers=headers)


def handshake(edge: Edge, context: ssl.SSLContext) -> ssl.SSLSocket:
    """Return a connection of TLS."""
    plain = socket.create_connection(("127.0.0.1", edge.port), timeout=5.0)
    return context.wrap_socket(plain, server_hostname=DOMAIN)


@contextmanager
def channel(edge: Edge) -> Iterator[grpc.Channel]:
    """Open a gRPC channel over TLS."""
    credentials = grpc.ssl_channel_credentials(AUTHORITY.pem)
    options = [("grpc.ssl_target_name_override", DOMAIN), ("grpc.default_authority", DOMAIN)]
    with grpc.secure_channel(f"127.0.0.1:{edge.port}", credentials, options) as opened:
        yield opened


def test_rest_works_over_tls(edge: Edge, payments: Upstream) -> None:
    """HTTPS leads to the worker, and every reply tells browsers to stay with it."""
    for path, status in (("/payments", 200), ("/payments?nope=1", 400), ("/health", 200)):
        reply = request(edge, "GET", path)
        assert reply.status == status, reply.data
        assert reply.headers["strict-transport-security"] == "max-age=31536000"
    assert payments.calls[-1].method == "/paygate.payments.v1.PaymentService/ListPayments"
    assert request(edge, "GET", "/webhook-endpoints").status == 200


@pytest.mark.parametrize(
    ("path", "host", "status"),
    [
        ("/payments", DOMAIN, 200),
        ("/payments%2f", DOMAIN, 400),
        ("/sandbox/reset", DOMAIN, 404),
        ("/payments", "other.example", 404),
        ("/health", DOMAIN, 200),
        ("/health/ready", DOMAIN, 200),
        ("/health/live", "127.0.0.1", 200),
        (f"/payments?reference={'a' * 62_000}", DOMAIN, 431),
    ],
)
def test_no_reply_is_stored_or_guessed_at(edge: Edge, path: str, host: str, status: int) -> None:
    """Whoever made it: a worker, the script, a route or Envoy before there is a route."""
    reply = request(edge, "GET", path, host=host)
    assert reply.status == status, reply.data
    assert reply.headers.getlist("cache-control") == ["no-store"]
    assert reply.headers.getlist("x-content-type-options") == ["nosniff"]


def test_no_body_is_an_empty_message(edge: Edge) -> None:
    """Where nothing is required, as in the sandbox's edge; an encoded one is refused as there."""
    assert request(edge, "POST", "/events/evt_a/redeliver").status == 200
    assert request(edge, "POST", "/void").status == 415


def test_grpc_works_over_tls(edge: Edge, payments: Upstream) -> None:
    """So does native gRPC on the same port; the worker sees the certificate of the edge."""
    with channel(edge) as opened:
        call: Any = opened.unary_unary("/paygate.payments.v1.PaymentService/ListPayments")
        assert call(b"", timeout=5.0) == b""
    assert payments.calls[-1].peer == CLIENT


def test_http_2_is_agreed_on_by_alpn(edge: Edge) -> None:
    """A client that offers both gets HTTP/2, and one that offers HTTP/1.1 gets that."""
    for offered, agreed in ((["h2", "http/1.1"], "h2"), (["http/1.1"], "http/1.1")):
        context = trusting()
        context.set_alpn_protocols(offered)
        with handshake(edge, context) as connection:
            assert connection.selected_alpn_protocol() == agreed


@pytest.mark.parametrize(
    ("version", "taken"),
    [
        (ssl.TLSVersion.TLSv1_1, False),
        (ssl.TLSVersion.TLSv1_2, True),
        (ssl.TLSVersion.TLSv1_3, True),
    ],
    ids=str,
)
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_tls_is_refused(
    edge: Edge, version: ssl.TLSVersion, taken: bool
) -> None:  # a column of the table
    """TLS 1.2 is the oldest that is spoken."""
    context = trusting()
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    if taken:
        handshake(edge, context).close()
    else:
        with pytest.raises(ssl.SSLError):
            handshake(edge, context)


def test_plain_text_is_refused(edge: Edge) -> None:
    """Without TLS a client gets nothing."""
    with socket.create_connection(("127.0.0.1", edge.port), timeout=5.0) as plain:
        plain.sendall(f"GET /health HTTP/1.1\r\nHost: {DOMAIN}\r\n\r\n".encode())
        assert plain.recv(100) == b""


@pytest.mark.parametrize("host", [f"{DOMAIN}:8443", DOMAIN.upper()])
def test_its_domain_may_have_a_port(edge: Edge, host: str) -> None:
    """How a client writes the domain does not matter."""
    assert request(edge, "GET", "/payments", host=host).status == 200


@pytest.mark.parametrize("host", ["other.example", "127.0.0.1", f"{DOMAIN}.other.example"])
def test_other_domains_are_nobodys(edge: Edge, payments: Upstream, host: str) -> None:
    """A request for another domain gets 404, whatever is in it."""
    before = len(payments.calls)
    for method, body in (("GET", None), ("POST", b"{'")):
        reply = request(edge, method, "/authorize", body, host)
        assert (reply.status, reply.json()["details"][0]["reason"]) == (404, "METHOD_NOT_FOUND")
    assert len(payments.calls) == before


@pytest.mark.parametrize("path", ["/health", "/health/webhooks", "/health/ready", "/health/live"])
def test_health_is_everybodys(edge: Edge, path: str) -> None:
    """A load balancer asks by address, and is told."""
    assert request(edge, "GET", path, host="127.0.0.1").status == 200


@pytest.mark.parametrize("binding", SANDBOX_BINDINGS, ids=str)
def test_there_is_no_sandbox_in_rest(edge: Edge, binding: Binding) -> None:
    """Its paths are as unknown as any other, whatever is sent to them."""
    for body in (b"{}", b'{"surprise": 1}', None):
        reply = request(edge, binding.verb, binding.path, body)
        unknown = request(edge, binding.verb, "/nope", body)
        assert (reply.status, json.loads(reply.data)) == (404, json.loads(unknown.data))


@pytest.mark.parametrize("method", sorted({one.rpc for one in SANDBOX_BINDINGS}))
def test_there_is_no_sandbox_in_grpc(edge: Edge, payments: Upstream, method: str) -> None:
    """Its methods are unimplemented, without a worker being asked."""
    before = len(payments.calls)
    with channel(edge) as opened:
        call: Any = opened.unary_unary(method)
        with pytest.raises(grpc.RpcError) as caught:
            call(b"", timeout=5.0)
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert len(payments.calls) == before


def shown(edge: Edge) -> bytes | None:
    """Return the certificate that a new connection is shown."""
    with handshake(edge, trusting()) as connection:
        return connection.getpeercert(binary_form=True)


def test_renewed_certificates_are_taken_up(payments: Upstream, tmp_path: Path) -> None:
    """Files that are replaced by renaming count from the next connection on, without a restart."""
    with running(tmp_path, payments, payments, healthy=False) as edge:
        old = shown(edge)
        with handshake(edge, trusting()) as before:
            put(AUTHORITY, DOMAIN, tmp_path / "tls" / "public")
            deadline = time.monotonic() + ROTATED_SECONDS_MAX
            while shown(edge) == old:
                assert time.monotonic() < deadline, edge.log
                time.sleep(0.05)
            before.sendall(f"GET /payments HTTP/1.1\r\nHost: {DOMAIN}\r\n\r\n".encode())
            assert before.recv(15) == b"HTTP/1.1 200 OK"


@pytest.mark.parametrize(
    ("name", "authority"),
    [(WORKER.format("events"), AUTHORITY), (WORKER.format("payments"), Authority())],
    ids=["another name", "another authority"],
)
def test_a_false_worker_gets_nothing(tmp_path: Path, name: str, authority: Authority) -> None:
    """A worker without a certificate of its name, by the internal authority, is as good as dead."""
    with worker(name, authority) as false, running(tmp_path, false, false, healthy=False) as edge:
        reply = request(edge, "GET", "/payments")
        assert (reply.status, reply.json()["details"][0]["reason"]) == (
            503,
            "DEPENDENCY_UNAVAILABLE",
        )
        assert false.calls == []


def test_it_is_made_for_any_domains() -> None:
    """The domains are the only thing that has to be said."""
    sandbox = yaml.safe_load(envoy.SOURCE.read_text())
    made = yaml.safe_load(production(sandbox, domains=["a.example", "b.example"]))
    hosts = manager(made)["route_config"]["virtual_hosts"]
    assert [host["domains"] for host in hosts] == [["a.example", "b.example"], ["*"]]
    hosts[0]["domains"] = [DOMAIN]
    assert made == yaml.safe_load(envoy.PRODUCTION.read_text())
