"""What would break clients of build/openapi.json is said, and nothing else."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.openapi.document import document
from tools.openapi.breaking import breaking

Document = dict[str, Any]
Change = Callable[[Document], object]

DOCUMENT: Document = document()


def schema(told: Document, name: str, *fields: str) -> Document:
    """Return a schema, or that of a field in it."""
    found: Any = told["components"]["schemas"][name]
    for field in fields:
        found = found["properties"][field]
    inner: Document = found
    return inner


def operation(told: Document, verb: str, path: str) -> Document:
    """Return an operation."""
    found: Document = told["paths"][path][verb]
    return found


BREAKS: list[tuple[str, Change, str]] = [
    ("a path", lambda one: one["paths"].pop("/void"), "POST /void is gone (void)"),
    (
        "a verb",
        lambda one: one["paths"]["/webhook-endpoints/{id}"].pop("patch"),
        "PATCH /webhook-endpoints/{id} is gone (updateWebhookEndpoint)",
    ),
    (
        "a name",
        lambda one: operation(one, "post", "/void").update(operationId="cancel"),
        "POST /void was called void and is called cancel",
    ),
    (
        "a field of a request",
        lambda one: schema(one, "CaptureRequest")["properties"].pop("final"),
        "capture: request final is gone",
    ),
    (
        "a field of a reply",
        lambda one: schema(one, "Payment")["properties"].pop("refundable"),
        "getPayment: reply payment.refundable is gone",
    ),
    (
        "a field that is always there",
        lambda one: schema(one, "Payment")["required"].remove("refundable"),
        "getPayment: reply payment may lack refundable",
    ),
    (
        "a required field",
        lambda one: schema(one, "RefundRequest")["required"].append("reference"),
        "refund: request needs reference",
    ),
    (
        "an enum value of a filter",
        lambda one: schema(one, "Payment.Status")["enum"].remove("STATUS_VOIDED"),
        "listPayments: request status has no STATUS_VOIDED any more",
    ),
    (
        "an enum value of a reply",
        lambda one: schema(one, "Action.Type")["enum"].remove("TYPE_EXPIRE"),
        "listPaymentActions: reply actions[].type has no TYPE_EXPIRE any more",
    ),
    (
        "a currency",
        lambda one: schema(one, "AmountInput", "currency")["enum"].remove("GBP"),
        "authorize: request amount.currency has no GBP any more",
    ),
    (
        "a shorter text",
        lambda one: schema(one, "VoidRequest", "reference").update(maxLength=100),
        "void: request reference has maxLength 100 and had 255",
    ),
    (
        "a smaller amount",
        lambda one: schema(one, "AmountInput", "minor_units").update(maximum=10),
        "refund: request amount.minor_units has maximum 10 and had 1000000000000",
    ),
    (
        "a larger minimum",
        lambda one: schema(one, "AmountInput", "minor_units").update(minimum=100),
        "capture: request amount.minor_units has minimum 100 and had 1",
    ),
    (
        "a number that must be a string",
        lambda one: schema(one, "AmountInput", "minor_units").update(type="string"),
        "capture: request amount.minor_units is string and was integer/string",
    ),
    (
        "a string that comes as a number",
        lambda one: schema(one, "Amount", "minor_units").update(type="integer"),
        "capture: reply action.amount.minor_units is integer and was string",
    ),
    (
        "another pattern",
        lambda one: schema(one, "CardDetails", "cvv").update(pattern="^[0-9]{3}$"),
        "authorize: request card_details.cvv has another pattern",
    ),
    (
        "a parameter",
        lambda one: operation(one, "get", "/payments")["parameters"].pop(0),
        "listPayments: parameter status is gone",
    ),
    (
        "a required parameter",
        lambda one: operation(one, "get", "/payments")["parameters"][0].update(required=True),
        "listPayments: parameter status is required",
    ),
    (
        "a required body",
        lambda one: operation(one, "post", "/sandbox/reset")["requestBody"].update(required=True),
        "reset: a body is required",
    ),
    (
        "a header",
        lambda one: operation(one, "post", "/void")["responses"]["200"]["headers"].pop(
            "idempotent-replayed"
        ),
        "void: reply header idempotent-replayed is gone",
    ),
    (
        "an event",
        lambda one: one["webhooks"].pop("payment.expired"),
        "no event payment.expired is posted any more",
    ),
    (
        "a field of an event",
        lambda one: schema(one, "EventData")["properties"].pop("action"),
        "payment.expired: reply data.action is gone",
    ),
    (
        "a header of an event",
        lambda one: one["webhooks"]["payment.expired"]["post"]["parameters"].pop(0),
        "payment.expired: header webhook-id is gone",
    ),
    (
        "the name of an event",
        lambda one: one["webhooks"].update(
            {"payment.expired": one["webhooks"]["payment.voided"]},
        ),
        "payment.expired: reply type has no payment.expired any more",
    ),
    (
        "a body",
        lambda one: operation(one, "post", "/void").pop("requestBody"),
        "void: no body is taken any more",
    ),
    (
        "a body that is no JSON",
        lambda one: operation(one, "post", "/void")["requestBody"].update(content={}),
        "void: request authorization_id is gone",
    ),
    (
        "a choice",
        lambda one: schema(one, "AuthorizeRequest")["oneOf"].pop(),
        "authorize: request cannot be made with card_token any more",
    ),
    (
        "a new choice",
        lambda one: schema(one, "VoidRequest").update(oneOf=[{"required": ["remainder"]}]),
        "void: request needs one of remainder",
    ),
    (
        "a field of errors",
        lambda one: schema(one, "ErrorInfo")["properties"].pop("reason"),
        "void: reply 404 details[].reason is gone",
    ),
    (
        "a reason",
        lambda one: schema(one, "ErrorInfo", "reason")["enum"].remove("PAYMENT_NOT_FOUND"),
        "void: reply 404 details[].reason has no PAYMENT_NOT_FOUND any more",
    ),
    (
        "a header of an error",
        lambda one: operation(one, "post", "/void")["responses"]["404"]["headers"].clear(),
        "void: reply 404 header x-request-id is gone",
    ),
    (
        "a reason under another status",
        lambda one: (replies := operation(one, "post", "/void")["responses"]).update(
            {"410": replies.pop("404")}
        ),
        "void: PAYMENT_NOT_FOUND is 410 and was 404",
    ),
    (
        "a reason under one other status, of several",
        lambda one: (replies := operation(one, "post", "/void")["responses"]).update(
            {"402": replies.pop("426")}
        ),
        "void: MALFORMED_REQUEST is 402 and was 426",
    ),
    (
        "how the key is shown",
        lambda one: one["components"]["securitySchemes"]["key"].update(scheme="basic"),
        "key is shown in another way",
    ),
    (
        "a server",
        lambda one: one["servers"].pop(0),
        f"there is no server {DOCUMENT['servers'][0]['url']} any more",
    ),
]


@pytest.mark.parametrize(
    ("change", "said"), [case[1:] for case in BREAKS], ids=[c[0] for c in BREAKS]
)
def test_a_break_is_said(change: Change, said: str) -> None:
    """With the operation, the place in it, and what is wrong."""
    new = copy.deepcopy(DOCUMENT)
    change(new)
    assert said in breaking(DOCUMENT, new)


MORE: list[Change] = [
    copy.copy,  # nothing
    lambda one: one["paths"].update({"/new": {"get": operation(one, "get", "/payments")}}),
    lambda one: schema(one, "CaptureRequest")["properties"].update(more={"type": "string"}),
    lambda one: schema(one, "Payment")["properties"].update(more={"type": "string"}),
    lambda one: schema(one, "Payment")["required"].append("decline"),
    lambda one: schema(one, "Payment.Status")["enum"].append("STATUS_DISPUTED"),
    lambda one: schema(one, "RefundRequest")["required"].remove("amount"),
    lambda one: schema(one, "VoidRequest", "reference").update(maxLength=300),
    lambda one: schema(one, "VoidRequest", "reference").pop("pattern"),
    lambda one: schema(one, "AmountInput", "minor_units").update(minimum=0),
    lambda one: operation(one, "post", "/void").update(summary="Cancels"),
    lambda one: operation(one, "post", "/void")["responses"].pop("404"),
    lambda one: operation(one, "post", "/void")["responses"].pop("431"),
    lambda one: schema(one, "AuthorizeRequest").pop("oneOf"),
    lambda one: schema(one, "ErrorInfo", "reason")["enum"].append("NEW"),
    lambda one: one["webhooks"].update({"payment.new": one["webhooks"]["payment.expired"]}),
]


@pytest.mark.parametrize("change", MORE)
def test_more_breaks_nobody(change: Change) -> None:
    """New operations, fields, values and wider limits are no news to who does not use them."""
    new = copy.deepcopy(DOCUMENT)
    change(new)
    assert breaking(DOCUMENT, new) == []
