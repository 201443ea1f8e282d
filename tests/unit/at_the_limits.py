"""Requests at the limits that the document tells, and who reads them."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from google.protobuf.message import Message

from paygate.payments.v1 import payment_service_pb2 as payments
from paygate.sandbox.v1 import sandbox_service_pb2 as sandbox
from paygate.webhooks.v1 import webhook_service_pb2 as webhooks
from pkg.grpc.validation import Checks
from pkg.process.mode import Mode
from services.events import requests as of_events
from services.payments.api import listeners, logged
from services.payments.api import requests as of_payments
from services.payments.api.bank_rules import rule_of
from services.payments.api.sandboxes import new_sandbox_of

NOW = datetime(2026, 11, 28, tzinfo=UTC)
PAYMENT, ENDPOINT = "pay_01kb6xq3v8f5sa0c9w2m4e7t1h", "we_01kb6xq3v8f5sa0c9w2m4e7t1k"
EVENT, TOKEN = "evt_01kb6xq3v8f5sa0c9w2m4e7t1m", "tok_01kb6xq3v8f5sa0c9w2m4e7t1j"
MESSAGE = "msg_01kb6xq3v8f5sa0c9w2m4e7t1n"
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
    "listRequests": (sandbox.ListRequestsRequest, {}, logged.filter_of),
    "takeWebhooks": (
        sandbox.TakeWebhooksRequest,
        {"endpoint_id": ENDPOINT, "listener": "a"},
        lambda asked: listeners.listener_of(asked, "m"),
    ),
    "answerWebhook": (
        sandbox.AnswerWebhookRequest,
        {"endpoint_id": ENDPOINT, "id": MESSAGE, "status_code": 200},
        listeners.answer_of,
    ),
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
    "watchEvents": (webhooks.WatchEventsRequest, {}, of_events.watched_of),
    "getEvent": (webhooks.GetEventRequest, {"id": EVENT}, of_events.event_id_of),
    "listDeliveries": (webhooks.ListDeliveriesRequest, {"id": EVENT}, of_events.deliveries_page_of),
    "listEndpointDeliveries": (
        webhooks.ListEndpointDeliveriesRequest,
        {"id": ENDPOINT},
        of_events.endpoint_deliveries_page_of,
    ),
    "listDeliveryAttempts": (
        webhooks.ListDeliveryAttemptsRequest,
        {"id": EVENT, "endpoint_id": ENDPOINT},
        of_events.attempts_page_of,
    ),
    "sendTestEvent": (webhooks.SendTestEventRequest, {"id": ENDPOINT}, of_events.endpoint_id_of),
    "redeliverEvent": (webhooks.RedeliverEventRequest, {"id": EVENT}, of_events.redelivery_of),
    "createSandbox": (
        sandbox.CreateSandboxRequest,
        {"name": "n"},
        lambda asked: new_sandbox_of(asked, datetime.now(UTC)),
    ),
    "createBankRule": (
        sandbox.CreateBankRuleRequest,
        {"effect": {"kind": "KIND_APPROVE"}, "match": {}},
        lambda asked: rule_of(asked, Checks()),
    ),
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
    "watchEvents payment_id": PAYMENT_IDS,
    "listEvents type": (list(of_events.LISTED_TYPES), ["", "payment", "payment.x"]),
    "watchEvents type": (list(of_events.LISTED_TYPES), ["", "payment", "payment.x"]),
    "getEvent id": ([EVENT], ["evt_", PAYMENT]),
    "listDeliveries page_size": PAGES,
    "listDeliveries id": ([EVENT], ["evt_", PAYMENT]),
    "listEndpointDeliveries page_size": PAGES,
    "listEndpointDeliveries id": ([ENDPOINT], ["we_", PAYMENT]),
    "listDeliveryAttempts page_size": PAGES,
    "listDeliveryAttempts id": ([EVENT], ["evt_", PAYMENT]),
    "listDeliveryAttempts endpoint_id": ([ENDPOINT], ["we_", PAYMENT]),
    "sendTestEvent id": ENDPOINT_IDS,
    "redeliverEvent endpoint_id": (["", ENDPOINT], ["we_", PAYMENT]),
    "redeliverEvent id": ([EVENT], ["evt_", PAYMENT]),
    "redeliverFailedEvents id": ENDPOINT_IDS,
    "listRequests payment_id": PAYMENT_IDS,
    "listRequests idempotency_key": (["x", "x" * 255], ["", "x" * 256, "\u0085"]),
    "listRequests method": (logged.METHODS, ["", "authorize", "ListRequests"]),
    "listRequests page_size": PAGES,
    "createBankRule match.minor_units_min": (["0", 0, *AMOUNTS[0]], AMOUNTS[1][2:]),
    "createBankRule match.minor_units_max": (["0", 0, *AMOUNTS[0]], AMOUNTS[1][2:]),
    "createBankRule match.currency": (["", "GBP", "KWD"], ["gbp", "XAU", "GBP "]),
    "createBankRule match.last4": (["", "4242", "0000"], ["424", "42424", "424a", "٤٢٤٢"]),
    "createBankRule match.reference_prefix": TEXTS,
    "createBankRule effect.delay": (["0s", "0.5s", "10s"], ["-1s", "10.1s", "11s"]),
    "createBankRule effect.jitter": (["0s", "0.5s", "10s"], ["-1s", "10.1s", "11s"]),
    "createBankRule times": (["1", 1, "1000000"], ["0", 0, -1, "1000001"]),
    "createBankRule percent": ([1, 100], [0, 101, -1]),
    "createSandbox name": (TEXTS[0][1:], [*TEXTS[1], ""]),
    "createSandbox time_to_live": (["1s", "1.5s", "604800s"], ["0.9s", "604801s", "-1s"]),
    "takeWebhooks endpoint_id": ENDPOINT_IDS,
    "takeWebhooks listener": (["a", "x" * 255], ["", "x" * 256]),
    "takeWebhooks wait": (["0s", "4s"], ["-1s", "4.001s"]),
    "answerWebhook endpoint_id": ENDPOINT_IDS,
    "answerWebhook id": ([MESSAGE], ["msg_", EVENT]),
    "answerWebhook status_code": ([100, 599], [1, 99, 600]),
    "answerWebhook reply": (["", "x" * 1_280], ["x" * 1_281]),
}
NOT_IN_A_CASE = {
    "paygate.payments.v1.AuthorizeRequest.card_token",  # stands for the card of the case
    # Any text is looked for, and what is none of ours not found.
    "paygate.payments.v1.ListPaymentActionsRequest.page_token",
    "paygate.payments.v1.ListPaymentsRequest.page_token",
    "paygate.sandbox.v1.ListRequestsRequest.page_token",
    "paygate.sandbox.v1.GetRequestRequest.id",
    "paygate.webhooks.v1.ListDeliveriesRequest.page_token",
    "paygate.webhooks.v1.ListEndpointDeliveriesRequest.page_token",
    "paygate.webhooks.v1.ListDeliveryAttemptsRequest.page_token",
    "paygate.webhooks.v1.ListEventsRequest.page_token",
    "paygate.webhooks.v1.WatchEventsRequest.cursor",
    "paygate.webhooks.v1.ListWebhookEndpointsRequest.page_token",
    "paygate.webhooks.v1.EventTypes.types",  # the edge makes this message of the list
    # See below: only the process with the clock reads them.
    "paygate.sandbox.v1.AdvanceClockRequest.by",
    "paygate.sandbox.v1.DrainRequest.timeout",
    "paygate.sandbox.v1.DeleteBankRuleRequest.id",  # what can be none is not found
    "paygate.sandbox.v1.ListBankRequestsRequest.page_size",
    "paygate.sandbox.v1.ListBankRequestsRequest.page_token",
    "paygate.sandbox.v1.ListInboxRequest.page_size",
    "paygate.sandbox.v1.ListInboxRequest.page_token",
    "paygate.sandbox.v1.ListSandboxesRequest.page_size",
    "paygate.sandbox.v1.ListSandboxesRequest.page_token",
    "paygate.sandbox.v1.DeleteSandboxRequest.id",  # what can be none is not found
}
