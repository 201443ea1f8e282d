"""Where a payment stands: derived from its amounts and facts, here and nowhere else."""

from enum import StrEnum
from typing import TYPE_CHECKING, assert_never

from services.payments.domain.hold import Hold

if TYPE_CHECKING:
    from services.payments.domain.payment import Payment


class Authorization(StrEnum):
    """What became of the request to reserve the amount."""

    PENDING = "PENDING"
    APPROVED = "APPROVED"
    DECLINED = "DECLINED"
    FAILED = "FAILED"


class Status(StrEnum):
    """A payment's status as clients see it."""

    PENDING = "PENDING"
    AUTHORIZED = "AUTHORIZED"
    DECLINED = "DECLINED"
    FAILED = "FAILED"
    PARTIALLY_CAPTURED = "PARTIALLY_CAPTURED"
    CAPTURED = "CAPTURED"
    PARTIALLY_REFUNDED = "PARTIALLY_REFUNDED"
    REFUNDED = "REFUNDED"
    VOIDED = "VOIDED"
    EXPIRED = "EXPIRED"


def status_of(payment: "Payment") -> Status:
    """Return the status that the payment's facts amount to."""
    match payment.authorization:
        case Authorization.PENDING:
            return Status.PENDING
        case Authorization.DECLINED:
            return Status.DECLINED
        case Authorization.FAILED:
            return Status.FAILED
        case Authorization.APPROVED:
            return _status_of_approved(payment)
        case _:
            assert_never(payment.authorization)


def _status_of_approved(payment: "Payment") -> Status:
    if payment.hold is Hold.VOIDED:
        return Status.VOIDED
    if payment.hold is Hold.EXPIRED:
        return Status.EXPIRED
    if payment.refunded:
        all_back = payment.refunded == payment.captured
        return Status.REFUNDED if all_back else Status.PARTIALLY_REFUNDED
    if not payment.captured:
        return Status.AUTHORIZED
    nothing_left = payment.hold is Hold.CLOSED or payment.captured == payment.authorized
    return Status.CAPTURED if nothing_left else Status.PARTIALLY_CAPTURED
