"""Why requests are refused: every reason, what it looks like, and which operations give it.

Codes and texts are those of the services' own tables. What only the edge says stands here, as it is
in envoy.yaml and tools/edge/requests.lua: a test compares them.
"""

from dataclasses import dataclass
from typing import Final

import grpc

from pkg.grpc.guard import OVERLOADED
from pkg.grpc.refusals import HTTP_STATUSES, internal
from services.events.refusals import CODES as OF_EVENTS
from services.payments.api.refusals import CODES as OF_PAYMENTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """A reason with its status of HTTP: the same reason may come with several.

    Attributes:
        code: Of google.rpc.Status.
        message: What it says, unless it says more of the request.
    """

    name: str
    http_status: int
    code: int
    message: str

    @property
    def key(self) -> tuple[int, str]:
        """What tells it from all others."""
        return self.http_status, self.name


def _of_services() -> dict[tuple[int, str], Reason]:
    found: dict[tuple[int, str], Reason] = {}
    for problem, code in {**OF_PAYMENTS, **OF_EVENTS}.items():
        text = " ".join((problem.__doc__ or "").split())
        reason = _reason(problem.reason, code, text)
        found.setdefault(reason.key, reason)  # a class stands before those made of it
    bug = internal("")
    for reason in (
        _reason(OVERLOADED.reason, OVERLOADED.code, OVERLOADED.message),
        _reason(bug.reason, bug.code, bug.message),
    ):
        found[reason.key] = reason
    return found


def _reason(name: str, code: grpc.StatusCode, message: str) -> Reason:
    return Reason(name=name, http_status=HTTP_STATUSES[code], code=code.value[0], message=message)


def _by_edge(name: str, http_status: int, code: int, message: str) -> Reason:
    return Reason(name=name, http_status=http_status, code=code, message=message)


BY_EDGE: Final = (
    _by_edge("MALFORMED_REQUEST", 400, 3, "The request is not valid."),
    _by_edge("UNKNOWN_FIELD", 400, 3, "The request is not valid."),
    _by_edge("METHOD_NOT_FOUND", 404, 5, "There is no such method or path."),
    _by_edge("DEADLINE_EXCEEDED", 408, 4, "The request did not arrive in time."),
    _by_edge("BODY_TOO_LARGE", 413, 3, "The body is larger than 64 KiB."),
    _by_edge(
        "UNSUPPORTED_MEDIA_TYPE",
        415,
        3,
        "The body must be JSON: send content-type: application/json.",
    ),
    _by_edge(
        "MALFORMED_REQUEST",
        426,
        3,
        "This version of HTTP is not spoken here: use HTTP/1.1 or HTTP/2.",
    ),
    _by_edge("MALFORMED_REQUEST", 431, 3, "The headers are more than 60 KiB, or more than 256."),
    _by_edge(
        "DEADLINE_EXCEEDED",
        504,
        4,
        "The service did not answer in time: try again with the same idempotency key.",
    ),
)
REASONS: Final = {**_of_services(), **{reason.key: reason for reason in BY_EDGE}}

# What any request may get, by the edge or before it is read, as the statuses of HTTP.
EVERYWHERE: Final = (
    (400, "MALFORMED_REQUEST"),
    (401, "INVALID_API_KEY"),
    (403, "INSUFFICIENT_SCOPE"),
    (408, "DEADLINE_EXCEEDED"),
    (413, "BODY_TOO_LARGE"),
    (415, "UNSUPPORTED_MEDIA_TYPE"),
    (426, "MALFORMED_REQUEST"),
    (429, "RATE_LIMITED"),
    (431, "MALFORMED_REQUEST"),
    (500, "INTERNAL"),
    (503, "OVERLOADED"),
    (503, "DEPENDENCY_UNAVAILABLE"),
    (504, "DEADLINE_EXCEEDED"),
)
WITH_BODY: Final = ((400, "UNKNOWN_FIELD"),)
# Of what is absent in production, or has a variable that may be empty.
NOWHERE: Final = ((404, "METHOD_NOT_FOUND"),)
# With these an idempotency key counts.
WITH_KEY: Final = (
    (400, "VALIDATION_FAILED"),
    (400, "IDEMPOTENCY_KEY_REUSED"),
    (409, "IDEMPOTENCY_IN_FLIGHT"),
)
KEYED: Final = {
    "authorize",
    "capture",
    "void",
    "refund",
    "createWebhookEndpoint",
    "rotateWebhookSecret",
    "sendTestEvent",
    "redeliverEvent",
    "redeliverFailedEvents",
    "advanceClock",
    "reset",
    "createBankRule",
    "createSandbox",
}

_ON_PAYMENT: Final = (
    "PAYMENT_NOT_FOUND",
    "PAYMENT_VOIDED",
    "PAYMENT_DECLINED",
    "PAYMENT_FAILED",
    "PAYMENT_EXPIRED",
    "ACTION_PENDING",
    "CONCURRENT_UPDATE",
)
_PAGE: Final = ("VALIDATION_FAILED", "INVALID_PAGE_TOKEN")
OWN: Final[dict[str, tuple[str, ...]]] = {
    "authorize": ("CARD_TOKEN_NOT_FOUND", "CARD_TOKEN_REMOVED", "CONCURRENT_UPDATE"),
    "capture": (
        *_ON_PAYMENT,
        "CURRENCY_MISMATCH",
        "PAYMENT_REFUNDED",
        "AMOUNT_EXCEEDS_CAPTURABLE",
    ),
    "void": (*_ON_PAYMENT, "PAYMENT_REFUNDED", "PAYMENT_CAPTURED", "NOT_CAPTURED"),
    "refund": (*_ON_PAYMENT, "CURRENCY_MISMATCH", "NOT_CAPTURED", "AMOUNT_EXCEEDS_REFUNDABLE"),
    "getPayment": ("PAYMENT_NOT_FOUND",),
    "listPaymentActions": ("PAYMENT_NOT_FOUND", *_PAGE),
    "listPayments": _PAGE,
    "deleteCard": ("CARD_TOKEN_NOT_FOUND",),
    "createWebhookEndpoint": ("WEBHOOK_ENDPOINT_LIMIT",),
    "getWebhookEndpoint": ("WEBHOOK_ENDPOINT_NOT_FOUND",),
    "listWebhookEndpoints": _PAGE,
    "updateWebhookEndpoint": ("VALIDATION_FAILED", "WEBHOOK_ENDPOINT_NOT_FOUND"),
    "deleteWebhookEndpoint": ("WEBHOOK_ENDPOINT_NOT_FOUND",),
    "rotateWebhookSecret": ("WEBHOOK_ENDPOINT_NOT_FOUND",),
    "sendTestEvent": ("WEBHOOK_ENDPOINT_NOT_FOUND", "WEBHOOK_ENDPOINT_DISABLED"),
    "listEvents": _PAGE,
    "watchEvents": (*_PAGE, "WATCH_LIMIT", "WATCH_ENDED"),
    "getEvent": ("EVENT_NOT_FOUND",),
    "listDeliveries": ("EVENT_NOT_FOUND", *_PAGE),
    "listEndpointDeliveries": ("WEBHOOK_ENDPOINT_NOT_FOUND", *_PAGE),
    "listDeliveryAttempts": ("EVENT_NOT_FOUND", "WEBHOOK_ENDPOINT_NOT_FOUND", *_PAGE),
    "redeliverEvent": (
        "EVENT_NOT_FOUND",
        "WEBHOOK_ENDPOINT_NOT_FOUND",
        "WEBHOOK_ENDPOINT_DISABLED",
    ),
    "redeliverFailedEvents": ("WEBHOOK_ENDPOINT_NOT_FOUND", "WEBHOOK_ENDPOINT_DISABLED"),
    "getClock": (),
    "advanceClock": (),
    "drain": ("VALIDATION_FAILED",),
    "reset": (),
    "listInbox": _PAGE,
    "takeWebhooks": ("VALIDATION_FAILED", "WEBHOOK_ENDPOINT_NOT_FOUND", "LISTENER_REPLACED"),
    "answerWebhook": ("VALIDATION_FAILED", "WEBHOOK_ENDPOINT_NOT_FOUND"),
    "listDue": (),
    "listTestCards": (),
    "createBankRule": ("BANK_RULE_LIMIT",),
    "listBankRules": (),
    "deleteBankRule": ("BANK_RULE_NOT_FOUND",),
    "listBankRequests": _PAGE,
    "createSandbox": ("SANDBOX_LIMIT",),
    "listSandboxes": _PAGE,
    "deleteSandbox": ("SANDBOX_NOT_FOUND", "ACTION_PENDING"),
    "listRequests": _PAGE,
    "getRequest": ("REQUEST_NOT_FOUND",),
}


def with_name(name: str, status: int = 0) -> Reason:
    """Return a reason by its name; the one with the lowest status if none is given."""
    return min(
        (
            reason
            for reason in REASONS.values()
            if reason.name == name and status in {0, reason.http_status}
        ),
        key=lambda reason: reason.http_status,
    )
