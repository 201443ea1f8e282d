"""The limits that build/openapi.json tells are those that services hold requests to."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest
from google.protobuf import json_format
from google.protobuf.message import Message
from jsonschema import Draft202012Validator

from paygate.payments.v1 import payment_service_pb2 as payments
from paygate.webhooks.v1 import webhook_service_pb2 as webhooks
from pkg.errors import ApiError
from pkg.grpc.validation import Checks
from pkg.process.mode import Mode
from services.events import requests as of_events
from services.payments.api import requests as of_payments
from services.payments.api.sandbox import ADVANCE_MAX, DRAIN_MAX
from tests.openapi import document
from tools.openapi.finished import json_schema
from tools.openapi.limits import LIMITS, up_to

NOW = datetime(2026, 11, 28, tzinfo=UTC)
PAYMENT, ENDPOINT = "pay_01kb6xq3v8f5sa0c9w2m4e7t1h", "we_01kb6xq3v8f5sa0c9w2m4e7t1k"
EVENT, TOKEN = "evt_01kb6xq3v8f5sa0c9w2m4e7t1m", "tok_01kb6xq3v8f5sa0c9w2m4e7t1j"
TEN = {"minor_units": "1000", "currency": "GBP"}
CARD = {"pan": "4242424242424242", "expiry": {"month": 12, "year": 2034}, "cvv": "123"}
Read = Callable[[Any], object]

READ: dict[str, tuple[type[Message], dict[str, Any], Read]] = {
    "authorize": (
        payments.AuthorizeRequest,
        {"card_details": CARD, "amount": TEN},
        lambda asked: of_payments.authorize_of(asked, merchant_id="m", keys=(), now=NOW),
    ),
    "capture": (
        payments.CaptureRequest,
        {"authorization_id": PAYMENT, "amount": TEN},
        lambda asked: of_payments.capture_of(asked, merchant_id="m", keys=()),
    ),
    "void": (
        payments.VoidRequest,
        {"authorization_id": PAYMENT},
        lambda asked: of_payments.void_of(asked, merchant_id="m", keys=()),
    ),
    "refund": (
        payments.RefundRequest,
        {"authorization_id": PAYMENT, "amount": TEN},
        lambda asked: of_payments.refund_of(asked, merchant_id="m", keys=()),
    ),
    "getPayment": (payments.GetPaymentRequest, {"id": PAYMENT}, of_payments.payment_id_of),
    "listPaymentActions": (
        payments.ListPaymentActionsRequest,
        {"id": PAYMENT},
        of_payments.actions_page_of,
    ),
    "listPayments": (payments.ListPaymentsRequest, {}, of_payments.filter_of),
    "deleteCard": (payments.DeleteCardRequest, {"token": TOKEN}, of_payments.card_token_of),
    "createWebhookEndpoint": (
        webhooks.CreateWebhookEndpointRequest,
        {"url": "https://shop.example/"},
        lambda asked: of_events.new_endpoint_of(asked, Mode.SANDBOX),
    ),
    "updateWebhookEndpoint": (
        webhooks.UpdateWebhookEndpointRequest,
        {"id": ENDPOINT},
        lambda asked: of_events.change_of(asked, Mode.SANDBOX),
    ),
    "getWebhookEndpoint": (
        webhooks.GetWebhookEndpointRequest,
        {"id": ENDPOINT},
        of_events.endpoint_id_of,
    ),
    "deleteWebhookEndpoint": (
        webhooks.DeleteWebhookEndpointRequest,
        {"id": ENDPOINT},
        of_events.endpoint_id_of,
    ),
    "rotateWebhookSecret": (
        webhooks.RotateWebhookSecretRequest,
        {"id": ENDPOINT},
        of_events.rotation_of,
    ),
    "listWebhookEndpoints": (
        webhooks.ListWebhookEndpointsRequest,
        {},
        of_events.endpoints_page_of,
    ),
    "listEvents": (webhooks.ListEventsRequest, {}, of_events.filter_of),
    "getEvent": (webhooks.GetEventRequest, {"id": EVENT}, of_events.event_id_of),
    "listDeliveries": (webhooks.ListDeliveriesRequest, {"id": EVENT}, of_events.deliveries_page_of),
    "redeliverEvent": (webhooks.RedeliverEventRequest, {"id": EVENT}, of_events.redelivery_of),
    "redeliverFailedEvents": (
        webhooks.RedeliverFailedEventsRequest,
        {"id": ENDPOINT, "since": "2026-11-01T00:00:00Z"},
        of_events.failed_redelivery_of,
    ),
}
AMOUNTS = (
    ["1", 1, "1000000000000", 10**12, "999999999999", "10", 19],
    ["0", 0, "-1", -1, "1000000000001", 10**12 + 1],
)
TEXTS = (["", "x" * 255, "é\u00a0", "🙂" * 255], ["x" * 256, "a\nb", "\u0000", "\u007f", "\u009f"])
PAYMENT_IDS = (
    [PAYMENT, "pay_7zzzzzzzzzzzzzzzzzzzzzzzzz"],
    ["", "pay_", PAYMENT[:-1], PAYMENT + "0", PAYMENT.upper(), ENDPOINT, "pay_8" + "z" * 25],
)
ENDPOINT_IDS = ([ENDPOINT], ["", "we_", PAYMENT, ENDPOINT + "0"])
PAGES = ([0, 1, 100], [-1, 101])
TYPES = (
    [[], ["payment.captured"], list(of_events.EVENT_TYPES)],
    [["payment.captured", "payment.captured"], ["payment.refused"], [""]],
)
URLS = (
    [
        "https://shop.example/webhooks?a=b",
        "http://127.0.0.1:8000/",
        "https://s.example/" + "a" * 2030,
    ],
    [
        "",
        "shop.example",
        "ftp://shop.example/",
        "https://shop.example/ a",
        "https://s.example/" + "a" * 2031,
    ],
)
CASES: dict[str, tuple[list[Any], list[Any]]] = {
    "authorize amount.minor_units": AMOUNTS,
    "capture amount.minor_units": AMOUNTS,
    "refund amount.minor_units": AMOUNTS,
    "authorize amount.currency": (["GBP", "JPY", "KWD"], ["", "gbp", "XAU", "XXX", "GB", "GBP "]),
    "authorize card_details.expiry.month": ([1, 12], [0, 13, -1]),
    "authorize card_details.expiry.year": ([2026, 2076], [0, 999, 10_000]),
    "authorize card_details.pan": (
        [
            "4242424242424242",
            "4242-4242 4242-4242",
            " 4242 4242 4242 4242 ",
            "500000000009",
            "6304000000000000000",
        ],
        [
            "",
            "4242",
            "0000000000000000",
            "42424242424242424242",
            "4242x4242424242424",
            "٤٢٤٢٤٢٤٢٤٢٤٢٤٢٤٢",
        ],
    ),
    "authorize card_details.cvv": (["123", "000"], ["", "12", "12345", "12a", "١٢٣"]),
    "authorize reference": TEXTS,
    "capture reference": TEXTS,
    "void reference": TEXTS,
    "refund reference": TEXTS,
    "capture authorization_id": PAYMENT_IDS,
    "void authorization_id": PAYMENT_IDS,
    "refund authorization_id": PAYMENT_IDS,
    "getPayment id": PAYMENT_IDS,
    "listPaymentActions id": PAYMENT_IDS,
    "listPaymentActions page_size": PAGES,
    "listPayments page_size": PAGES,
    "listPayments reference": (["x", "x" * 255], ["", "x" * 256, "\u0085"]),
    "listPayments status": (["STATUS_PENDING", "STATUS_UNSPECIFIED"], []),
    "deleteCard token": ([TOKEN], ["tok_", PAYMENT]),
    "createWebhookEndpoint url": URLS,
    "createWebhookEndpoint event_types": TYPES,
    "createWebhookEndpoint description": TEXTS,
    "updateWebhookEndpoint url": URLS,
    "updateWebhookEndpoint description": TEXTS,
    "updateWebhookEndpoint id": ENDPOINT_IDS,
    "getWebhookEndpoint id": ENDPOINT_IDS,
    "deleteWebhookEndpoint id": ENDPOINT_IDS,
    "rotateWebhookSecret overlap_seconds": ([0, 604_800], [-1, 604_801]),
    "rotateWebhookSecret id": ENDPOINT_IDS,
    "listWebhookEndpoints page_size": PAGES,
    "listEvents page_size": PAGES,
    "listEvents payment_id": PAYMENT_IDS,
    "listEvents type": (list(of_events.EVENT_TYPES), ["", "payment", "payment.x"]),
    "getEvent id": ([EVENT], ["evt_", PAYMENT]),
    "listDeliveries page_size": PAGES,
    "listDeliveries id": ([EVENT], ["evt_", PAYMENT]),
    "redeliverEvent endpoint_id": (["", ENDPOINT], ["we_", PAYMENT]),
    "redeliverEvent id": ([EVENT], ["evt_", PAYMENT]),
    "redeliverFailedEvents id": ENDPOINT_IDS,
}
NOT_IN_A_CASE = {
    "paygate.payments.v1.AuthorizeRequest.card_token",  # stands for the card of the case
    # Any text is looked for, and what is none of ours not found.
    "paygate.payments.v1.ListPaymentActionsRequest.page_token",
    "paygate.payments.v1.ListPaymentsRequest.page_token",
    "paygate.webhooks.v1.ListDeliveriesRequest.page_token",
    "paygate.webhooks.v1.ListEventsRequest.page_token",
    "paygate.webhooks.v1.ListWebhookEndpointsRequest.page_token",
    "paygate.webhooks.v1.EventTypes.types",  # the edge makes this message of the list
    # See below: only the process with the clock reads them.
    "paygate.sandbox.v1.AdvanceClockRequest.by",
    "paygate.sandbox.v1.DrainRequest.timeout",
}
ALL = [
    (case, value, is_good)
    for case, (good, bad) in CASES.items()
    for values, is_good in ((good, True), (bad, False))
    for value in values
]


@pytest.mark.parametrize(("case", "value", "is_good"), ALL)
def test_what_is_said_is_what_is_enforced(case: str, value: object, is_good: bool) -> None:
    """At each limit, the document and the service say yes and no to the same."""
    name, _, place = case.partition(" ")
    kind, given, read = READ[name]
    asked = with_value(given, place.split("."), value)
    assert validator(name).is_valid(asked) == is_good
    try:
        read(json_format.ParseDict(asked, kind()))
    except ApiError:
        assert not is_good
    else:
        assert is_good


def test_every_limit_is_tried() -> None:
    """Each field of a request that the document says more of than its type is in a case above."""
    assert set(LIMITS) - {field_of(case) for case in CASES} == NOT_IN_A_CASE


def field_of(case: str) -> str:
    """Return the full name of the field that a case is about."""
    name, _, place = case.partition(" ")
    message: Any = READ[name][0].DESCRIPTOR
    *way, last = place.split(".")
    for step in way:
        message = message.fields_by_name[step].message_type
    return str(message.fields_by_name[last].full_name)


@pytest.mark.parametrize("key", ["a", "!~", "k" * 255, "", "a b", "k" * 256, "\x7f", "\x1f", "ä"])
def test_a_key_is_said_to_be_what_it_has_to_be(key: str) -> None:
    """The header's pattern takes what services take."""
    told = document.document()["components"]["parameters"]["idempotency-key"]["schema"]
    checks = Checks()
    checks.idempotency_key([key])
    assert document.validator(told).is_valid(key) == (not checks.violations)


def with_value(given: dict[str, Any], place: list[str], value: object) -> dict[str, Any]:
    """Return a request with another value at a place."""
    first, *rest = place
    inner = with_value(given[first], rest, value) if rest else value
    return {**given, first: inner}


@cache
def validator(name: str) -> Draft202012Validator:
    """Return what tells whether the document allows a request."""
    return document.validator(asked_of(name))


@cache
def asked_of(name: str) -> dict[str, Any]:
    """Return the schema of all that an operation may be asked, by body, path and query."""
    operation = document.operations()[name]
    asked: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}
    if body := json_schema(operation.get("requestBody", {})):
        asked = document.resolved(body)
    parameters = map(document.resolved, operation.get("parameters", []))
    given = {one["name"]: one["schema"] for one in parameters}
    return {**asked, "properties": {**asked["properties"], **given}}


@pytest.mark.parametrize(
    "text",
    [
        *("-1s", "0s", "0.5s", "1s", "1.000000001s", "29.9s", "30s", "30.000s", "30.1s", "31s"),
        *("34559999.9s", "34560000s", "34560000.0s", "34560000.5s", "34560001s", "99999999s"),
    ],
)
def test_durations_are_as_long_as_the_sandbox_takes(text: str) -> None:
    """What a drain waits at most, and how far the clock is turned, by the sandbox's own numbers."""
    seconds = float(text.removesuffix("s"))
    waited = 0 <= seconds <= DRAIN_MAX.total_seconds()
    assert validator("drain").is_valid({"timeout": text}) == waited
    turned = 1 <= seconds <= ADVANCE_MAX.total_seconds()
    assert validator("advanceClock").is_valid({"by": text}) == turned


@pytest.mark.parametrize("most", [0, 9, 10, 19, 30, 100, 255, 604_800, 10**12])
def test_numbers_up_to_a_limit(most: int) -> None:
    """The pattern takes what is within, and nothing beyond, by its digits alone."""
    checks = Draft202012Validator({"pattern": f"^({up_to(most)})$"})
    around = {0, 1, 9, 10, 11, 99, 100, most - 1, most, most + 1, most * 10, most // 2}
    for number in around - {-1}:
        assert checks.is_valid(str(number)) == (number <= most), number
    assert not checks.is_valid("00")
    assert not checks.is_valid("")
