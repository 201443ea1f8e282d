"""Refund: give captured money back."""

from datetime import datetime
from typing import ClassVar

from pkg.values import value
from services.payments.domain.action import Action, ActionType
from services.payments.domain.money import Money
from services.payments.domain.payment import Payment


@value(frozen=True, slots=True, kw_only=True)
class Refund:
    """The request, checked and normalised."""

    rpc: ClassVar[ActionType] = ActionType.REFUND
    merchant_id: str
    payment_id: str
    amount: Money
    reference: str
    idempotency_key: str | None

    def fields(self) -> tuple[str | int | bool, ...]:
        """Return all that makes two requests the same."""
        return self.payment_id, self.amount.minor_units, self.amount.currency, self.reference

    def begun(self, payment: Payment, *, action_id: str, now: datetime) -> tuple[Payment, Action]:
        """Reserve the amount for it."""
        return payment.refund(self.amount, action_id=action_id, reference=self.reference, now=now)
