"""Void: cancel before anything was captured, or release what no capture has taken."""

from datetime import datetime
from typing import ClassVar

from pkg.values import value
from services.payments.domain.action import Action, ActionType
from services.payments.domain.payment import Payment


@value(frozen=True, slots=True, kw_only=True)
class Void:
    """The request, checked and normalised. `remainder`: only what no capture has taken."""

    rpc: ClassVar[ActionType] = ActionType.VOID
    merchant_id: str
    payment_id: str
    remainder: bool
    reference: str
    idempotency_key: str | None

    def fields(self) -> tuple[str | int | bool, ...]:
        """Return all that makes two requests the same."""
        # As it was before there was a choice: a key may be older than that.
        return self.payment_id, self.reference, *(("remainder",) if self.remainder else ())

    def begun(self, payment: Payment, *, action_id: str, now: datetime) -> tuple[Payment, Action]:
        """Begin it: nothing else that ends the hold can begin meanwhile."""
        begin = payment.void_remainder if self.remainder else payment.void
        return begin(action_id=action_id, reference=self.reference, now=now)
