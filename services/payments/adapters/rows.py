"""Domain values to rows of the database and back."""

from enum import Enum

from pkg.postgres.sql import Row
from services.payments.domain.action import Action, ActionStatus, ActionType
from services.payments.domain.card import Brand, Card, Expiry
from services.payments.domain.hold import Hold
from services.payments.domain.money import Money
from services.payments.domain.outcome import DeclineCode
from services.payments.domain.payment import Payment
from services.payments.domain.status import Authorization
from services.payments.ports import Change


class Step(Enum):
    """Which of the steps of an action a change is, by the name of its statement."""

    OPEN = "open"  # a payment begins, with its authorization
    BEGIN = "begin"  # an action begins on a payment
    SETTLE_AUTHORIZE = "settle_authorize"  # an authorization has ended
    SETTLE_OPERATION = "settle_operation"  # a capture, void or refund has ended
    SETTLE = "settle"  # any other action has ended


def step_of(change: Change) -> Step:
    """Return which step a change is."""
    if change.payment.version == 1:
        return Step.OPEN
    action = change.actions[0]
    if action.status is ActionStatus.PENDING:
        return Step.BEGIN
    if change.event is None or len(change.actions) > 1:
        return Step.SETTLE
    if action.type is ActionType.AUTHORIZE and change.payment.version == 2:
        return Step.SETTLE_AUTHORIZE
    return Step.SETTLE_OPERATION if action.type in _OPERATIONS else Step.SETTLE


def opening_columns(change: Change) -> tuple[object, ...]:
    """Return what `open.sql` takes of a payment that begins, in its order."""
    payment, card = change.payment, change.card
    kept = payment.card
    return (
        payment.merchant_id,
        payment.id,
        payment.authorization_id,
        payment.authorized.currency,
        payment.authorized.minor_units,
        kept.brand,
        kept.last4,
        kept.expiry.month,
        kept.expiry.year,
        kept.fingerprint,
        kept.token,
        payment.reference,
        payment.create_time,
        payment.expire_time,
        change.actions[0].idempotency_key,
        change.fingerprint,
        card and card.data_key_id,
        card and card.ciphertext,
    )


def beginning_columns(change: Change) -> tuple[object, ...]:
    """Return what `begin.sql` takes of an action that begins, in its order."""
    payment, action = change.payment, change.actions[0]
    hold = payment.hold
    return (
        payment.merchant_id,
        payment.id,
        payment.version,
        payment.capturing.minor_units,
        payment.refunding.minor_units,
        hold in _CLOSING,
        hold is Hold.VOIDING,
        payment.reversing,
        hold is Hold.EXPIRING,
        payment.last_sequence,
        payment.update_time,
        action.id,
        action.type,
        action.amount.minor_units,
        action.final,
        action.reference,
        action.idempotency_key,
        change.fingerprint,
    )


def settling_authorize_columns(change: Change, payload: bytes | None) -> tuple[object, ...]:
    """Return what `settle_authorize.sql` takes of an authorization that has ended, in its order."""
    payment, action, event = change.payment, change.actions[0], change.event
    assert event is not None
    return (
        payment.merchant_id,
        payment.id,
        payment.status,
        payment.authorization,
        payment.decline,
        payment.update_time,
        action.id,
        action.status,
        action.approval_code,
        action.idempotency_key,
        change.reply,
        event.id,
        event.type,
        payload,
    )


def settling_operation_columns(change: Change, payload: bytes | None) -> tuple[object, ...]:
    """Return what `settle_operation.sql` takes of an operation that has ended, in its order."""
    payment, action, event = change.payment, change.actions[0], change.event
    assert event is not None
    hold = payment.hold
    return (
        payment.merchant_id,
        payment.id,
        payment.version,
        payment.status,
        payment.captured.minor_units,
        payment.refunded.minor_units,
        payment.capturing.minor_units,
        payment.refunding.minor_units,
        hold in _CLOSING,
        hold is Hold.CLOSED,
        hold is Hold.VOIDING,
        hold is Hold.VOIDED,
        payment.update_time,
        action.id,
        action.type,
        action.status,
        action.decline,
        action.approval_code,
        action.idempotency_key,
        change.reply,
        event.id,
        event.type,
        payload,
    )


def settling_columns(change: Change, payload: bytes | None) -> tuple[object, ...]:
    """Return what `settle.sql` takes of an action that has ended, in its order."""
    action, event = change.actions[0], change.event
    second = change.actions[1] if len(change.actions) > 1 else None
    return (
        *_standing_columns(change.payment),
        action.id,
        action.type,
        action.status,
        action.decline,
        action.idempotency_key,
        change.reply,
        second and second.id,
        second and second.status,
        event and event.id,
        event and event.type,
        payload,
        action.approval_code,
    )


def _standing_columns(payment: Payment) -> tuple[object, ...]:
    """Return what an action may change of a payment, and which one it is."""
    return (
        payment.merchant_id,
        payment.id,
        payment.version,
        payment.status,
        payment.authorization,
        payment.captured.minor_units,
        payment.refunded.minor_units,
        payment.capturing.minor_units,
        payment.refunding.minor_units,
        payment.hold in _CLOSING,
        payment.hold is Hold.CLOSED,
        payment.hold is Hold.VOIDING,
        payment.hold is Hold.VOIDED,
        payment.reversing,
        payment.hold is Hold.EXPIRING,
        payment.hold is Hold.EXPIRED,
        payment.decline,
        payment.last_sequence,
        payment.update_time,
    )


SETTLING = {
    Step.SETTLE_AUTHORIZE: settling_authorize_columns,
    Step.SETTLE_OPERATION: settling_operation_columns,
    Step.SETTLE: settling_columns,
}
_OPERATIONS = frozenset({ActionType.CAPTURE, ActionType.VOID, ActionType.REFUND})


def payment_of(row: Row) -> Payment:
    """Return the payment in a row of `payments`."""
    currency = row["currency"]
    return Payment(
        merchant_id=row["merchant_id"],
        id=row["id"],
        version=row["version"],
        authorization=Authorization(row["authorization_state"]),
        authorization_id=row["authorization_id"],
        authorized=Money(row["authorized"], currency),
        captured=Money(row["captured"], currency),
        refunded=Money(row["refunded"], currency),
        capturing=Money(row["capturing"], currency),
        refunding=Money(row["refunding"], currency),
        hold=_hold(row),
        reversing=row["reversing"],
        card=Card(
            brand=Brand(row["card_brand"]),
            last4=row["card_last4"],
            expiry=Expiry(row["card_expiry_year"], row["card_expiry_month"]),
            fingerprint=row["card_fingerprint"],
            token=row["card_token"],
        ),
        reference=row["reference"],
        decline=_decline(row["decline_code"]),
        last_sequence=row["last_sequence"],
        create_time=row["create_time"],
        update_time=row["update_time"],
        expire_time=row["expire_time"],
    )


def action_of(row: Row, *, payment_id: str) -> Action:
    """Return the action in a row whose columns are prefixed with `action_`."""
    return Action(
        id=row["action_id"],
        payment_id=payment_id,
        type=ActionType(row["action_type"]),
        status=ActionStatus(row["action_status"]),
        amount=Money(row["action_minor_units"], row["currency"]),
        final=row["action_final"],
        reference=row["action_reference"],
        decline=_decline(row["action_decline_code"]),
        approval_code=row["action_approval_code"],
        sequence=row["action_sequence"],
        idempotency_key=row["action_idempotency_key"],
        create_time=row["action_create_time"],
        update_time=row["action_update_time"],
    )


def _hold(row: Row) -> Hold:
    """Return the state that a row's flags stand for: one of them at most is set.

    A version before this one could set `closed` beside `expiring`, and that is EXPIRING. RELEASING
    is `closing` without a capture under way: to such a version the hold is about to be closed.
    """
    if row["closing"] and not row["capturing"]:
        return Hold.RELEASING
    for flag, hold in _HOLDS:
        if row[flag]:
            return hold
    return Hold.OPEN


_CLOSING = {Hold.CLOSING, Hold.RELEASING}
_HOLDS = (
    ("expiring", Hold.EXPIRING),
    ("closed", Hold.CLOSED),
    ("closing", Hold.CLOSING),
    ("voiding", Hold.VOIDING),
    ("voided", Hold.VOIDED),
    ("expired", Hold.EXPIRED),
)


def _decline(code: str | None) -> DeclineCode | None:
    return None if code is None else DeclineCode(code)
