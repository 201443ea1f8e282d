"""Events as merchants see them: from what the outbox holds to the public message and its JSON."""

from datetime import datetime
from functools import lru_cache

from paygate.events.v1.event_pb2 import PaymentEvent
from paygate.payments.v1.payment_pb2 import Action, Payment
from pkg.grpc.messages import Fields
from services.events.printing import printer_of, string_text, time_text

# Of events that are about no payment, but there to see that an endpoint works.
TEST_TYPE = "webhook.test"

# Printed once for all endpoints that get it, as they do at about the same time.
BODIES_MAX = 512

_payment_text, _action_text = printer_of(Payment.DESCRIPTOR), printer_of(Action.DESCRIPTOR)


def event_fields(payload: bytes) -> Fields:
    """Return the public event, a paygate.webhooks.v1.Event, of a serialised PaymentEvent.

    Raises:
        google.protobuf.message.DecodeError: It is not one.
    """
    stored = PaymentEvent.FromString(payload)
    data = _is_of_payment(stored) and {"payment": stored.payment, "action": stored.action}
    return {
        "id": stored.id,
        "type": stored.type,
        "sequence": stored.sequence,
        "create_time": stored.create_time,
        **({"data": data} if data else {}),
    }


def origin_of(payload: bytes) -> tuple[str, str]:
    """Return the request that made an event, by its id and its `traceparent`; both may be empty.

    Raises:
        google.protobuf.message.DecodeError: It is no event.
    """
    stored = PaymentEvent.FromString(payload)
    return stored.request_id, stored.traceparent


@lru_cache(BODIES_MAX)
def body_of(payload: bytes) -> bytes:
    """Return the JSON that is signed and posted: the public event, as the REST API prints it.

    The same event gives the same bytes, for every attempt and every endpoint. It is printed from
    what is stored: as a message of its own it would take copies of payment and action.

    Raises:
        google.protobuf.message.DecodeError: It is no event.
    """
    stored = PaymentEvent.FromString(payload)
    data = ""
    if _is_of_payment(stored):
        payment, action = _payment_text(stored.payment), _action_text(stored.action)
        data = f'{{"payment":{payment},"action":{action}}}'
    fields = (
        ("id", stored.id, string_text(stored.id)),
        ("type", stored.type, string_text(stored.type)),
        ("data", bool(data), data),
        ("sequence", stored.sequence, f'"{stored.sequence}"'),
        ("create_time", True, time_text(stored.create_time)),
    )
    # What is not set comes last.
    texts = [f'"{name}":{text}' for name, is_set, text in fields if is_set]
    texts += [f'"{name}":{text}' for name, is_set, text in fields if text and not is_set]
    return f"{{{','.join(texts)}}}".encode()


def test_event(event_id: str, merchant_id: str, now: datetime) -> bytes:
    """Return a serialised PaymentEvent that is about no payment."""
    event = PaymentEvent(id=event_id, type=TEST_TYPE, merchant_id=merchant_id, sequence=1)
    event.create_time.FromDatetime(now)
    return event.SerializeToString()


def _is_of_payment(stored: PaymentEvent) -> bool:
    return stored.type != TEST_TYPE
