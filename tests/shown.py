"""Payments and actions as clients see them, written out plainly: what quicker code is held to."""

from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp

from paygate.payments.v1 import payment_pb2 as pb
from services.payments.domain.action import Action
from services.payments.domain.errors import PaymentsError
from services.payments.domain.money import Money
from services.payments.domain.outcome import DeclineCode
from services.payments.domain.payment import Payment


def shown_payment(payment: Payment, now: datetime) -> pb.Payment:
    """Return the payment at `now`."""
    card = payment.card
    return pb.Payment(
        id=payment.id,
        status=pb.Payment.Status.Value(f"STATUS_{payment.status}"),
        authorized=_amount(payment.authorized),
        captured=_amount(payment.captured),
        refunded=_amount(payment.refunded),
        capturable=_amount(_capturable(payment, now)),
        refundable=_amount(payment.refundable),
        card=pb.Card(
            brand=pb.Card.Brand.Value(f"BRAND_{card.brand}"),
            last4=card.last4,
            expiry=pb.Expiry(month=card.expiry.month, year=card.expiry.year),
            token=card.token,
        ),
        reference=payment.reference,
        decline=_decline(payment.decline),
        create_time=_time(payment.create_time),
        update_time=_time(payment.update_time),
        expire_time=_time(payment.expire_time),
    )


def shown_action(action: Action) -> pb.Action:
    """Return the action."""
    return pb.Action(
        id=action.id,
        payment_id=action.payment_id,
        type=pb.Action.Type.Value(f"TYPE_{action.type}"),
        status=pb.Action.Status.Value(f"STATUS_{action.status}"),
        amount=_amount(action.amount),
        reference=action.reference,
        decline=_decline(action.decline),
        sequence=action.sequence,
        create_time=_time(action.create_time),
        update_time=_time(action.update_time),
        approval_code=action.approval_code,
    )


def _capturable(payment: Payment, now: datetime) -> Money:
    """Return what is left, if the domain lets anything be captured."""
    least = Money(1, payment.authorized.currency)
    try:
        payment.capture(least, final=False, action_id="act_a", reference="", now=now)
    except PaymentsError:
        return payment.authorized.zero()
    return payment.uncaptured


def _amount(money: Money) -> pb.Amount:
    return pb.Amount(minor_units=money.minor_units, currency=money.currency)


def _decline(code: DeclineCode | None) -> pb.Decline | None:
    if code is None:
        return None
    return pb.Decline(code=pb.Decline.Code.Value(f"CODE_{code}"), message=code.message)


def _time(time: datetime) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromDatetime(time)
    return timestamp
