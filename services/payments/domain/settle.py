"""What the bank's answer does to a payment: the second half of every verb."""

from datetime import datetime
from typing import TypedDict, assert_never

from pkg.values import changed
from services.payments.domain.action import Action, ActionStatus, ActionType
from services.payments.domain.hold import Hold
from services.payments.domain.money import Money
from services.payments.domain.outcome import Approved, DeclineCode, Declined, Final, Rejected
from services.payments.domain.payment import Payment
from services.payments.domain.status import Authorization


class _Changes(TypedDict, total=False):
    authorization: Authorization
    decline: DeclineCode | None
    captured: Money
    capturing: Money
    refunded: Money
    refunding: Money
    hold: Hold


def settle(
    payment: Payment, action: Action, answer: Final, now: datetime
) -> tuple[Payment, Action] | None:
    """Return the payment and the action as they are after the bank's answer.

    None when there is nothing to settle, so that two settlers of one action are harmless: the
    action has ended already, or its authorization is being reversed and only the reversal counts.
    """
    if action.status is not ActionStatus.PENDING:
        return None
    if action.type is ActionType.AUTHORIZE and payment.reversing:
        return None
    ended = _end(action, answer, now)
    return changed(
        payment, version=payment.version + 1, update_time=now, **_effect(payment, ended)
    ), ended


def settle_reversal(
    payment: Payment, reversal: Action, authorization: Action, now: datetime
) -> tuple[Payment, Action, Action] | None:
    """Return the failed payment, the reversal and the failed authorization; None if done before."""
    if reversal.status is not ActionStatus.PENDING:
        return None
    failed = changed(
        payment,
        authorization=Authorization.FAILED,
        reversing=False,
        version=payment.version + 1,
        update_time=now,
    )
    return (
        failed,
        reversal.ended(ActionStatus.SUCCEEDED, now),
        authorization.ended(ActionStatus.FAILED, now),
    )


def settle_expiry(payment: Payment, expiry: Action, now: datetime) -> tuple[Payment, Action] | None:
    """Return the payment without its hold, and the expiry; None if done before.

    Without a capture it is EXPIRED; with one it keeps what was captured, and is CAPTURED.
    """
    if expiry.status is not ActionStatus.PENDING:
        return None
    over = changed(
        payment,
        hold=Hold.CLOSED if payment.captured else Hold.EXPIRED,
        version=payment.version + 1,
        update_time=now,
    )
    return over, expiry.ended(ActionStatus.SUCCEEDED, now)


def _end(action: Action, answer: Final, now: datetime) -> Action:
    match answer:
        case Approved(code):
            return action.ended(ActionStatus.SUCCEEDED, now, approval_code=code)
        case Declined(code):
            return action.ended(ActionStatus.DECLINED, now, decline=code)
        case Rejected():
            return action.ended(ActionStatus.FAILED, now)
        case _:
            assert_never(answer)


def _effect(payment: Payment, ended: Action) -> _Changes:
    done = ended.status is ActionStatus.SUCCEEDED
    match ended.type:
        case ActionType.AUTHORIZE:
            return {"authorization": _AUTHORIZATION[ended.status], "decline": ended.decline}
        case ActionType.CAPTURE:
            return {
                "capturing": payment.capturing - ended.amount,
                "captured": payment.captured + ended.amount if done else payment.captured,
                "hold": _after(done, Hold.CLOSED) if ended.final else payment.hold,
            }
        case ActionType.REFUND:
            return {
                "refunding": payment.refunding - ended.amount,
                "refunded": payment.refunded + ended.amount if done else payment.refunded,
                # The bank releases the rest with it, as an expiry that is under way does.
                "hold": Hold.CLOSED if done and payment.hold is Hold.OPEN else payment.hold,
            }
        case ActionType.VOID:
            end = Hold.CLOSED if ended.final else Hold.VOIDED
            return {"hold": _after(done, end)}
        case ActionType.EXPIRE | ActionType.REVERSE:
            raise ValueError(f"{ended.type} has no answer to settle by")
        case _:
            assert_never(ended.type)


def _after(done: bool, end: Hold) -> Hold:
    """Return the hold after what was to end it, which nothing else could meanwhile."""
    return end if done else Hold.OPEN


_AUTHORIZATION = {
    ActionStatus.SUCCEEDED: Authorization.APPROVED,
    ActionStatus.DECLINED: Authorization.DECLINED,
    ActionStatus.FAILED: Authorization.FAILED,
}
