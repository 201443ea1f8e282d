"""One thing done to a payment."""

from datetime import datetime
from enum import StrEnum

from pkg.values import changed, value
from services.payments.domain.money import Money
from services.payments.domain.outcome import DeclineCode


class ActionType(StrEnum):
    """What was done."""

    AUTHORIZE = "AUTHORIZE"
    CAPTURE = "CAPTURE"
    VOID = "VOID"
    REFUND = "REFUND"
    EXPIRE = "EXPIRE"
    REVERSE = "REVERSE"


class ActionStatus(StrEnum):
    """How it ended. PENDING is the only one that can still change."""

    PENDING = "PENDING"
    SUCCEEDED = "SUCCEEDED"
    DECLINED = "DECLINED"
    FAILED = "FAILED"


@value(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing done to a payment. Its id is the reference that the bank knows it by.

    It carries the client's idempotency key, so that whoever settles it can store the reply.
    `approval_code` is the bank's, and empty until it approved. `final`: it releases what no capture
    has taken and leaves what was captured, as a final capture does and the void of a remainder.
    """

    id: str
    payment_id: str
    type: ActionType
    status: ActionStatus = ActionStatus.PENDING
    amount: Money
    final: bool = False
    reference: str
    decline: DeclineCode | None = None
    approval_code: str = ""
    sequence: int
    idempotency_key: str | None = None
    create_time: datetime
    update_time: datetime

    def ended(
        self,
        status: ActionStatus,
        now: datetime,
        *,
        decline: DeclineCode | None = None,
        approval_code: str = "",
    ) -> "Action":
        """Return the action as it ended."""
        return changed(
            self, status=status, decline=decline, approval_code=approval_code, update_time=now
        )
