"""What each field of the API names, and merchants who have something of everything."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from google.protobuf import json_format

from paygate.admin.v1 import admin_service_pb2 as admin
from tests.e2e.clients import Answer, Client, Headers
from tests.e2e.operator import Operator
from tests.e2e.rpcs import RPCS

# What a field names. PLAIN names nothing that belongs to anybody.
PLAIN, PAYMENT, ENDPOINT, EVENT, CARD = "", "payment", "endpoint", "event", "card"
WORDS, PAGE, REQUEST, KEY, RULE = "words", "page", "request", "key", "rule"
LISTENER, MESSAGE, SANDBOX = "listener", "message", "sandbox"

_LIST = {"page_size": PLAIN}
MATRIX: Mapping[str, Mapping[str, str]] = {
    "Authorize": {
        "card_details": PLAIN,
        "card_token": CARD,
        "amount": PLAIN,
        "reference": PLAIN,
    },
    "Capture": {
        "authorization_id": PAYMENT,
        "amount": PLAIN,
        "final": PLAIN,
        "reference": PLAIN,
    },
    "Void": {"authorization_id": PAYMENT, "remainder": PLAIN, "reference": PLAIN},
    "Refund": {"authorization_id": PAYMENT, "amount": PLAIN, "reference": PLAIN},
    "GetPayment": {"id": PAYMENT, "include_actions": PLAIN},
    "ListPaymentActions": {"id": PAYMENT, **_LIST, "page_token": PAGE, "follow": PLAIN},
    "ListPayments": {
        "status": PLAIN,
        "reference": WORDS,
        "created_after": PLAIN,
        "created_before": PLAIN,
        **_LIST,
        "page_token": PAGE,
        "follow": PLAIN,
    },
    "DeleteCard": {"token": CARD},
    "CreateWebhookEndpoint": {"url": PLAIN, "event_types": PLAIN, "description": PLAIN},
    "GetWebhookEndpoint": {"id": ENDPOINT},
    "ListWebhookEndpoints": {**_LIST, "page_token": PAGE},
    "UpdateWebhookEndpoint": {"id": ENDPOINT}
    | dict.fromkeys(("url", "event_types", "status", "description"), PLAIN),
    "DeleteWebhookEndpoint": {"id": ENDPOINT},
    "RotateWebhookSecret": {"id": ENDPOINT, "overlap_seconds": PLAIN},
    "SendTestEvent": {"id": ENDPOINT},
    "ListEvents": {
        "payment_id": PAYMENT,
        "type": PLAIN,
        "created_after": PLAIN,
        "created_before": PLAIN,
        **_LIST,
        "page_token": PAGE,
        "follow": PLAIN,
    },
    "GetEvent": {"id": EVENT},
    "ListDeliveries": {"id": EVENT, **_LIST, "page_token": PAGE, "follow": PLAIN},
    "ListEndpointDeliveries": {"id": ENDPOINT, "status": PLAIN, **_LIST, "page_token": PAGE},
    "ListDeliveryAttempts": {"id": EVENT, "endpoint_id": ENDPOINT, **_LIST, "page_token": PAGE},
    "RedeliverEvent": {"id": EVENT, "endpoint_id": ENDPOINT},
    "RedeliverFailedEvents": {"id": ENDPOINT, "since": PLAIN},
    "GetClock": {},
    "AdvanceClock": {"by": PLAIN},
    "Drain": {"timeout": PLAIN},
    "Reset": {},
    "ListInbox": {**_LIST, "page_token": PAGE},
    "TakeWebhooks": {"endpoint_id": LISTENER, "listener": PLAIN, "begin": PLAIN, "wait": PLAIN},
    "AnswerWebhook": {"endpoint_id": LISTENER, "id": MESSAGE}
    | dict.fromkeys(("status_code", "problem", "reply"), PLAIN),
    "ListDue": {},
    "ListTestCards": {},
    "CreateBankRule": dict.fromkeys(
        ("match", "effect", "times", "percent", "active_from", "active_until"), PLAIN
    ),
    "ListBankRules": {},
    "DeleteBankRule": {"id": RULE},
    "ListBankRequests": {**_LIST, "page_token": PAGE},
    "CreateSandbox": {"name": PLAIN, "time_to_live": PLAIN, "start_time": PLAIN},
    "ListSandboxes": {**_LIST, "page_token": PAGE},
    "DeleteSandbox": {"id": SANDBOX},
    "ListRequests": {
        "failed": PLAIN,
        "payment_id": PAYMENT,
        "idempotency_key": KEY,
        "method": PLAIN,
        **_LIST,
        "page_token": PAGE,
    },
    "GetRequest": {"id": REQUEST},
}
# Of a merchant's own calls, also of those that asked for what is another's.
ASKED = {("ListRequests", "payment_id")}
CASES = [
    (rpc, name)
    for rpc, fields in MATRIX.items()
    for name, kind in fields.items()
    if kind and (rpc, name) not in ASKED
]

A_POUND = {"minor_units": 100, "currency": "GBP"}
TEN_POUNDS = {"minor_units": 1000, "currency": "GBP"}
A_CARD = {"pan": "4242 4242 4242 4242", "expiry": {"month": 11, "year": 2040}, "cvv": "987"}
AUTHORIZE = {"card_details": A_CARD, "amount": TEN_POUNDS}

# What else a request needs to be a good one; an id is the intruder's own.
GOOD: Mapping[str, Mapping[str, Any]] = {
    "Authorize": {"amount": A_POUND, "reference": "order"},
    "Capture": {"amount": A_POUND},
    "Refund": {"amount": A_POUND},
    "UpdateWebhookEndpoint": {"description": "mine now"},
    "RedeliverFailedEvents": {"since": "2026-01-01T00:00:00Z"},
    "CreateBankRule": {"effect": {"kind": "KIND_APPROVE"}},
    "TakeWebhooks": {"listener": "a", "begin": True, "wait": "0s"},
    "AnswerWebhook": {"status_code": 200},
    "CreateSandbox": {"name": "a test"},
}
NOBODYS = {
    PAYMENT: "pay_01h455vb4pex5vsknk084sn02q",
    ENDPOINT: "we_01h455vb4pex5vsknk084sn02q",
    EVENT: "evt_01h455vb4pex5vsknk084sn02q",
    LISTENER: "we_01h455vb4pex5vsknk084sn02q",
    MESSAGE: "msg_01h455vb4pex5vsknk084sn02q",
    CARD: "tok_01h455vb4pex5vsknk084sn02q",
    REQUEST: "00000000-0000-4000-8000-000000000000",
    RULE: "rule_01h455vb4pex5vsknk084sn02q",
    SANDBOX: "mer_01h455vb4pex5vsknk084sn02q",
    KEY: "nobodys-key",
    WORDS: "nobody has ever said this",
}
REFUSED = {
    PAYMENT: "PAYMENT_NOT_FOUND",
    ENDPOINT: "WEBHOOK_ENDPOINT_NOT_FOUND",
    EVENT: "EVENT_NOT_FOUND",
    LISTENER: "WEBHOOK_ENDPOINT_NOT_FOUND",
    CARD: "CARD_TOKEN_NOT_FOUND",
    REQUEST: "REQUEST_NOT_FOUND",
    RULE: "BANK_RULE_NOT_FOUND",
    SANDBOX: "SANDBOX_NOT_FOUND",
}
# Filters: what is not there is not listed, and not refused.
LISTED = {
    ("ListPayments", "reference"),
    ("ListEvents", "payment_id"),
    ("ListRequests", "idempotency_key"),
}


@dataclass
class Merchant:
    """A merchant with something of everything.

    Attributes:
        api_key: For everything.
        ids: One of each kind of thing.
        pages: Page tokens, by the RPC that gave them.
    """

    client: Client
    api_key: str
    ids: dict[str, str] = field(default_factory=dict)
    pages: dict[str, str] = field(default_factory=dict)

    @property
    def credentials(self) -> Headers:
        """The header that says who asks."""
        return (("authorization", f"Bearer {self.api_key}"),)

    def ask(
        self,
        rpc: str,
        fields: Mapping[str, Any],
        *,
        client: Client | None = None,
        headers: Headers = (),
    ) -> Answer:
        """Send a request."""
        request = json_format.ParseDict(dict(fields), RPCS[rpc].request())
        return (client or self.client).call(rpc, request, (*self.credentials, *headers))

    def done(self, rpc: str, fields: Mapping[str, Any]) -> Any:
        """Send a request that must go well, and return the message."""
        answer = self.ask(rpc, fields)
        assert answer.error is None, answer
        return answer.message

    def settle_down(self, words: str) -> None:
        """Make two of everything, so that there are pages."""
        url = "https://inbox.paygate.test/500"
        endpoints = [self.done("CreateWebhookEndpoint", {"url": url}).endpoint for _ in range(2)]
        authorize = {**AUTHORIZE, "reference": words}
        payments = [self.done("Authorize", authorize).payment for _ in range(2)]
        capture = {"authorization_id": payments[0].id, "amount": A_POUND}
        self.done("Capture", capture)
        sandboxes = [self.done("CreateSandbox", GOOD["CreateSandbox"]) for _ in range(2)]
        event = self._event_of(payments[0].id)
        key = words.replace(" ", "-")
        self.ask("ListPayments", {}, headers=(("idempotency-key", key),))
        self._try_again(event)
        self.ids = {
            PAYMENT: payments[0].id,
            ENDPOINT: endpoints[0].id,
            EVENT: event,
            CARD: payments[0].card.token,
            WORDS: words,
            KEY: key,
            RULE: self.done("CreateBankRule", GOOD["CreateBankRule"]).rule.id,
            REQUEST: self._request_with(key),
            SANDBOX: sandboxes[0].sandbox.id,
            **self._listened(),
        }
        self.pages = {
            rpc: self._page_of(rpc) for rpc, fields in MATRIX.items() if "page_token" in fields
        }

    def own(self, rpc: str) -> dict[str, Any]:
        """Return a good request about what is this merchant's own."""
        fields = MATRIX[rpc]
        named = {
            name: self.ids[fields[name]]
            for name in ("id", "authorization_id", "endpoint_id")
            if name in fields
        }
        return {**GOOD.get(rpc, {}), **named}

    def everything(self) -> list[object]:
        """Return all that may not change behind this merchant's back."""
        payment = {"id": self.ids[PAYMENT], "include_actions": True}
        looks = [("GetPayment", payment), ("ListPayments", {}), ("ListWebhookEndpoints", {})]
        looks += [("ListBankRules", {}), ("ListSandboxes", {})]
        return [self.done(rpc, fields) for rpc, fields in looks]

    def _event_of(self, payment_id: str) -> str:
        """Return an event of a payment, with its deliveries to both endpoints, once it is there."""
        deadline = time.monotonic() + 10
        while True:
            events = self.done("ListEvents", {"payment_id": payment_id}).events
            for event in events:
                found = self.done("ListDeliveries", {"id": event.id}).deliveries
                if len(found) > 1 < len(events) and all(one.attempts for one in found):
                    return str(event.id)
            assert time.monotonic() < deadline, "no event was delivered"
            time.sleep(0.05)

    def _listened(self) -> dict[str, str]:
        """Return an endpoint for listeners, and a message that one has taken."""
        url = "https://listener.paygate.test/"
        endpoint = self.done("CreateWebhookEndpoint", {"url": url}).endpoint.id
        take = {"endpoint_id": endpoint, "listener": "a", "begin": True, "wait": "0s"}
        self.done("TakeWebhooks", take)
        self.done("SendTestEvent", {"id": endpoint})
        deadline = time.monotonic() + 10
        while not (found := self.done("TakeWebhooks", {**take, "wait": "3s"}).messages):
            assert time.monotonic() < deadline, "no message came"
        return {LISTENER: str(endpoint), MESSAGE: str(found[0].id)}

    def _request_with(self, key: str) -> str:
        """Return the id of the call that came with an idempotency key, once it is in the log."""
        deadline = time.monotonic() + 10
        while not (found := self.done("ListRequests", {"idempotency_key": key}).requests):
            assert time.monotonic() < deadline, "the call was not logged"
            time.sleep(0.05)
        return str(found[0].id)

    def _try_again(self, event_id: str) -> None:
        """Have an event tried once more at each endpoint, so that there are two attempts."""
        self.done("RedeliverEvent", {"id": event_id})
        deadline = time.monotonic() + 10
        while any(
            one.attempts == 0 for one in self.done("ListDeliveries", {"id": event_id}).deliveries
        ):
            assert time.monotonic() < deadline, "it was not tried"
            time.sleep(0.05)

    def _page_of(self, rpc: str) -> str:
        asked = {**self.own(rpc), "page_size": 1}
        token = self.done(rpc, asked).next_page_token
        assert token, f"{rpc} has no second page"
        return str(token)


def settled(operator: Operator, client: Client, merchant_id: str, words: str) -> Merchant:
    """Return a new merchant that has something of everything."""
    operator.ask(admin.CreateMerchantRequest(id=merchant_id, name=merchant_id))
    merchant = Merchant(client, operator.new_key(merchant_id))
    merchant.settle_down(words)
    return merchant
