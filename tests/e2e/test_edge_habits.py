"""The habits of HTTP at the edge: HEAD, `allow`, other origins' pages, and a browser's cookies."""

from collections import defaultdict
from typing import Any

import grpc
import pytest
import urllib3
import yaml

from tests.e2e import raw
from tests.e2e.edge import Edge, Upstream, manager
from tests.e2e.edge_replies import COOKIES, JSON, details, http
from tests.e2e.raw import talk
from tests.e2e.strict import Binding, bindings
from tools.edge import __main__ as command
from tools.edge.production import CORS, DOMAINS, production
from tools.stack import envoy

VERBS = ("GET", "POST", "PUT", "PATCH", "DELETE")
READING = [one for one in bindings() if one.verb == "GET" and not one.streams]
STREAMS = [one for one in bindings() if one.streams]
HEALTH = ("/health", "/health/webhooks", "/health/ready", "/health/live")
LOOPBACK = ["http://localhost:3000", "http://127.0.0.1:8080", "https://[::1]:5173"]
FOREIGN = [
    "https://evil.example",
    "http://localhost.evil.example",
    "http://127.0.0.1.evil.example:80",
    "http://127x0y0z1",
    "null",
]


def methods() -> dict[str, set[str]]:
    """Return the methods that each path has."""
    found = defaultdict[str, set[str]](set)
    for one in bindings():
        found[one.url] |= {"GET", "HEAD"} if one in READING else {one.verb}
    return found


def allowed(reply: urllib3.BaseHTTPResponse) -> set[str]:
    """Return what `allow` lists."""
    return set(reply.headers["allow"].split(", "))


@pytest.mark.parametrize(("path", "has"), methods().items(), ids=methods())
def test_another_method_is_told_which_there_are(
    edge: Edge, upstream: Upstream, path: str, has: set[str]
) -> None:
    """405 with `allow`, without anything being asked; OPTIONS is told the same."""
    before = len(upstream.calls)
    for verb in set(VERBS) - has:
        reply = http.request(verb, edge.url + path, body=b"{}", headers=JSON)
        assert (reply.status, details(reply)) == (405, ("METHOD_NOT_ALLOWED", []))
        assert reply.json()["code"] == grpc.StatusCode.UNIMPLEMENTED.value[0]
        assert allowed(reply) == has
    options = http.request("OPTIONS", edge.url + path)
    assert (options.status, options.data, allowed(options)) == (204, b"", has)
    assert len(upstream.calls) == before


@pytest.mark.parametrize("path", ["/nope", "/", "/payment", "/v2/payments"])
def test_where_nothing_is_nothing_is_allowed(edge: Edge, path: str) -> None:
    """A path that there is not is 404 for every method."""
    for verb in (*VERBS, "HEAD", "OPTIONS"):
        reply = http.request(verb, edge.url + path)
        assert reply.status == 404
        assert "allow" not in reply.headers


@pytest.mark.parametrize("path", HEALTH)
def test_health_is_only_read(edge: Edge, path: str) -> None:
    """Any other method is told so."""
    for verb in ("POST", "PUT", "DELETE", "OPTIONS"):
        reply = http.request(verb, edge.url + path)
        assert (reply.status, details(reply)) == (405, ("METHOD_NOT_ALLOWED", []))
        assert allowed(reply) == {"GET", "HEAD"}


@pytest.mark.parametrize("binding", STREAMS, ids=str)
def test_what_does_not_end_has_no_head(edge: Edge, upstream: Upstream, binding: Binding) -> None:
    """It would be answered, and stay open behind the answer."""
    before = len(upstream.calls)
    reply = http.request("HEAD", edge.url + binding.url)
    assert (reply.status, allowed(reply)) == (405, {"GET"})
    assert len(upstream.calls) == before


def told(headers: urllib3.HTTPHeaderDict) -> dict[str, str]:
    """Return the headers that are the same for each reply to the same request."""
    return {name: text for name, text in headers.items() if name not in {"date", "x-request-id"}}


@pytest.mark.parametrize("binding", READING, ids=str)
def test_head_is_get_without_the_body(edge: Edge, upstream: Upstream, binding: Binding) -> None:
    """The same method is asked, and the same headers are the answer."""
    replies = []
    for verb in ("HEAD", "GET"):
        replies.append(http.request(verb, edge.url + binding.url))
        assert upstream.calls[-1].method == binding.rpc
    head, get = replies
    assert (head.status, head.data) == (200, b"")
    assert told(head.headers) == told(get.headers)
    assert int(head.headers["content-length"]) == len(get.data) > 0


def test_no_byte_follows_the_headers_of_head(edge: Edge) -> None:
    """A client would take it for the beginning of the next reply."""
    head = b"HEAD /payments HTTP/1.1\r\nHost: x\r\n\r\n"
    answer = talk(edge.port, head * 2 + b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n", wait=2.0)
    assert answer.statuses == [200, 200, 404]
    first, second, third, _body = answer.data.split(b"\r\n\r\n")
    assert b"content-length: 36\r\n" in first
    assert second.startswith(b"HTTP/1.1 200")
    assert third.startswith(b"HTTP/1.1 404")


def test_head_over_http_2(edge: Edge) -> None:
    """There a body would break the rules."""
    asking = raw.frame(raw.HEADERS, 5, 1, raw.request_headers(b"/payments", b"HEAD"))
    frames = list(talk(edge.port, raw.opening() + asking, wait=1.0).frames())
    assert next(kind for kind, stream, _ in frames if stream == 1) == raw.HEADERS
    assert not any(body for kind, stream, body in frames if (kind, stream) == (raw.DATA, 1))
    assert raw.RST_STREAM not in {kind for kind, _, _ in frames}


@pytest.mark.parametrize(
    ("path", "status"), [("/payments?nope=1", 400), ("/authorize", 405), ("/payment/%ff", 400)]
)
def test_a_head_that_is_refused_has_no_body(edge: Edge, path: str, status: int) -> None:
    """As GET would be, and with its length."""
    reply = http.request("HEAD", edge.url + path)
    assert (reply.status, reply.data) == (status, b"")
    assert int(reply.headers["content-length"]) > 0


@pytest.mark.parametrize("prefix", ["", "/v1"])
@pytest.mark.parametrize("status", ["VOIDED", "status_voided", "1.5", "99"])
def test_an_unknown_name_of_an_enum_is_told_the_known(edge: Edge, prefix: str, status: str) -> None:
    """All of them but the one that means nothing."""
    reply = http.request("GET", f"{edge.url}{prefix}/payments?status={status}")
    (violation,) = reply.json()["details"][1]["field_violations"]
    assert violation["field"] == "status"
    assert violation["description"].startswith("must be one of STATUS_PENDING, STATUS_AUTHORIZED, ")
    assert "STATUS_VOIDED" in violation["description"]
    assert "UNSPECIFIED" not in violation["description"]


@pytest.mark.parametrize("value", ['"ENABLED"', "true", "1.0", "{}", "[]"])
def test_an_unknown_name_in_a_body_is_told_the_known(edge: Edge, value: str) -> None:
    """Whatever stands where the name should be."""
    body = f'{{"status": {value}}}'
    reply = http.request("PATCH", f"{edge.url}/webhook-endpoints/we_a", body=body, headers=JSON)
    (violation,) = reply.json()["details"][1]["field_violations"]
    assert violation["description"] == "must be one of STATUS_ENABLED, STATUS_DISABLED"


def preflight(edge: Edge, origin: str, path: str = "/authorize") -> urllib3.BaseHTTPResponse:
    """Ask whether a page of this origin may authorize."""
    headers = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type,idempotency-key",
    }
    return http.request("OPTIONS", edge.url + path, headers=headers)


@pytest.mark.parametrize("origin", LOOPBACK)
def test_a_page_of_this_machine_may_call(edge: Edge, origin: str) -> None:
    """It is told so before, and with every reply, errors included; it sends no cookies."""
    asked = preflight(edge, origin)
    assert asked.status == 200
    assert asked.headers["access-control-allow-origin"] == origin
    assert "POST" in asked.headers["access-control-allow-methods"]
    wanted = {"authorization", "content-type", "idempotency-key"}
    assert set(asked.headers["access-control-allow-headers"].split(", ")) == wanted
    for path, status in (("/payments", 200), ("/nope", 404), ("/payments?x=1", 400)):
        reply = http.request("GET", edge.url + path, headers={"origin": origin})
        assert reply.status == status
        assert reply.headers["access-control-allow-origin"] == origin
        assert "x-request-id" in reply.headers["access-control-expose-headers"]
        assert "access-control-allow-credentials" not in reply.headers


@pytest.mark.parametrize("origin", FOREIGN)
def test_a_page_of_another_machine_may_not(edge: Edge, origin: str) -> None:
    """No reply says that it may, so that a browser does not let it."""
    asking = http.request("GET", f"{edge.url}/payments", headers={"origin": origin})
    for reply in (preflight(edge, origin), asking):
        assert not [name for name in reply.headers if name.startswith("access-control-")]


def test_production_lets_in_the_origins_that_are_named() -> None:
    """None by itself; there is no trace of it in what is committed."""
    sandbox = yaml.safe_load(envoy.SOURCE.read_text())
    assert "cors" not in envoy.PRODUCTION.read_text()
    named = yaml.safe_load(production(sandbox, domains=DOMAINS, origins=["https://a.example"]))
    first, *_ = manager(named)["http_filters"]
    assert first["name"] == CORS
    hosts = manager(named)["route_config"]["virtual_hosts"]
    policies = [host.get("typed_per_filter_config", {}).get(CORS) for host in hosts]
    assert policies[0]["allow_origin_string_match"] == [{"exact": "https://a.example"}]
    assert policies[1:] == [None]


@pytest.mark.parametrize("origin", ["a.example", "https://a.example/", "https://A.example", "*"])
def test_an_origin_is_written_as_browsers_write_it(
    origin: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Any other would let nobody in, and nobody would know why."""
    told = ["edge", "production", "--origin", origin, "--output", "/dev/null"]
    monkeypatch.setattr("sys.argv", told)
    with pytest.raises(SystemExit) as ended:
        command.main()
    assert ended.value.code == 2
    assert "--origin: an origin is https:// and a host" in capsys.readouterr().err


def test_a_browsers_cookies_do_not_matter(edge: Edge, upstream: Upstream) -> None:
    """20 kB of them, which all ports of a machine share: no service sees them."""
    assert len(COOKIES) > 20_000
    headers = {"cookie": COOKIES, **JSON}
    assert http.request("GET", f"{edge.url}/payments", headers=headers).status == 200
    assert "cookie" not in upstream.calls[-1].metadata
    reply = http.request("POST", f"{edge.url}/authorize", body=b"{}", headers=headers)
    assert reply.status == 200
    assert "cookie" not in upstream.calls[-1].metadata
    for cookies in ([COOKIES], COOKIES.split("; ")):  # HTTP/2 may send each by itself
        with grpc.insecure_channel(f"127.0.0.1:{edge.port}") as channel:
            call: Any = channel.unary_unary("/paygate.payments.v1.PaymentService/ListPayments")
            call(b"", timeout=5.0, metadata=[("cookie", one) for one in cookies])
        assert "cookie" not in upstream.calls[-1].metadata
