"""What Envoy answers by itself, and what it lets through: the contract's errors at the edge."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
import urllib3

from paygate.payments.v1 import payment_service_pb2 as pb
from paygate.payments.v1 import payment_service_pb2_grpc as rpc
from tests.e2e.stack import Stack

PAN = "4242424242424242"
JSON = {"content-type": "application/json"}
AUTHORIZE = {
    "card_details": {"pan": PAN, "expiry": {"month": 12, "year": 2030}, "cvv": "123"},
    "amount": {"minor_units": "1000", "currency": "GBP"},
}
ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"


@dataclass(frozen=True)
class Case:
    """A request that Envoy refuses, and how."""

    status: int
    reason: str
    path: str
    method: str = "GET"
    body: str | None = None
    headers: dict[str, str] = field(default_factory=dict)


REFUSED = {
    "a body that is no JSON": Case(
        400, "MALFORMED_REQUEST", "/authorize", "POST", '{"reference": "' + PAN, JSON
    ),
    "a body that is a list": Case(
        400, "MALFORMED_REQUEST", "/v1/capture", "POST", f"[{PAN}]", JSON
    ),
    "a wrong type": Case(
        400,
        "MALFORMED_REQUEST",
        "/refund",
        "POST",
        f'{{"amount": {{"minor_units": "{PAN}x"}}}}',
        JSON,
    ),
    "half a unit": Case(
        400, "MALFORMED_REQUEST", "/refund", "POST", '{"amount": {"minor_units": 12.5}}', JSON
    ),
    "a body over 64 KiB": Case(413, "BODY_TOO_LARGE", "/authorize", "POST", " " * 65_537, JSON),
    "a form": Case(
        415,
        "UNSUPPORTED_MEDIA_TYPE",
        "/authorize",
        "POST",
        f"pan={PAN}",
        {"content-type": "application/x-www-form-urlencoded"},
    ),
    "a body of no type": Case(415, "UNSUPPORTED_MEDIA_TYPE", "/void", "POST", "{}"),
    "a type that only begins like JSON": Case(
        415, "UNSUPPORTED_MEDIA_TYPE", "/void", "POST", "{}", {"content-type": "application/json5"}
    ),
    "a query on POST": Case(
        400, "MALFORMED_REQUEST", f"/authorize?card_details.pan={PAN}", "POST", "{}", JSON
    ),
    "an empty query on POST": Case(400, "MALFORMED_REQUEST", "/authorize?", "POST", "{}", JSON),
    "an unknown path": Case(404, "METHOD_NOT_FOUND", "/nope"),
    "writing where only reading is": Case(
        405, "METHOD_NOT_ALLOWED", "/payments", "POST", "{}", JSON
    ),
    "the gRPC path with JSON": Case(
        404,
        "METHOD_NOT_FOUND",
        "/paygate.payments.v1.PaymentService/Authorize",
        "POST",
        "{}",
        JSON,
    ),
    "an unknown query parameter": Case(400, "MALFORMED_REQUEST", f"/payments?nope={PAN}"),
    "an unknown enum value": Case(400, "MALFORMED_REQUEST", "/payments?status=VOIDED"),
    "an enum value in lower case": Case(400, "MALFORMED_REQUEST", "/payments?status=status_voided"),
    "a query over the path": Case(400, "MALFORMED_REQUEST", "/payment/pay_a?id=pay_b"),
    "a query over the path, second": Case(
        400, "MALFORMED_REQUEST", "/v1/payment/pay_a?include_actions=true&id=pay_b"
    ),
    "a query over the path, escaped": Case(
        400, "MALFORMED_REQUEST", "/payment/pay_a/actions?%69%64=pay_b"
    ),
    "a query over the path, of another service": Case(
        400, "MALFORMED_REQUEST", "/events/evt_a/deliveries?page_size=1&id=evt_b"
    ),
    "a query over the path, on DELETE": Case(
        400, "MALFORMED_REQUEST", "/v1/webhook-endpoints/we_a?id=we_b", "DELETE"
    ),
    "a body over the path, on DELETE": Case(
        400, "MALFORMED_REQUEST", "/webhook-endpoints/we_a", "DELETE", '{"id": "we_b"}', JSON
    ),
    "a query over the path, on PATCH": Case(
        400, "MALFORMED_REQUEST", "/webhook-endpoints/we_a?id=we_b", "PATCH", "{}", JSON
    ),
    "a body over the path, on PATCH": Case(
        400, "MALFORMED_REQUEST", "/webhook-endpoints/we_a", "PATCH", '{"id": "we_b"}', JSON
    ),
    "a PATCH of no type": Case(
        415, "UNSUPPORTED_MEDIA_TYPE", "/webhook-endpoints/we_a", "PATCH", "{}"
    ),
    "a PATCH over 64 KiB": Case(
        413, "BODY_TOO_LARGE", "/webhook-endpoints/we_a", "PATCH", " " * 65_537, JSON
    ),
    "a path that only begins like another service's": Case(404, "METHOD_NOT_FOUND", "/eventsx"),
    "an escaped slash": Case(400, "MALFORMED_REQUEST", "/payment/pay_a%2factions"),
    "an escaped NUL": Case(400, "MALFORMED_REQUEST", "/payment/pay_a%00"),
    "an unknown field": Case(
        400, "UNKNOWN_FIELD", "/void", "POST", f'{{"card": {{"pan": "{PAN}"}}}}', JSON
    ),
    "a field that comes twice": Case(
        400,
        "MALFORMED_REQUEST",
        "/void",
        "POST",
        '{"authorization_id": "a", "authorizationId": "b"}',
        JSON,
    ),
    "headers over 60 KiB": Case(
        431, "MALFORMED_REQUEST", "/payments", headers={"x-large": "a" * 62_000}
    ),
    "an address over 60 KiB": Case(431, "MALFORMED_REQUEST", f"/payments?reference={'a' * 62_000}"),
    "more than 256 headers": Case(
        431, "MALFORMED_REQUEST", "/payments", headers={f"x-{n}": "a" for n in range(257)}
    ),
}


@pytest.fixture(scope="module")
def channel(stack: Stack) -> Iterator[grpc.Channel]:
    """A native gRPC client's channel to the same port."""
    with grpc.insecure_channel(stack.grpc) as open_channel:
        yield open_channel


def request(stack: Stack, case: Case) -> urllib3.BaseHTTPResponse:
    """Send the case's request, with the demo merchant's key."""
    return urllib3.request(
        case.method,
        stack.url + case.path,
        body=case.body,
        headers={"authorization": f"Bearer {stack.api_key}", **case.headers},
        retries=False,
        timeout=10.0,
    )


def assert_for_json_clients(reply: urllib3.BaseHTTPResponse) -> None:
    """Check what every JSON reply has: its type, one request id, nothing of gRPC or Envoy."""
    assert reply.headers["content-type"] == "application/json"
    assert len(reply.headers.getlist("x-request-id")) == 1
    names = {name.lower() for name in reply.headers}
    assert not {name for name in names if name.startswith(("grpc-", "x-envoy-"))}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED.keys())
def test_a_refusal_of_the_edge_looks_like_the_services(stack: Stack, case: Case) -> None:
    """Envoy's own errors have the contract's status, shape and reason, and repeat nothing."""
    reply = request(stack, case)
    assert reply.status == case.status, reply.data
    assert_for_json_clients(reply)
    body = reply.json()
    info, *_ = body["details"]
    assert info == {
        "@type": ERROR_INFO,
        "reason": case.reason,
        "domain": "paygate",
        "metadata": {},
    }
    assert body["code"] == {404: 5, 405: 12}.get(case.status, 3)
    assert body["message"]
    assert PAN not in reply.data.decode()


def test_a_body_of_just_64_kib_is_read(stack: Stack) -> None:
    """The limit is 65,536 bytes, and a body of that size reaches the service."""
    text = json.dumps(AUTHORIZE)
    case = Case(200, "", "/authorize", "POST", text + " " * (65_536 - len(text)), JSON)
    reply = request(stack, case)
    assert reply.status == 200, reply.data


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json; charset=utf-8", "Application/JSON"]
)
@pytest.mark.parametrize("path", ["/authorize", "/v1/authorize"])
def test_json_reaches_the_service(stack: Stack, path: str, content_type: str) -> None:
    """Both path forms take JSON under any spelling of its type, and answer as the contract says."""
    headers = {"content-type": content_type}
    reply = request(stack, Case(200, "", path, "POST", json.dumps(AUTHORIZE), headers))
    assert reply.status == 200, reply.data
    assert_for_json_clients(reply)
    payment = reply.json()["payment"]
    assert payment["captured"] == {"minor_units": "0", "currency": "GBP"}


def test_an_error_of_the_service_keeps_its_details(stack: Stack) -> None:
    """What the service refuses comes through as google.rpc.Status, with its request id."""
    reply = request(stack, Case(404, "", "/payment/pay_unknown"))
    assert reply.status == 404
    assert_for_json_clients(reply)
    assert reply.json()["details"][0]["reason"] == "PAYMENT_NOT_FOUND"


@pytest.mark.parametrize("headers", [{}, JSON], ids=["of no type", "of JSON"])
def test_a_delete_needs_no_body(stack: Stack, headers: dict[str, str]) -> None:
    """DELETE has no body; whether it names a type for one does not matter."""
    reply = request(stack, Case(404, "", "/webhook-endpoints/we_a", "DELETE", headers=headers))
    assert reply.status == 404
    assert_for_json_clients(reply)
    assert reply.json()["details"][0]["reason"] == "WEBHOOK_ENDPOINT_NOT_FOUND"


def test_an_id_that_is_no_text_is_no_accident(stack: Stack) -> None:
    """Bytes that are no UTF-8 in a path are the client's error, not ours."""
    reply = request(stack, Case(400, "", "/payment/%ff%fe"))
    assert 400 <= reply.status < 500, reply.data
    assert_for_json_clients(reply)


@pytest.mark.parametrize(
    "headers",
    [
        {"fug|ad": "x"},
        {"x-foo-bin": "!!"},
        {"grpc-timeout": "1n"},
        {"grpc-encoding": "gzip"},
        {"x-envoy-upstream-rq-timeout-ms": "1"},
        {"x-envoy-retry-on": "5xx"},
        {"x-envoy-original-path": "/nope"},
        {"te": "trailers"},
    ],
    ids=lambda headers: next(iter(headers)),
)
def test_a_header_that_grpc_would_trip_over_is_dropped(
    stack: Stack, headers: dict[str, str]
) -> None:
    """Headers become metadata; those that gRPC refuses or obeys do not reach the service."""
    assert request(stack, Case(200, "", "/payments", headers=headers)).status == 200


@pytest.mark.parametrize(
    ("path", "told"),
    [
        (
            "/health",
            {
                "status": "SERVING",
                "dependencies": {"database": "UP", "acquirer": "UP", "vault": "UP"},
            },
        ),
        ("/health/webhooks", {"status": "SERVING", "dependencies": {"database": "UP"}}),
        ("/health/ready", {"status": "SERVING"}),
        ("/health/live", {"status": "ALIVE"}),
    ],
)
def test_health_says_that_the_gateway_serves(
    stack: Stack, path: str, told: dict[str, object]
) -> None:
    """Without a key it answers 200 with JSON, which names what the gateway stands on."""
    reply = urllib3.request("GET", stack.url + path, timeout=5.0)
    assert (reply.status, reply.json()) == (200, told)
    assert_for_json_clients(reply)


def test_grpc_works_on_the_same_port(stack: Stack, channel: grpc.Channel) -> None:
    """A native client talks to the public service where JSON clients do."""
    service = rpc.PaymentServiceStub(channel)
    key = (("authorization", f"Bearer {stack.api_key}"),)
    reply = service.ListPayments(pb.ListPaymentsRequest(page_size=1), metadata=key, timeout=5.0)
    assert len(reply.payments) <= 1


@pytest.mark.parametrize(
    "method",
    [
        "/paygate.payments.v1.PaymentService/Nope",
        "/paygate.webhooks.v1.WebhookService/Nope",
        "/paygate.sandbox.v1.SandboxService/Nope",
        "/paygate.acquirer.v1.AcquirerService/Authorize",
        "/grpc.reflection.v1.ServerReflection/Nope",
        "/grpc.health.v1.Health/Watch",
        "/authorize",
    ],
)
def test_unknown_grpc_methods_are_unimplemented(channel: grpc.Channel, method: str) -> None:
    """A method that is not public is UNIMPLEMENTED, whether it exists inside or not."""
    call: Any = channel.unary_unary(method)
    with pytest.raises(grpc.RpcError) as caught:
        call(b"", timeout=5.0)
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_who_shows_no_key_is_told_how(stack: Stack) -> None:
    """A 401 has `www-authenticate`, as HTTP wants it; over gRPC it is metadata."""
    reply = urllib3.request("GET", f"{stack.url}/payments", retries=False, timeout=10.0)
    assert reply.status == 401
    assert reply.headers["www-authenticate"] == "Bearer"
    assert reply.headers["cache-control"] == "no-store"
    with grpc.insecure_channel(stack.grpc) as channel, pytest.raises(grpc.RpcError) as caught:
        rpc.PaymentServiceStub(channel).ListPayments(pb.ListPaymentsRequest(), timeout=10.0)
    told: Any = caught.value
    assert ("www-authenticate", "Bearer") in told.trailing_metadata()
