"""Domain values to response messages. Requests are read in `requests.py`."""

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from paygate.events.v1.event_pb2 import PaymentEvent
from paygate.payments.v1 import payment_pb2 as pb
from paygate.payments.v1 import payment_service_pb2 as service
from services.payments.domain.action import Action, ActionStatus, ActionType
from services.payments.domain.card import Brand, Expiry
from services.payments.domain.event import Event
from services.payments.domain.money import Money
from services.payments.domain.outcome import DeclineCode
from services.payments.domain.payment import Payment
from services.payments.domain.status import Status

RESPONSES = {
    ActionType.AUTHORIZE: service.AuthorizeResponse,
    ActionType.CAPTURE: service.CaptureResponse,
    ActionType.VOID: service.VoidResponse,
    ActionType.REFUND: service.RefundResponse,
}

# Looked up once: a name is put together and searched for at each use otherwise.
_STATUSES = {status: pb.Payment.Status.Value(f"STATUS_{status}") for status in Status}
_BRANDS = {brand: pb.Card.Brand.Value(f"BRAND_{brand}") for brand in Brand}
_TYPES = {kind: pb.Action.Type.Value(f"TYPE_{kind}") for kind in ActionType}
_ENDS = {status: pb.Action.Status.Value(f"STATUS_{status}") for status in ActionStatus}
_EPOCH = datetime.fromtimestamp(0, UTC)


class ProtoReplies:
    """Response messages of the verbs; see `ports.Replies`."""

    def render(self, action: Action, payment: Payment, now: datetime) -> bytes:
        """Return the serialised response of the RPC that made the action."""
        response = RESPONSES[action.type](
            action=encode_action(action), payment=encode_payment(payment, now)
        )
        return response.SerializeToString()


class ProtoEvents:
    """Event messages; see `ports.Events`."""

    def encode(self, event: Event) -> bytes:
        """Return a serialised paygate.events.v1.PaymentEvent."""
        return PaymentEvent(
            id=event.id,
            type=event.type,
            merchant_id=event.payment.merchant_id,
            sequence=event.sequence,
            create_time=_time(event.create_time),
            action=encode_action(event.action),
            payment=encode_payment(event.payment, event.create_time),
            request_id=event.origin.request_id,
            traceparent=event.origin.traceparent,
        ).SerializeToString()


def encode_payment(payment: Payment, now: datetime) -> pb.Payment:
    """Return the payment as it is at `now`: what can be captured depends on the time."""
    return pb.Payment(
        id=payment.id,
        status=_STATUSES[payment.status],
        authorized=_amount(payment.authorized),
        captured=_amount(payment.captured),
        refunded=_amount(payment.refunded),
        capturable=_amount(payment.capturable(now)),
        refundable=_amount(payment.refundable),
        card=pb.Card(
            brand=_BRANDS[payment.card.brand],
            last4=payment.card.last4,
            expiry=_expiry(payment.card.expiry),
            token=payment.card.token,
        ),
        reference=payment.reference,
        decline=_decline(payment.decline),
        create_time=_time(payment.create_time),
        update_time=_time(payment.update_time),
        expire_time=_time(payment.expire_time),
    )


def encode_action(action: Action) -> pb.Action:
    """Return the action as clients see it."""
    return pb.Action(
        id=action.id,
        payment_id=action.payment_id,
        type=_TYPES[action.type],
        status=_ENDS[action.status],
        amount=_amount(action.amount),
        reference=action.reference,
        decline=_decline(action.decline),
        sequence=action.sequence,
        create_time=_time(action.create_time),
        update_time=_time(action.update_time),
        approval_code=action.approval_code,
    )


def _amount(money: Money) -> pb.Amount:
    return pb.Amount(minor_units=money.minor_units, currency=money.currency)


def _expiry(expiry: Expiry) -> pb.Expiry:
    return pb.Expiry(month=expiry.month, year=expiry.year)


def _decline(code: DeclineCode | None) -> pb.Decline | None:
    if code is None:
        return None
    return pb.Decline(code=pb.Decline.Code.Value(f"CODE_{code}"), message=code.message)


def _time(time: datetime) -> Timestamp:
    # A third of what Timestamp.FromDatetime takes.
    since = time - _EPOCH
    return Timestamp(seconds=since.days * 86_400 + since.seconds, nanos=since.microseconds * 1_000)
