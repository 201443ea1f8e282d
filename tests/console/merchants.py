"""Merchants of a test's own, and what they do beside the console."""

import itertools
from dataclasses import dataclass
from typing import Any

import urllib3

from paygate.admin.v1 import admin_service_pb2 as admin
from tests.e2e.operator import Operator
from tests.e2e.stack import Stack

APPROVED, DECLINED, REPLY_LOST = "4242424242424242", "4000000000000002", "4000000000001026"
_CARD = {"expiry": {"month": 12, "year": 2040}, "cvv": "123"}
_NUMBERS = itertools.count(1)


@dataclass(frozen=True)
class Merchant:
    """One of a stack's.

    Attributes:
        url: The stack's.
        key: For everything.
    """

    url: str
    key: str

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """Return what the gateway answers, whatever the status."""
        own = {"authorization": f"Bearer {self.key}", **headers}
        how = {} if body is None else {"json": body}
        return urllib3.request(method, f"{self.url}{path}", headers=own, **how).json()

    def authorize(
        self, *, idempotency_key: str = "", reference: str = "", pan: str = APPROVED
    ) -> str:
        """Make a payment of 10.00 GBP, and return its id."""
        body = {
            "card_details": {"pan": pan, **_CARD},
            "amount": {"minor_units": "1000", "currency": "GBP"},
            "reference": reference,
        }
        key = idempotency_key or f"authorize-{next(_NUMBERS)}"
        return str(
            self.call("POST", "/authorize", body, **{"idempotency-key": key})["payment"]["id"]
        )

    def capture(self, payment_id: str, minor_units: int, *, idempotency_key: str) -> Any:
        """Capture so much of it."""
        amount = {"minor_units": str(minor_units), "currency": "GBP"}
        body = {"authorization_id": payment_id, "amount": amount}
        return self.call("POST", "/capture", body, **{"idempotency-key": idempotency_key})

    def act(self, verb: str, payment_id: str, minor_units: int | None = None, **more: Any) -> Any:
        """Capture, refund or void; return the answer, whatever it is."""
        amount = {"amount": {"minor_units": str(minor_units), "currency": "GBP"}}
        body = {"authorization_id": payment_id, **(amount if minor_units else {}), **more}
        return self.call("POST", f"/{verb}", body)

    def endpoint(self, url: str, **more: Any) -> str:
        """Make a webhook endpoint, and return its id."""
        return str(self.call("POST", "/webhook-endpoints", {"url": url, **more})["endpoint"]["id"])


def new_merchant(stack: Stack) -> Merchant:
    """Make one who has nothing yet."""
    operator = Operator(stack)
    made = operator.ask(admin.CreateMerchantRequest(name="A merchant of a test"))
    return Merchant(stack.url, operator.new_key(made.merchant.id))
