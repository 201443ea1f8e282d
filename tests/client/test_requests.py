"""The Python client has a call for each RPC, in its very form."""

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from google.api import annotations_pb2
from google.protobuf import json_format
from google.protobuf.message_factory import GetMessageClass

from paygate.payments.v1 import payment_service_pb2 as payments
from paygate.sandbox.v1 import sandbox_service_pb2 as sandbox
from paygate.webhooks.v1 import webhook_service_pb2 as hooks
from paygate_client import (
    BankEffect,
    BankRule,
    BankVerb,
    Brand,
    Card,
    DeclineCode,
    DeliveryStatus,
    EndpointStatus,
    EventType,
    Expiry,
    ListenerProblem,
    Money,
    PaymentStatus,
)
from paygate_client import _bank_requests as bank_requests
from paygate_client import _logged_requests as logged
from paygate_client import _requests as requests
from paygate_client import _sandbox_requests as sandbox_requests
from paygate_client import _sandboxes_requests as sandboxes_requests
from paygate_client._call import Call
from tests.sentinels import CVV, VISA
from tools.openapi.reasons import KEYED

CARD, POUND = Card(VISA, Expiry(12, 2035), CVV), Money(100, "GBP")
TIME = datetime(2026, 12, 31, 23, 59, 59, 500_000, tzinfo=timezone(timedelta(hours=1)))
BETWEEN: Any = {"created_after": TIME, "created_before": TIME}
NO_ID = "an-id"
RULE = BankRule(
    effect=BankEffect.DECLINE,
    decline_code=DeclineCode.LOST_CARD,
    jitter=timedelta(milliseconds=5),
    verb=BankVerb.CAPTURE,
    minor_units_min=1,
    minor_units_max=2,
    currency="GBP",
    brand=Brand.VISA,
    last4="4242",
    reference_prefix="r",
    times=1,
    percent=50,
    active_from=TIME,
    active_until=TIME + timedelta(hours=1),
)

CALLS: dict[str, Call[Any]] = {
    "Authorize": requests.authorize(POUND, card=CARD, card_token=None, reference="r"),
    "Capture": requests.capture(NO_ID, POUND, final=True, reference="r"),
    "Void": requests.void(NO_ID, remainder=True, reference="r"),
    "Refund": requests.refund(NO_ID, POUND, reference="r"),
    "GetPayment": requests.get_payment(NO_ID, include_actions=True),
    "ListPaymentActions": requests.list_actions(NO_ID, token="t", follow=True),
    "ListPayments": requests.list_payments(
        status=PaymentStatus.VOIDED, reference="r", **BETWEEN, token="t", follow=True
    ),
    "DeleteCard": requests.delete_card(NO_ID),
    "CreateWebhookEndpoint": requests.create_endpoint(
        "https://a.example", event_types=[EventType.CAPTURED], description="d"
    ),
    "GetWebhookEndpoint": requests.get_endpoint(NO_ID),
    "ListWebhookEndpoints": requests.list_endpoints(token="t"),
    "UpdateWebhookEndpoint": requests.update_endpoint(
        NO_ID, url="u", event_types=None, status=EndpointStatus.DISABLED, description="d"
    ),
    "DeleteWebhookEndpoint": requests.delete_endpoint(NO_ID),
    "RotateWebhookSecret": requests.rotate_secret(NO_ID, overlap=timedelta(hours=1)),
    "SendTestEvent": requests.send_test_event(NO_ID),
    "RedeliverFailedEvents": requests.redeliver_failed(NO_ID, since=TIME),
    "ListEvents": requests.list_events(
        payment=NO_ID, event_type="payment.voided", **BETWEEN, token="t", follow=True
    ),
    "GetEvent": requests.get_event(NO_ID),
    "WatchEvents": requests.watch_events(payment=NO_ID, event_type=EventType.CAPTURED, cursor="c"),
    "ListDeliveries": requests.list_deliveries(NO_ID, token="t", follow=True),
    "ListEndpointDeliveries": requests.list_endpoint_deliveries(
        NO_ID, status=DeliveryStatus.FAILED, token="t"
    ),
    "ListDeliveryAttempts": requests.list_attempts(NO_ID, NO_ID, token="t"),
    "RedeliverEvent": requests.redeliver_event(NO_ID, endpoint="we"),
    "GetClock": sandbox_requests.get_clock(),
    "AdvanceClock": sandbox_requests.advance_clock(timedelta(days=7)),
    "Drain": sandbox_requests.drain(timedelta(seconds=3)),
    "Reset": sandbox_requests.reset(),
    "ListInbox": sandbox_requests.list_inbox(token="t"),
    "TakeWebhooks": sandbox_requests.take_webhooks(
        NO_ID, "a", begin=True, wait=timedelta(seconds=3)
    ),
    "AnswerWebhook": sandbox_requests.answer_webhook(
        NO_ID, NO_ID, status_code=0, problem=ListenerProblem.NO_CONNECTION, reply="r"
    ),
    "ListDue": sandbox_requests.list_due(),
    "CreateBankRule": bank_requests.create_rule(RULE),
    "ListBankRules": bank_requests.list_rules(),
    "DeleteBankRule": bank_requests.delete_rule(NO_ID),
    "ListBankRequests": bank_requests.list_requests(token="t"),
    "CreateSandbox": sandboxes_requests.create_sandbox(
        "n", time_to_live=timedelta(hours=1), start_time=TIME
    ),
    "ListSandboxes": sandboxes_requests.list_sandboxes(token="t"),
    "DeleteSandbox": sandboxes_requests.delete_sandbox(NO_ID),
    "ListTestCards": sandbox_requests.list_test_cards(),
    "ListRequests": logged.list_requests(
        failed=True, payment=NO_ID, idempotency_key="k", method="Authorize", token="t"
    ),
    "GetRequest": logged.get_request(NO_ID),
}
SERVICES = (
    payments.DESCRIPTOR.services_by_name["PaymentService"],
    hooks.DESCRIPTOR.services_by_name["WebhookService"],
    sandbox.DESCRIPTOR.services_by_name["SandboxService"],
)
# The other choice of a oneof, and a list that has a test of its own.
LEFT_OUT = {"Authorize": {"card_token"}, "UpdateWebhookEndpoint": {"event_types"}}
METHODS = {method.name: method for service in SERVICES for method in service.methods}


def test_there_is_a_call_for_each_rpc() -> None:
    """An RPC that is new in the protos has to be in the client, too."""
    assert set(CALLS) == set(METHODS)


@pytest.mark.parametrize("name", METHODS)
def test_a_call_is_what_the_protos_declare(name: str) -> None:
    """Method, path and the fields of query and body are those of the RPC, and all are there."""
    call, method = CALLS[name], METHODS[name]
    rule = method.GetOptions().Extensions[annotations_pb2.http]
    assert (call.method.lower(), call.path) == rule_of(rule)
    asked = {field for field, text in call.query.items() if text is not None}
    given = {*re.findall(r"{(\w+)}", str(rule)), *asked, *(call.body or ())}
    assert given == {field.name for field in method.input_type.fields} - LEFT_OUT.get(name, set())
    json_format.ParseDict(dict(call.body or {}), GetMessageClass(method.input_type)())


def rule_of(rule: Any) -> tuple[str, str]:
    """Return the method and the path of an RPC, with our id in it."""
    verb = rule.WhichOneof("pattern")
    return verb, re.sub(r"{\w+}", NO_ID, getattr(rule, verb))


def test_keys_go_with_what_makes_or_moves_something() -> None:
    """The document's list of RPCs that take an idempotency key is the client's."""
    keyed = {name[0].lower() + name[1:] for name, call in CALLS.items() if call.takes_key}
    assert keyed == KEYED


def test_times_are_sent_in_utc_and_have_to_have_a_zone() -> None:
    """Nobody's own zone is taken for another."""
    query = CALLS["ListEvents"].query
    assert query["created_after"] == "2026-12-31T22:59:59.500000Z"
    assert datetime.fromisoformat(query["created_after"]) == TIME.astimezone(UTC)
    naive = TIME.replace(tzinfo=None)
    with pytest.raises(ValueError, match="zone"):
        requests.redeliver_failed(NO_ID, since=naive)


def test_a_filter_that_is_given_and_empty_is_sent() -> None:
    """The gateway refuses it: it must not become a list of everything."""
    nothing: Any = {"created_after": None, "created_before": None}
    call = requests.list_payments(status=None, reference="", **nothing, token="", follow=False)
    assert call.target == "/payments?page_size=100&reference="


@pytest.mark.parametrize("odd", ["a/b", "a?b", "../b", "...", "a%2Fb", "ä"])
def test_an_id_stays_one_part_of_the_path(odd: str) -> None:
    """Whatever an id holds, it names no other path."""
    path = requests.get_payment(odd, include_actions=False).path
    assert path.count("/") == 2
    assert "?" not in path


def test_wrong_arguments_are_refused_before_anything_is_sent() -> None:
    """Neither or both of card and token, an id that is empty or dots, a number for an amount."""
    for card, token in ((None, None), (CARD, "tok_1")):
        with pytest.raises(TypeError, match="either"):
            requests.authorize(POUND, card=card, card_token=token, reference="")
    for dots in ("", ".", ".."):  # which nothing on the way would leave in the path
        with pytest.raises(ValueError, match="id"):
            requests.get_payment(dots, include_actions=False)
    with pytest.raises(TypeError, match="Money"):
        requests.refund(NO_ID, 100, reference="")  # type: ignore[arg-type]


def test_all_types_of_events_can_be_asked_for_again() -> None:
    """An update with an empty list is another than one without a list."""
    nothing: Any = {"url": None, "status": None, "description": None}
    assert requests.update_endpoint(NO_ID, event_types=[], **nothing).body == {"event_types": []}
    assert requests.update_endpoint(NO_ID, event_types=None, **nothing).body == {}
