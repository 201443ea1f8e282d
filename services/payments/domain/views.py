"""Payments and actions as they are looked at: plain values, on which nothing is decided.

Fields stand in the order of the columns that the statements of `PostgresReader` return. What is
shown after a change is made of the payment itself; a look takes a row as it is.
"""

from datetime import datetime
from typing import NamedTuple

from services.payments.domain.action import Action
from services.payments.domain.hold import Hold
from services.payments.domain.payment import Payment
from services.payments.domain.status import Authorization


class PaymentView(NamedTuple):
    """A payment. Amounts are minor units of `currency`, times are aware, the year has four digits.

    `is_open`: the bank has approved, and nothing ends the hold or has ended it.
    """

    id: str
    status: str
    is_open: bool
    currency: str
    authorized: int
    captured: int
    capturing: int
    refunded: int
    refunding: int
    card_brand: str
    card_last4: str
    card_expiry_month: int
    card_expiry_year: int
    card_token: str
    reference: str
    decline_code: str | None
    create_time: datetime
    update_time: datetime
    expire_time: datetime

    def capturable(self, now: datetime) -> int:
        """Return what a capture may still take: 0 whenever one would be refused."""
        if not self.is_open or self.refunded or self.refunding or now >= self.expire_time:
            return 0
        return self.authorized - self.captured - self.capturing

    @property
    def refundable(self) -> int:
        """What a refund may still give back."""
        return self.captured - self.refunded - self.refunding


class ActionView(NamedTuple):
    """An action. Its amount is minor units of `currency`, times are aware."""

    id: str
    payment_id: str
    type: str
    status: str
    currency: str
    minor_units: int
    reference: str
    decline_code: str | None
    approval_code: str
    sequence: int
    create_time: datetime
    update_time: datetime


def view_of(payment: Payment) -> PaymentView:
    """Return the payment as it is looked at."""
    card = payment.card
    return PaymentView(
        payment.id,
        payment.status,
        payment.authorization is Authorization.APPROVED and payment.hold is Hold.OPEN,
        payment.authorized.currency,
        payment.authorized.minor_units,
        payment.captured.minor_units,
        payment.capturing.minor_units,
        payment.refunded.minor_units,
        payment.refunding.minor_units,
        card.brand,
        card.last4,
        card.expiry.month,
        card.expiry.year,
        card.token,
        payment.reference,
        payment.decline,
        payment.create_time,
        payment.update_time,
        payment.expire_time,
    )


def action_view_of(action: Action) -> ActionView:
    """Return the action as it is looked at."""
    return ActionView(
        action.id,
        action.payment_id,
        action.type,
        action.status,
        action.amount.currency,
        action.amount.minor_units,
        action.reference,
        action.decline,
        action.approval_code,
        action.sequence,
        action.create_time,
        action.update_time,
    )
