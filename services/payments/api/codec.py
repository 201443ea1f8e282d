"""Domain values to response messages. Requests are read in `requests.py`."""

from datetime import UTC, datetime

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from paygate.events.v1.event_pb2 import PaymentEvent
from paygate.payments.v1 import payment_pb2 as pb
from paygate.payments.v1 import payment_service_pb2 as service
from pkg.ids import lowest_id
from services.payments.domain.action import Action, ActionStatus, ActionType
from services.payments.domain.card import Brand
from services.payments.domain.event import Event
from services.payments.domain.money import Money
from services.payments.domain.outcome import DeclineCode
from services.payments.domain.payment import Payment
from services.payments.domain.status import Status

# Looked up once: a name is put together and searched for at each use otherwise.
_STATUSES = {status: pb.Payment.Status.Value(f"STATUS_{status}") for status in Status}
_BRANDS = {brand: pb.Card.Brand.Value(f"BRAND_{brand}") for brand in Brand}
_TYPES = {kind: pb.Action.Type.Value(f"TYPE_{kind}") for kind in ActionType}
_ENDS = {status: pb.Action.Status.Value(f"STATUS_{status}") for status in ActionStatus}
_EPOCH = datetime.fromtimestamp(0, UTC)
_ID_CHARACTERS = len(lowest_id("pay", _EPOCH))


class ProtoReplies:
    """Response messages of the verbs; see `ports.Replies`."""

    def render(self, action: Action, payment: Payment, now: datetime) -> bytes:
        """Return the serialised response of the RPC that made the action."""
        first, second = encode_action(action), encode_payment(payment, now)
        return b"".join((_ACTION, _sized(first), _PAYMENT, _sized(second)))


class ProtoEvents:
    """Event messages; see `ports.Events`."""

    def encode(self, event: Event, reply: bytes | None = None) -> bytes:
        """Return a serialised paygate.events.v1.PaymentEvent.

        Action and payment are taken out of the reply that goes with it, as they stand there.
        """
        message = PaymentEvent(
            id=event.id,
            type=event.type,
            merchant_id=event.payment.merchant_id,
            sequence=event.sequence,
            request_id=event.origin.request_id,
            traceparent=event.origin.traceparent,
        )
        _fill_time(message.create_time, event.create_time)
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
    """Return the payment as it is at `now`: what can be captured depends on the time."""
    # Messages inside are filled in place: as arguments they would be serialised and read again.
    message = pb.Payment(
        id=payment.id, status=_STATUSES[payment.status], reference=payment.reference
    )
    _fill_amount(message.authorized, payment.authorized)
    _fill_amount(message.captured, payment.captured)
    _fill_amount(message.refunded, payment.refunded)
    _fill_amount(message.capturable, payment.capturable(now))
    _fill_amount(message.refundable, payment.refundable)
    card, kept = message.card, payment.card
    card.brand, card.last4, card.token = _BRANDS[kept.brand], kept.last4, kept.token
    card.expiry.month, card.expiry.year = kept.expiry.month, kept.expiry.year
    if payment.decline is not None:
        _fill_decline(message.decline, payment.decline)
    _fill_time(message.create_time, payment.create_time)
    _fill_time(message.update_time, payment.update_time)
    _fill_time(message.expire_time, payment.expire_time)
    return message


def encode_action(action: Action) -> pb.Action:
    """Return the action as clients see it."""
    message = pb.Action(
        id=action.id,
        payment_id=action.payment_id,
        type=_TYPES[action.type],
        status=_ENDS[action.status],
        reference=action.reference,
        sequence=action.sequence,
        approval_code=action.approval_code,
    )
    _fill_amount(message.amount, action.amount)
    if action.decline is not None:
        _fill_decline(message.decline, action.decline)
    _fill_time(message.create_time, action.create_time)
    _fill_time(message.update_time, action.update_time)
    return message


def _fill_amount(message: pb.Amount, money: Money) -> None:
    message.minor_units, message.currency = money.minor_units, money.currency


def _fill_decline(message: pb.Decline, code: DeclineCode) -> None:
    message.code, message.message = pb.Decline.Code.Value(f"CODE_{code}"), code.message


def _fill_time(message: Timestamp, time: datetime) -> None:
    # A third of what Timestamp.FromDatetime takes.
    since = time - _EPOCH
    message.seconds = since.days * 86_400 + since.seconds
    message.nanos = since.microseconds * 1_000


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
