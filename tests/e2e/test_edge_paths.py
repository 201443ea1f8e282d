"""Paths, queries and headers: the edge knows what the protos have, and lets nothing else pass."""

from typing import Any

import grpc
import pytest
from google.protobuf import message_factory

from tests.e2e.edge import Edge, Upstream
from tests.e2e.edge_replies import JSON, PAN, details, http
from tests.e2e.strict import Binding, bindings


@pytest.mark.parametrize("binding", list(bindings()), ids=str)
def test_every_path_leads_to_its_method(edge: Edge, upstream: Upstream, binding: Binding) -> None:
    """The script knows every path of the protos, and what it lets through arrives."""
    body, headers = (b"{}", JSON) if binding.has_body else (None, {})
    reply = http.request(binding.verb, edge.url + binding.url, body=body, headers=headers)
    assert reply.status == 200, reply.data
    call = upstream.calls[-1]
    assert call.method == binding.rpc
    request = message_factory.GetMessageClass(binding.request).FromString(call.body)
    assert {name: getattr(request, name) for name in binding.in_path} == dict.fromkeys(
        binding.in_path, "the-id"
    )


QUERIES: dict[str, tuple[str, str | None]] = {
    "an unknown parameter": (f"/payments?nope={PAN}", "nope"),
    "a card number for a parameter": (f"/payments?{PAN}=1", "?"),
    "a parameter twice": ("/payments?page_size=1&page_size=2", "page_size"),
    "a parameter twice, spelled two ways": ("/payments?page_size=1&pageSize=2", "page_size"),
    "a parameter over the path": ("/payment/pay_a?id=pay_b", "id"),
    "a name with an escape": ("/payment/pay_a?%69d=pay_b", "?"),
    "no value": ("/payments?page_size", "page_size"),
    "an unknown parameter before an end": ("/payments?a=1&", "a"),
    "text for a number": ("/payments?page_size=ten", "page_size"),
    "nothing for a number": ("/payments?page_size=", "page_size"),
    "more than 32 bits": ("/payments?page_size=2147483648", "page_size"),
    "a word for a boolean": ("/payment/pay_a?include_actions=yes", "include_actions"),
    "an unknown enum value": ("/payments?status=VOIDED", "status"),
    "NUL": ("/payments?reference=a%00b", "reference"),
    "bytes that are no text": ("/payments?reference=%ff", "reference"),
    "an unknown enum number": ("/payments?status=99", "status"),
    "a time that is none": ("/payments?created_after=never", "created_after"),
    "a day": ("/payments?created_before=2026-01-01", "created_before"),
    "a day that is none": ("/payments?created_after=2026-02-29T00:00:00Z", "created_after"),
    "an hour that is none": ("/payments?created_after=2026-01-01T24:00:00Z", "created_after"),
    "ten digits of a second": (
        "/payments?created_after=2026-01-01T00:00:00.1234567890Z",
        "created_after",
    ),
    "a zone that is none": (
        "/payments?created_after=2026-01-01T00:00:00%2B24:00",
        "created_after",
    ),
    "a zone whose + is a space": (
        "/payments?created_after=2026-01-01T00:00:00+01:00",
        "created_after",
    ),
    "a day of the year 0": ("/payments?created_after=0000-02-29T00:00:00Z", "created_after"),
    "a time before the year 1, seen from UTC": (
        "/payments?created_after=0001-01-01T00:59:59%2B01:00",
        "created_after",
    ),
    "a time after the year 9999, seen from UTC": (
        "/payments?created_before=9999-12-31T12:00:00-12:00",
        "created_before",
    ),
    "a time without a zone": ("/payments?created_after=2026-01-01T00:00:00", "created_after"),
    "bytes that are no text, in the path": ("/payment/%ff%fe", None),
}


@pytest.mark.parametrize(("path", "field"), QUERIES.values(), ids=QUERIES.keys())
def test_queries_are_strict(edge: Edge, path: str, field: str | None) -> None:
    """A query has only what the method has, each once and of its type."""
    reply = http.request("GET", edge.url + path)
    assert reply.status == 400, reply.data
    assert details(reply) == ("MALFORMED_REQUEST", [] if field is None else [field])
    assert PAN not in reply.data.decode()


@pytest.mark.parametrize(
    "path",
    [
        "/payments?",
        "/payments?pageSize=3&reference=%C3%A9+b&page_token=",
        "/payments?&page_size=1&&status=2&",
        "/payments?status=STATUS_CAPTURED",
        "/payments?created_after=2024-02-29T00:00:00.123456789%2B05:30",
        "/payments?created_before=9999-12-31T23%3A59%3A59Z",
        "/payments?created_after=0001-01-01T01:00:00%2B01:00",
        "/payments?created_before=9999-12-31T11:59:59.999999999-12:00",
        "/payments?created_before=9999-12-31T23:59:59%2B23:59",
    ],
)
def test_a_right_query_passes(edge: Edge, path: str) -> None:
    """Both spellings of a name, escaped text, and no parameter at all are fine."""
    assert http.request("GET", edge.url + path).status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/payments/",
        "/payments/x/y",
        "/v2/payments",
        "/payment/",
        "/nope",
        f"/payment/{PAN}/{PAN}",
    ],
)
def test_a_path_that_is_none_is_not_repeated(edge: Edge, path: str) -> None:
    """An unknown path is said to be one, and not shown."""
    reply = http.request("GET", edge.url + path)
    assert (reply.status, details(reply)) == (404, ("METHOD_NOT_FOUND", []))
    assert PAN not in reply.data.decode()


def test_only_what_a_service_reads_reaches_it(edge: Edge, upstream: Upstream) -> None:
    """Headers are let through by name; where the client is, the edge says itself."""
    wanted = {"authorization": "Bearer k", "idempotency-key": "k", "user-agent": "test"}
    unwanted = {
        **dict.fromkeys(("cookie", "accept", "fug|ad", "x-foo", "x-foo-bin", "te"), "x"),
        **dict.fromkeys(("grpc-timeout", "grpc-encoding", "x-envoy-original-path"), "1"),
        "x-envoy-retry-on": "5xx",
        "x-forwarded-for": "203.0.113.1",
        "x-request-id": PAN,
    }
    assert http.request("GET", f"{edge.url}/payments", headers={**wanted, **unwanted}).status == 200
    got: dict[str, Any] = dict(upstream.calls[-1].metadata)
    assert got.pop("x-forwarded-for") == "127.0.0.1"
    assert got.pop("x-request-id") != PAN
    assert got.pop("x-transcoded") == "1"  # the edge's word for REST
    assert got == wanted


def test_only_what_a_service_reads_reaches_it_over_grpc(edge: Edge, upstream: Upstream) -> None:
    """Metadata of native clients is let through by name too."""
    wanted = {"authorization": "Bearer k", "idempotency-key": "k"}
    unwanted = {"x-foo": "x", "x-foo-bin": b"\0", "x-envoy-retry-on": "5xx", "cookie": "x"}
    with grpc.insecure_channel(f"127.0.0.1:{edge.port}") as channel:
        call: Any = channel.unary_unary("/paygate.payments.v1.PaymentService/ListPayments")
        call(b"", timeout=5.0, metadata=[*wanted.items(), *unwanted.items()])
    got: dict[str, Any] = dict(upstream.calls[-1].metadata)
    assert got.pop("x-forwarded-for") == "127.0.0.1"
    assert got.keys() - wanted.keys() == {"user-agent", "x-request-id"}
    assert wanted.items() <= got.items()
