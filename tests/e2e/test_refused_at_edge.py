"""What Envoy refuses by itself: the contract's errors at the edge."""

import pytest

from tests.e2e.at_edge import Case, assert_for_json_clients, request
from tests.e2e.edge_replies import JSON, PAN
from tests.e2e.stack import Stack

ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"

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
