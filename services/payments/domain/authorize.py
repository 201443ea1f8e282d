"""How a payment begins."""

from datetime import datetime

from pkg.errors import ValidationFailedError
from services.payments.domain.action import Action, ActionType
from services.payments.domain.errors import IN_THE_PAST
from services.payments.domain.money import Money
from services.payments.domain.payment import Card, Payment
from services.payments.domain.status import Authorization


def authorize(
    amount: Money,
    card: Card,
    *,
    merchant_id: str,
    payment_id: str,
    action_id: str,
    reference: str,
    idempotency_key: str | None = None,
    now: datetime,
    expire_time: datetime,
) -> tuple[Payment, Action]:
    """Begin a payment: the bank is about to be asked to reserve `amount` on `card`.

    Raises:
        ValidationFailedError: The card's month of expiry is past.
    """
    if card.expiry.is_past(now):
        raise ValidationFailedError({"card_details.expiry": IN_THE_PAST})
    action = Action(
        id=action_id,
        payment_id=payment_id,
        type=ActionType.AUTHORIZE,
        amount=amount,
        reference=reference,
        sequence=1,
        idempotency_key=idempotency_key,
        create_time=now,
        update_time=now,
    )
    payment = Payment(
        merchant_id=merchant_id,
        id=payment_id,
        version=1,
        authorization=Authorization.PENDING,
        authorization_id=action_id,
        authorized=amount,
        captured=amount.zero(),
        refunded=amount.zero(),
        capturing=amount.zero(),
        refunding=amount.zero(),
        card=card,
        reference=reference,
        last_sequence=1,
        create_time=now,
        update_time=now,
        expire_time=expire_time,
    )
    return payment, action
