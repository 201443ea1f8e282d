"""Domain values to rows of the database and back."""

from pkg.card import Brand, Expiry
from pkg.money import Money
from pkg.sql import Row
from services.payments.domain.action import Action, ActionStatus, ActionType
from services.payments.domain.outcome import DeclineCode
from services.payments.domain.payment import Card, Payment
from services.payments.domain.status import Authorization


def payment_columns(payment: Payment) -> tuple[object, ...]:
    """Return a payment's columns in the order of `commit.sql`, `merchant_id` to `expire_time`."""
    return (
        payment.merchant_id,
        payment.id,
        payment.version,
        payment.status,
        payment.authorization,
        payment.authorization_id,
        payment.authorized.currency,
        payment.authorized.minor_units,
        payment.captured.minor_units,
        payment.refunded.minor_units,
        payment.capturing.minor_units,
        payment.refunding.minor_units,
        payment.closing,
        payment.closed,
        payment.voiding,
        payment.voided,
        payment.reversing,
        payment.expiring,
        payment.expired,
        payment.card.brand,
        payment.card.last4,
        payment.card.expiry.month,
        payment.card.expiry.year,
        payment.card.fingerprint,
        payment.card.token,
        payment.reference,
        payment.decline,
        payment.last_sequence,
        payment.create_time,
        payment.update_time,
        payment.expire_time,
    )


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
        closing=row["closing"],
        closed=row["closed"],
        voiding=row["voiding"],
        voided=row["voided"],
        reversing=row["reversing"],
        expiring=row["expiring"],
        expired=row["expired"],
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


def action_columns(order: int, merchant_id: str, action: Action) -> tuple[object, ...]:
    """Return an action's columns in the order of `commit.sql`, `ord` to `update_time`."""
    return (
        order,
        merchant_id,
        action.id,
        action.payment_id,
        action.type,
        action.status,
        action.amount.currency,
        action.amount.minor_units,
        action.final,
        action.reference,
        action.decline,
        action.sequence,
        action.idempotency_key,
        action.create_time,
        action.update_time,
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
        sequence=row["action_sequence"],
        idempotency_key=row["action_idempotency_key"],
        create_time=row["action_create_time"],
        update_time=row["action_update_time"],
    )


def _decline(code: str | None) -> DeclineCode | None:
    return None if code is None else DeclineCode(code)
