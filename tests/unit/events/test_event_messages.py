"""The public JSON of events."""

import json
from dataclasses import replace

from pkg.ids import new_id
from services.events.event_messages import BODIES_MAX, body_of
from services.payments.api.codec import ProtoEvents
from services.payments.domain.event import event_of as fact_of
from services.payments.domain.outcome import DeclineCode, Declined
from tests.builders import LATER, authorized, begun, capture, settled


def stored(*, declined: bool = False) -> bytes:
    """Return what the outbox holds of a capture, or of an authorization that was declined."""
    if declined:
        step = settled(begun(), Declined(DeclineCode.INSUFFICIENT_FUNDS))
    else:
        step = settled(capture(replace(authorized(), reference="Grüße"), 400))
    return ProtoEvents().encode(fact_of(*step, event_id=new_id("evt", LATER)))


def test_a_body_has_the_five_fields_of_the_contract() -> None:
    """Type, data, id, sequence and time; nothing that is ours alone."""
    body = json.loads(body_of(stored()))

    assert set(body) == {"type", "data", "id", "sequence", "create_time"}
    assert body["type"] == "payment.captured"
    assert body["id"].startswith("evt_")
    assert body["create_time"] == "2026-11-23T12:05:00Z"
    assert set(body["data"]) == {"payment", "action"}


def test_a_body_is_printed_as_the_rest_api_prints() -> None:
    """Field names of the proto, zeros printed, int64 as text, enums by prefix, no unset message."""
    body = json.loads(body_of(stored()))
    payment = body["data"]["payment"]

    assert payment["refunded"] == {"minor_units": "0", "currency": "GBP"}
    assert payment["capturable"] == {"minor_units": "600", "currency": "GBP"}
    assert payment["status"] == "STATUS_PARTIALLY_CAPTURED"
    assert payment["reference"] == "Grüße"
    assert payment["actions"] == []
    assert isinstance(body["sequence"], str)
    assert "decline" not in payment


def test_a_decline_says_why() -> None:
    """The receiver learns the code without asking."""
    body = json.loads(body_of(stored(declined=True)))

    assert body["type"] == "payment.declined"
    assert body["data"]["action"]["decline"]["code"] == "CODE_INSUFFICIENT_FUNDS"


def test_every_attempt_has_the_same_bytes() -> None:
    """The body depends on nothing but what was stored, and is printed once for all endpoints."""
    payload = stored()
    body = body_of(payload)

    assert body_of(bytes(bytearray(payload))) is body
    for _ in range(BODIES_MAX):
        body_of(stored())
    assert body_of(payload) == body
    assert body_of(payload) is not body
