"""Facts that others may act on, one per change that is final."""

from datetime import datetime
from enum import StrEnum

from pkg.values import value
from services.payments.domain.action import Action, ActionStatus, ActionType
from services.payments.domain.payment import Payment


class EventType(StrEnum):
    """What became true."""

    AUTHORIZED = "payment.authorized"
    DECLINED = "payment.declined"
    FAILED = "payment.failed"
    CAPTURED = "payment.captured"
    CAPTURE_DECLINED = "payment.capture_declined"
    CAPTURE_FAILED = "payment.capture_failed"
    VOIDED = "payment.voided"
    REMAINDER_VOIDED = "payment.remainder_voided"
    VOID_DECLINED = "payment.void_declined"
    VOID_FAILED = "payment.void_failed"
    REFUNDED = "payment.refunded"
    REFUND_DECLINED = "payment.refund_declined"
    REFUND_FAILED = "payment.refund_failed"
    EXPIRED = "payment.expired"


_TYPES = {
    (ActionType.AUTHORIZE, ActionStatus.SUCCEEDED): EventType.AUTHORIZED,
    (ActionType.AUTHORIZE, ActionStatus.DECLINED): EventType.DECLINED,
    (ActionType.AUTHORIZE, ActionStatus.FAILED): EventType.FAILED,
    (ActionType.CAPTURE, ActionStatus.SUCCEEDED): EventType.CAPTURED,
    (ActionType.CAPTURE, ActionStatus.DECLINED): EventType.CAPTURE_DECLINED,
    (ActionType.CAPTURE, ActionStatus.FAILED): EventType.CAPTURE_FAILED,
    (ActionType.VOID, ActionStatus.SUCCEEDED): EventType.VOIDED,
    (ActionType.VOID, ActionStatus.DECLINED): EventType.VOID_DECLINED,
    (ActionType.VOID, ActionStatus.FAILED): EventType.VOID_FAILED,
    (ActionType.REFUND, ActionStatus.SUCCEEDED): EventType.REFUNDED,
    (ActionType.REFUND, ActionStatus.DECLINED): EventType.REFUND_DECLINED,
    (ActionType.REFUND, ActionStatus.FAILED): EventType.REFUND_FAILED,
    (ActionType.EXPIRE, ActionStatus.SUCCEEDED): EventType.EXPIRED,
}


@value(frozen=True, slots=True)
class Origin:
    """The request that made something happen, as the log and a trace name it.

    Both are empty for what nobody has asked for, such as an expiry.
    """

    request_id: str = ""
    traceparent: str = ""


NOBODY = Origin()


@value(frozen=True, slots=True, kw_only=True)
class Event:
    """One fact, with the payment as it was then. `sequence` is the payment's version."""

    id: str
    type: EventType
    sequence: int
    create_time: datetime
    action: Action
    payment: Payment
    origin: Origin = NOBODY


def event_of(payment: Payment, action: Action, *, event_id: str, origin: Origin = NOBODY) -> Event:
    """Return the fact that `action`, just ended, has made true."""
    kind = _TYPES[action.type, action.status]
    if kind is EventType.VOIDED and action.final:
        kind = EventType.REMAINDER_VOIDED  # the payment was captured, and is not voided
    return Event(
        id=event_id,
        type=kind,
        sequence=payment.version,
        create_time=action.update_time,
        action=action,
        payment=payment,
        origin=origin,
    )
