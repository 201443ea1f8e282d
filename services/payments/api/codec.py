"""Domain values and views to response messages. Requests are read in `requests.py`."""

from datetime import UTC, datetime

from google.protobuf.message import Message

from paygate.events.v1.event_pb2 import PaymentEvent
from paygate.payments.v1 import payment_pb2 as pb
from paygate.payments.v1 import payment_service_pb2 as service
from pkg.grpc.messages import Fields, time_fields
from pkg.ids import lowest_id
from services.payments.domain.action import Action, ActionStatus, ActionType
from services.payments.domain.card import Brand
from services.payments.domain.event import Event
from services.payments.domain.outcome import DeclineCode
from services.payments.domain.payment import Payment
from services.payments.domain.status import Status
from services.payments.domain.views import ActionView, PaymentView, action_view_of, view_of

# Looked up once: a name is put together and searched for at each use otherwise.
_STATUSES = {str(one): pb.Payment.Status.Value(f"STATUS_{one}") for one in Status}
_BRANDS = {str(one): pb.Card.Brand.Value(f"BRAND_{one}") for one in Brand}
_TYPES = {str(one): pb.Action.Type.Value(f"TYPE_{one}") for one in ActionType}
_ENDS = {str(one): pb.Action.Status.Value(f"STATUS_{one}") for one in ActionStatus}
_DECLINES = {
    str(one): {"code": pb.Decline.Code.Value(f"CODE_{one}"), "message": one.message}
    for one in DeclineCode
}
_ID_CHARACTERS = len(lowest_id("pay", datetime.fromtimestamp(0, UTC)))


class ProtoReplies:
    """Response messages of the verbs; see `messages.Replies`."""

    def render(self, action: Action, payment: Payment, now: datetime) -> bytes:
        """Return the serialised response of the RPC that made the action."""
        first, second = encode_action(action), encode_payment(payment, now)
        return b"".join((_ACTION, _sized(first), _PAYMENT, _sized(second)))


class ProtoEvents:
    """Event messages; see `messages.Events`."""

    def encode(self, event: Event, reply: bytes | None = None) -> bytes:
        """Return a serialised paygate.events.v1.PaymentEvent.

        Action and payment are taken out of the reply that goes with it, as they stand there.
        """
        message = PaymentEvent(
            id=event.id,
            type=event.type,
            merchant_id=event.payment.merchant_id,
            sequence=event.sequence,
            create_time=time_fields(event.create_time),
            request_id=event.origin.request_id,
            traceparent=event.origin.traceparent,
        )
        if reply is None:
            action = _sized(encode_action(event.action))
            payment = _sized(encode_payment(event.payment, event.create_time))
        else:
            action, payment = _parts(reply)
        head = message.SerializeToString()
        return b"".join((head, _ACTION_OF_EVENT, action, _PAYMENT_OF_EVENT, payment))


def payment_id_of(reply: bytes) -> str:
    """Return the id of the payment in a response of a verb.

    The action comes first in it, and begins with its own id, which is no payment's, and this one.
    """
    start = reply.index(b"pay_")
    return reply[start : start + _ID_CHARACTERS].decode()


def encode_payment(payment: Payment, now: datetime) -> pb.Payment:
    """Return the payment as clients see it at `now`: what can be captured depends on the time."""
    return pb.Payment(**payment_fields(view_of(payment), now))


def encode_action(action: Action) -> pb.Action:
    """Return the action as clients see it."""
    return pb.Action(**action_fields(action_view_of(action)))


def payment_fields(payment: PaymentView, now: datetime) -> Fields:
    """Return a paygate.payments.v1.Payment as it is at `now`."""
    currency = payment.currency
    fields = {
        "id": payment.id,
        "status": _STATUSES[payment.status],
        "authorized": {"minor_units": payment.authorized, "currency": currency},
        "captured": {"minor_units": payment.captured, "currency": currency},
        "refunded": {"minor_units": payment.refunded, "currency": currency},
        "capturable": {"minor_units": payment.capturable(now), "currency": currency},
        "refundable": {"minor_units": payment.refundable, "currency": currency},
        "card": {
            "brand": _BRANDS[payment.card_brand],
            "last4": payment.card_last4,
            "expiry": {"month": payment.card_expiry_month, "year": payment.card_expiry_year},
            "token": payment.card_token,
        },
        "reference": payment.reference,
        "create_time": time_fields(payment.create_time),
        "update_time": time_fields(payment.update_time),
        "expire_time": time_fields(payment.expire_time),
    }
    if payment.decline_code is not None:
        fields["decline"] = _DECLINES[payment.decline_code]
    return fields


def action_fields(action: ActionView) -> Fields:
    """Return a paygate.payments.v1.Action."""
    fields = {
        "id": action.id,
        "payment_id": action.payment_id,
        "type": _TYPES[action.type],
        "status": _ENDS[action.status],
        "amount": {"minor_units": action.minor_units, "currency": action.currency},
        "reference": action.reference,
        "sequence": action.sequence,
        "create_time": time_fields(action.create_time),
        "update_time": time_fields(action.update_time),
        "approval_code": action.approval_code,
    }
    if action.decline_code is not None:
        fields["decline"] = _DECLINES[action.decline_code]
    return fields


def _tag(kind: type[Message], field: str) -> bytes:
    """Return what stands before a message inside another: the field's number, and "has a length".

    It is one byte for numbers up to 15.
    """
    return bytes((kind.DESCRIPTOR.fields_by_name[field].number << 3 | 2,))


# The same in the responses of all verbs.
_ACTION, _PAYMENT = (_tag(service.AuthorizeResponse, field) for field in ("action", "payment"))
_ACTION_OF_EVENT, _PAYMENT_OF_EVENT = (_tag(PaymentEvent, field) for field in ("action", "payment"))


def _sized(message: Message) -> bytes:
    """Return a message as it stands inside another: its length, 7 bits to a byte, and itself."""
    body = message.SerializeToString()
    length, rest = bytearray(), len(body)
    while rest > 127:
        length.append(rest & 127 | 128)
        rest >>= 7
    length.append(rest)
    return bytes(length) + body


def _parts(reply: bytes) -> tuple[bytes, bytes]:
    """Return action and payment of a reply that was made here, each with its length."""
    start = 1  # behind the tag
    length = shift = 0
    while True:
        byte = reply[start]
        length |= (byte & 127) << shift
        start, shift = start + 1, shift + 7
        if byte < 128:
            break
    end = start + length
    return reply[1:end], reply[end + 1 :]
