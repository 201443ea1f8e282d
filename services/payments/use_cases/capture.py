"""Capture: take all or part of the reserved money."""

from datetime import datetime
from typing import ClassVar

from pkg.values import value
from services.payments.domain.action import Action, ActionType
from services.payments.domain.money import Money
from services.payments.domain.payment import Payment


@value(frozen=True, slots=True, kw_only=True)
class Capture:
    """The request, checked and normalised."""

    rpc: ClassVar[ActionType] = ActionType.CAPTURE
    merchant_id: str
    payment_id: str
    amount: Money
    final: bool
    reference: str
    idempotency_key: str | None

    def fields(self) -> tuple[str | int | bool, ...]:
        """Return all that makes two requests the same."""
        amount = self.amount
        return self.payment_id, amount.minor_units, amount.currency, self.final, self.reference

    def begun(self, payment: Payment, *, action_id: str, now: datetime) -> tuple[Payment, Action]:
        """Reserve the amount for it."""
        return payment.capture(
            self.amount,
            final=self.final,
            action_id=action_id,
            reference=self.reference,
            now=now,
        )
