"""Replies and events: put together of bytes, they are what the messages would be."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paygate.events.v1.event_pb2 import PaymentEvent
from paygate.payments.v1 import payment_service_pb2 as service
from pkg.ids import new_id
from services.payments.api.codec import (
    ProtoEvents,
    ProtoReplies,
    payment_id_of,
)
from services.payments.domain.action import Action
from services.payments.domain.event import Origin, event_of
from services.payments.domain.outcome import Answer, Approved, DeclineCode, Declined, Unknown
from services.payments.domain.payment import Payment
from tests.builders import (
    APPROVAL_CODE,
    LATER,
    authorized,
    begun,
    capture,
    captured,
    refund,
    settled,
    void,
)
from tests.shown import shown_action, shown_payment

RESPONSES = (
    service.AuthorizeResponse,
    service.CaptureResponse,
    service.VoidResponse,
    service.RefundResponse,
)
ANSWERS: list[Answer] = [
    Approved(),
    Approved(APPROVAL_CODE),
    Declined(DeclineCode.INSUFFICIENT_FUNDS),
    Unknown(),
]
# From lengths of one byte to lengths of two; the text is the client's own.
REFERENCES = st.text(max_size=255)


def step(verb: str, answer: Answer, reference: str) -> tuple[Payment, Action]:
    """Return a payment and an action as they are told."""
    if verb == "authorize":
        begins = begun(reference=reference)
    elif verb == "refund":
        begins = refund(captured(authorized(), 700), 300)
    else:
        begins = {"capture": lambda p: capture(p, 400), "void": void}[verb](authorized())
    return begins if isinstance(answer, Unknown) else settled(begins, answer)


@pytest.mark.parametrize("verb", ["authorize", "capture", "void", "refund"])
@settings(deadline=None)  # other tests may have the machine
@given(answer=st.sampled_from(ANSWERS), reference=REFERENCES)
def test_a_reply_is_its_message(verb: str, answer: Answer, reference: str) -> None:
    """Byte for byte what the message of any verb would be, and nothing is unknown in it."""
    payment, action = step(verb, answer, reference)
    reply = ProtoReplies().render(action, payment, LATER)
    for response in RESPONSES:
        message = response(action=shown_action(action), payment=shown_payment(payment, LATER))
        assert response.FromString(reply) == message
        assert message.SerializeToString(deterministic=True) == reply
    assert payment_id_of(reply) == payment.id


@settings(deadline=None)
@given(verb=st.sampled_from(["authorize", "capture", "void", "refund"]), reference=REFERENCES)
def test_an_event_says_what_the_reply_says(verb: str, reference: str) -> None:
    """Its action and payment are the reply's own bytes; without a reply they are made the same."""
    payment, action = step(verb, Approved(APPROVAL_CODE), reference)
    origin = Origin("request-1", "00-trace-span-01")
    event = event_of(payment, action, event_id=new_id("evt", LATER), origin=origin)
    reply = ProtoReplies().render(action, payment, LATER)
    stored = ProtoEvents().encode(event, reply)
    assert stored == ProtoEvents().encode(event)
    message, said = PaymentEvent.FromString(stored), service.AuthorizeResponse.FromString(reply)
    assert (message.action, message.payment) == (said.action, said.payment)
    assert (message.id, message.type, message.merchant_id, message.sequence) == (
        event.id,
        event.type,
        payment.merchant_id,
        payment.version,
    )
    assert (message.request_id, message.traceparent) == ("request-1", "00-trace-span-01")
    assert message.create_time.ToDatetime(tzinfo=LATER.tzinfo) == LATER
