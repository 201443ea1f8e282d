"""What Envoy lets through, and how the answers come back."""

import json
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
import urllib3

from paygate.payments.v1 import payment_service_pb2 as pb
from paygate.payments.v1 import payment_service_pb2_grpc as rpc
from tests.e2e.at_edge import Case, assert_for_json_clients, request
from tests.e2e.edge_replies import JSON, PAN
from tests.e2e.stack import Stack

AUTHORIZE = {
    "card_details": {"pan": PAN, "expiry": {"month": 12, "year": 2030}, "cvv": "123"},
    "amount": {"minor_units": "1000", "currency": "GBP"},
}


@pytest.fixture(scope="module")
def channel(stack: Stack) -> Iterator[grpc.Channel]:
    """A native gRPC client's channel to the same port."""
    with grpc.insecure_channel(stack.grpc) as open_channel:
        yield open_channel


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
