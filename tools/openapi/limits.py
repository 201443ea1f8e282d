"""What requests may hold beyond their types, by the fields' full names.

Where services count, the numbers are theirs. What they look for by code of their own stands here
once more, as a pattern; tests/unit/test_openapi_limits.py holds both against each other.
"""

from typing import Any, Final

from pkg.grpc.validation import PAGE_SIZE_DEFAULT, PAGE_SIZE_MAX, TEXT_MAX_CHARACTERS
from pkg.ids import SUFFIX_PATTERN
from services.events.requests import (
    EVENT_TYPES,
    LISTED_TYPES,
    OVERLAP_SECONDS_DEFAULT,
    OVERLAP_SECONDS_MAX,
)
from services.events.target import URL_LENGTH_MAX
from services.payments.api.listeners import (
    REPLY_CHARACTERS_MAX,
    STATUS_MAX,
    STATUS_MIN,
    WAIT_DEFAULT,
    WAIT_MAX,
)
from services.payments.api.logged import METHODS
from services.payments.api.requests import AMOUNT_MAX_MINOR_UNITS
from services.payments.api.sandbox import ADVANCE_MAX, DRAIN_DEFAULT, DRAIN_MAX
from services.payments.api.sandboxes import LIFE_DEFAULT, LIFE_MAX, LIFE_MIN
from services.payments.bank_rules import DELAY_MAX, TIMES_MAX
from services.payments.domain.money import EXPONENTS

Schema = dict[str, Any]

# Exactly one of these has to be given; of any other group at most one may.
REQUIRED_GROUPS: Final = {"paygate.payments.v1.AuthorizeRequest.source"}
# Messages of replies that are left out at times: all others are always there.
SOMETIMES: Final = {
    "paygate.payments.v1.Payment.decline",
    "paygate.payments.v1.Action.decline",
    "paygate.sandbox.v1.BankRule.active_from",
    "paygate.sandbox.v1.BankRule.active_until",
    "paygate.sandbox.v1.LoggedRequest.request",
    "paygate.sandbox.v1.LoggedRequest.reply",
    "paygate.webhooks.v1.Event.data",
    "paygate.webhooks.v1.WatchEventsResponse.event",
    "paygate.webhooks.v1.Delivery.last_attempt_time",
    "paygate.webhooks.v1.Delivery.next_attempt_time",
}


def up_to(most: int, *, least: int = 0) -> str:
    """Return a pattern of the whole numbers from 0 or 1 to `most`, without leading zeros."""
    digits = str(most)
    found = ["0"] if least == 0 else []
    if len(digits) > 1:
        found.append(f"[1-9][0-9]{{0,{len(digits) - 2}}}")
    for place, digit in enumerate(digits):
        low, high = int(place == 0), int(digit) - 1
        if low <= high:
            rest = len(digits) - place - 1
            found.append(f"{digits[:place]}[{low}-{high}]" + (f"[0-9]{{{rest}}}" if rest else ""))
    return "|".join([*found, digits])


def _text(example: str) -> Schema:
    return {
        "maxLength": TEXT_MAX_CHARACTERS,
        "pattern": r"^[^\u0000-\u001f\u007f-\u009f]*$",
        "examples": [example],
    }


def _id(prefix: str, example: str, *, or_empty: bool = False) -> Schema:
    pattern = f"{prefix}_{SUFFIX_PATTERN}"
    return {"pattern": f"^({pattern})?$" if or_empty else f"^{pattern}$", "examples": [example]}


def _seconds(least: int, most: int, example: str) -> Schema:
    below, last = up_to(most - 1, least=least), rf"{most}(\.0{{1,9}})?"
    return {"pattern": rf"^(({below})(\.[0-9]{{1,9}})?|{last})s$", "examples": [example]}


_PAYMENT = _id("pay", "pay_01kb6xq3v8f5sa0c9w2m4e7t1h")
_TOKEN = _id("tok", "tok_01kb6xq3v8f5sa0c9w2m4e7t1j")
_ENDPOINT = _id("we", "we_01kb6xq3v8f5sa0c9w2m4e7t1k")
_EVENT = _id("evt", "evt_01kb6xq3v8f5sa0c9w2m4e7t1m")
_TYPES: Schema = {"uniqueItems": True, "items": {"type": "string", "enum": list(EVENT_TYPES)}}
_URL: Schema = {
    "format": "uri",
    "minLength": 1,
    "maxLength": URL_LENGTH_MAX,
    "pattern": "^[Hh][Tt][Tt][Pp][Ss]?://[!-~]+$",
    "examples": ["https://shop.example/webhooks"],
}
_PAGE_SIZE: Schema = {
    "minimum": 0,
    "maximum": PAGE_SIZE_MAX,
    "default": PAGE_SIZE_DEFAULT,
    "examples": [PAGE_SIZE_DEFAULT],
}
# As PageTokens makes them. Of any other text the service says that it is none of its own.
_PAGE_TOKEN: Schema = {"pattern": "^[A-Za-z0-9_-]*$"}
_OVERLAP: Schema = {
    "minimum": 0,
    "maximum": OVERLAP_SECONDS_MAX,
    "default": OVERLAP_SECONDS_DEFAULT,
}

_AMOUNT_OR_ANY: Schema = {
    "pattern": f"^({up_to(AMOUNT_MAX_MINOR_UNITS)})$",
    "minimum": 0,
    "maximum": AMOUNT_MAX_MINOR_UNITS,
    "examples": ["1000"],
}

_PAYMENTS: Final[dict[str, Schema]] = {
    "Amount.minor_units": {
        "pattern": f"^({up_to(AMOUNT_MAX_MINOR_UNITS, least=1)})$",
        "minimum": 1,
        "maximum": AMOUNT_MAX_MINOR_UNITS,
        "examples": ["1000"],
    },
    "Amount.currency": {"enum": sorted(EXPONENTS), "examples": ["GBP"]},
    "Expiry.month": {"minimum": 1, "maximum": 12, "examples": [12]},
    "Expiry.year": {"minimum": 1000, "maximum": 9999, "examples": [2034]},
    "CardDetails.pan": {
        "pattern": "^[ -]*[1-9]([ -]*[0-9]){11,18}[ -]*$",
        "examples": ["4242 4242 4242 4242"],
    },
    "CardDetails.cvv": {"pattern": "^[0-9]{3,4}$", "examples": ["123"]},
    "AuthorizeRequest.card_token": _TOKEN,
    "AuthorizeRequest.reference": _text("order-1001"),
    "CaptureRequest.authorization_id": _PAYMENT,
    "CaptureRequest.reference": _text("parcel-1"),
    "VoidRequest.authorization_id": _PAYMENT,
    "VoidRequest.reference": _text("cancelled"),
    "RefundRequest.authorization_id": _PAYMENT,
    "RefundRequest.reference": _text("return-1"),
    "GetPaymentRequest.id": _PAYMENT,
    "ListPaymentActionsRequest.id": _PAYMENT,
    "ListPaymentActionsRequest.page_size": _PAGE_SIZE,
    "ListPaymentActionsRequest.page_token": _PAGE_TOKEN,
    "ListPaymentsRequest.page_size": _PAGE_SIZE,
    "ListPaymentsRequest.page_token": _PAGE_TOKEN,
    "ListPaymentsRequest.reference": {**_text("order-1001"), "minLength": 1},
    "DeleteCardRequest.token": _TOKEN,
}
_WEBHOOKS: Final[dict[str, Schema]] = {
    "CreateWebhookEndpointRequest.url": _URL,
    "CreateWebhookEndpointRequest.event_types": _TYPES,
    "CreateWebhookEndpointRequest.description": _text("Orders"),
    "GetWebhookEndpointRequest.id": _ENDPOINT,
    "ListWebhookEndpointsRequest.page_size": _PAGE_SIZE,
    "ListWebhookEndpointsRequest.page_token": _PAGE_TOKEN,
    "EventTypes.types": _TYPES,
    "UpdateWebhookEndpointRequest.id": _ENDPOINT,
    "UpdateWebhookEndpointRequest.url": _URL,
    "UpdateWebhookEndpointRequest.description": _text("Orders"),
    "DeleteWebhookEndpointRequest.id": _ENDPOINT,
    "RotateWebhookSecretRequest.id": _ENDPOINT,
    "RotateWebhookSecretRequest.overlap_seconds": _OVERLAP,
    "SendTestEventRequest.id": _ENDPOINT,
    "ListEventsRequest.payment_id": _PAYMENT,
    "ListEventsRequest.type": {"enum": list(LISTED_TYPES)},
    "ListEventsRequest.page_size": _PAGE_SIZE,
    "ListEventsRequest.page_token": _PAGE_TOKEN,
    "WatchEventsRequest.cursor": _PAGE_TOKEN,
    "WatchEventsRequest.payment_id": _PAYMENT,
    "WatchEventsRequest.type": {"enum": list(LISTED_TYPES)},
    "GetEventRequest.id": _EVENT,
    "ListDeliveriesRequest.id": _EVENT,
    "ListDeliveriesRequest.page_size": _PAGE_SIZE,
    "ListDeliveriesRequest.page_token": _PAGE_TOKEN,
    "ListEndpointDeliveriesRequest.id": _ENDPOINT,
    "ListEndpointDeliveriesRequest.page_size": _PAGE_SIZE,
    "ListEndpointDeliveriesRequest.page_token": _PAGE_TOKEN,
    "ListDeliveryAttemptsRequest.id": _EVENT,
    "ListDeliveryAttemptsRequest.endpoint_id": _ENDPOINT,
    "ListDeliveryAttemptsRequest.page_size": _PAGE_SIZE,
    "ListDeliveryAttemptsRequest.page_token": _PAGE_TOKEN,
    "RedeliverEventRequest.id": _EVENT,
    "RedeliverEventRequest.endpoint_id": _id("we", _ENDPOINT["examples"][0], or_empty=True),
    "RedeliverFailedEventsRequest.id": _ENDPOINT,
}
_SANDBOX: Final[dict[str, Schema]] = {
    "AdvanceClockRequest.by": _seconds(1, int(ADVANCE_MAX.total_seconds()), "604800s"),
    "DrainRequest.timeout": {
        **_seconds(0, int(DRAIN_MAX.total_seconds()), "10s"),
        "default": f"{DRAIN_DEFAULT.total_seconds():.0f}s",
    },
    "ListRequestsRequest.payment_id": _PAYMENT,
    "ListRequestsRequest.idempotency_key": {**_text("order-1001"), "minLength": 1},
    "ListRequestsRequest.method": {"enum": METHODS},
    "ListRequestsRequest.page_size": _PAGE_SIZE,
    "ListRequestsRequest.page_token": _PAGE_TOKEN,
    "GetRequestRequest.id": {"examples": ["5f3a0e8c-2b77-4d1a-9c55-0a6e8f1d2b34"]},
    "BankRule.Match.minor_units_min": _AMOUNT_OR_ANY,
    "BankRule.Match.minor_units_max": _AMOUNT_OR_ANY,
    "BankRule.Match.currency": {"enum": ["", *sorted(EXPONENTS)], "examples": ["GBP"]},
    "BankRule.Match.last4": {"pattern": "^([0-9]{4})?$", "examples": ["4242"]},
    "BankRule.Match.reference_prefix": _text("order-1001"),
    "BankRule.Effect.delay": _seconds(0, int(DELAY_MAX.total_seconds()), "0.5s"),
    "BankRule.Effect.jitter": _seconds(0, int(DELAY_MAX.total_seconds()), "0.1s"),
    "CreateBankRuleRequest.times": {
        "pattern": f"^({up_to(TIMES_MAX, least=1)})$",
        "minimum": 1,
        "maximum": TIMES_MAX,
        "examples": ["1"],
    },
    "CreateBankRuleRequest.percent": {"minimum": 1, "maximum": 100, "examples": [50]},
    "DeleteBankRuleRequest.id": _id("rule", "rule_01kb6xq3v8f5sa0c9w2m4e7t1n"),
    "ListBankRequestsRequest.page_size": _PAGE_SIZE,
    "ListBankRequestsRequest.page_token": _PAGE_TOKEN,
    "TakeWebhooksRequest.endpoint_id": _ENDPOINT,
    "TakeWebhooksRequest.listener": {**_text("6a0f3f1e-listen"), "minLength": 1},
    "TakeWebhooksRequest.wait": {
        **_seconds(0, int(WAIT_MAX.total_seconds()), "3s"),
        "default": f"{WAIT_DEFAULT.total_seconds():.0f}s",
    },
    "AnswerWebhookRequest.endpoint_id": _ENDPOINT,
    "AnswerWebhookRequest.id": _id("msg", "msg_01kb5vb6a1m8z3k7w2n5q9r4tj"),
    "AnswerWebhookRequest.status_code": {
        "anyOf": [{"const": 0}, {"minimum": STATUS_MIN, "maximum": STATUS_MAX}]
    },
    "AnswerWebhookRequest.reply": {"maxLength": REPLY_CHARACTERS_MAX},
    "ListInboxRequest.page_size": _PAGE_SIZE,
    "ListInboxRequest.page_token": _PAGE_TOKEN,
    "CreateSandboxRequest.name": {**_text("test_refund"), "minLength": 1},
    "CreateSandboxRequest.time_to_live": {
        **_seconds(int(LIFE_MIN.total_seconds()), int(LIFE_MAX.total_seconds()), "3600s"),
        "default": f"{LIFE_DEFAULT.total_seconds():.0f}s",
    },
    "ListSandboxesRequest.page_size": _PAGE_SIZE,
    "ListSandboxesRequest.page_token": _PAGE_TOKEN,
    "DeleteSandboxRequest.id": _id("mer", "mer_01kb6xq3v8f5sa0c9w2m4e7t1p"),
}
LIMITS: Final[dict[str, Schema]] = {
    **{f"paygate.payments.v1.{name}": limits for name, limits in _PAYMENTS.items()},
    **{f"paygate.webhooks.v1.{name}": limits for name, limits in _WEBHOOKS.items()},
    **{f"paygate.sandbox.v1.{name}": limits for name, limits in _SANDBOX.items()},
}
