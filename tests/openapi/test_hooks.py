"""Which spellings are read that the document does not have: proto3 JSON's, and no more."""

from typing import Any

import pytest

from tests.openapi.document import document, validator
from tests.openapi.hooks import documented, whole

SCHEMAS = document()["components"]["schemas"]
PAYMENT = "pay_01kb5va2e3dzvmxxqkfbf5kznw"
TEN = {"minor_units": "1000", "currency": "GBP"}


@pytest.mark.parametrize(
    ("name", "sent", "is_read"),
    [
        ("CaptureRequest", {"authorizationId": PAYMENT, "amount": TEN}, True),
        ("CaptureRequest", {"authorization_id": PAYMENT, "amount": TEN, "final": None}, True),
        ("UpdateWebhookEndpointRequest", {"status": 2}, True),
        ("UpdateWebhookEndpointRequest", {"event_types": {"types": ["payment.captured"]}}, True),
        ("UpdateWebhookEndpointRequest", {"event_types": {}}, True),
        ("CaptureRequest", {"authorization_id": PAYMENT, "amount": None}, False),
        ("CaptureRequest", {"authorization_id": PAYMENT, "amount": TEN, "finall": True}, False),
        ("UpdateWebhookEndpointRequest", {"status": 3}, False),
        ("UpdateWebhookEndpointRequest", {"status": -1}, False),
        ("UpdateWebhookEndpointRequest", {"event_types": {"types": ["no"]}}, False),
        ("UpdateWebhookEndpointRequest", {"event_types": {"more": 1}}, False),
    ],
)
def test_other_spellings(name: str, sent: dict[str, Any], is_read: bool) -> None:
    """Camel case, null for "not given", the number of an enum value, a list as its message."""
    schema = SCHEMAS[name]
    assert validator(schema).is_valid(documented(schema, sent)) == is_read


def test_whole_numbers_have_no_fraction() -> None:
    """At any depth; what has one keeps it."""
    assert repr(whole({"a": [1.0, 1.5, True, "1.0"]})) == "{'a': [1, 1.5, True, '1.0']}"
