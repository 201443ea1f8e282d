"""What may come after what: a reply's values that are another request's."""

from typing import Any, Final

Links = dict[str, dict[str, Any]]

_PAYMENT: Final = "$response.body#/payment/id"
_LEFT: Final = "$response.body#/payment/"


def _by_path(target: str, name: str, value: str) -> Links:
    return {target: {"operationId": target, "parameters": {f"path.{name}": value}}}


def _next(target: str, *in_path: str) -> Links:
    same = {f"path.{name}": f"$request.path.{name}" for name in in_path}
    parameters = {**same, "query.page_token": "$response.body#/next_page_token"}
    return {"nextPage": {"operationId": target, "parameters": parameters}}


def _of_payment(target: str, **more: str) -> Links:
    body = {"authorization_id": _PAYMENT, **more}
    return {target: {"operationId": target, "requestBody": body}}


_LOOKS: Final = {
    **_by_path("getPayment", "id", _PAYMENT),
    **_by_path("listPaymentActions", "id", _PAYMENT),
}
_ENDPOINT: Final = "$response.body#/endpoint/id"
_OF_ENDPOINT: Final = (
    "getWebhookEndpoint",
    "updateWebhookEndpoint",
    "deleteWebhookEndpoint",
    "rotateWebhookSecret",
    "redeliverFailedEvents",
    "listEndpointDeliveries",
    "sendTestEvent",
)
_REFUND: Final = _of_payment("refund", amount=f"{_LEFT}refundable")

LINKS: Final[dict[str, Links]] = {
    "authorize": {
        **_LOOKS,
        **_of_payment("capture", amount=f"{_LEFT}capturable"),
        **_of_payment("void"),
        **_by_path("deleteCard", "token", "$response.body#/payment/card/token"),
    },
    "capture": {**_LOOKS, **_REFUND, **_of_payment("void")},
    "void": {**_LOOKS, **_REFUND},
    "refund": _LOOKS,
    "listPayments": {
        **_by_path("getPayment", "id", "$response.body#/payments/0/id"),
        **_next("listPayments"),
    },
    "listPaymentActions": _next("listPaymentActions", "id"),
    "createWebhookEndpoint": {
        name: link
        for target in _OF_ENDPOINT
        for name, link in _by_path(target, "id", _ENDPOINT).items()
    },
    "listWebhookEndpoints": _next("listWebhookEndpoints"),
    "listEvents": {
        **_by_path("getEvent", "id", "$response.body#/events/0/id"),
        **_by_path("listDeliveries", "id", "$response.body#/events/0/id"),
        **_by_path("redeliverEvent", "id", "$response.body#/events/0/id"),
        **_next("listEvents"),
    },
    "listDeliveries": _next("listDeliveries", "id"),
    "listInbox": _next("listInbox"),
    "createSandbox": _by_path("deleteSandbox", "id", "$response.body#/sandbox/id"),
    "listSandboxes": _next("listSandboxes"),
    "listEndpointDeliveries": _next("listEndpointDeliveries", "id"),
    "listDeliveryAttempts": _next("listDeliveryAttempts", "id", "endpoint_id"),
}
