"""The rules of a payment: every verb in every state, and what each state makes available."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from services.payments.domain import errors
from services.payments.domain.action import Action, ActionStatus
from services.payments.domain.money import Money
from services.payments.domain.payment import Payment
from services.payments.domain.status import Status
from services.payments.domain.views import view_of
from tests.builders import LATER, authorized, capture, captured, gbp, refund, void, void_remainder
from tests.unit.payment_states import EXPIRED_NOW, STATES

VERBS: dict[str, Callable[[Payment], tuple[Payment, Action]]] = {
    "capture 1": lambda payment: capture(payment, 1),
    "capture 1001": lambda payment: capture(payment, 1001),
    "capture 1, late": lambda payment: capture(payment, 1, now=EXPIRED_NOW),
    "void": void,
    "void, late": lambda payment: void(payment, now=EXPIRED_NOW),
    "void the rest": void_remainder,
    "void the rest, late": lambda payment: void_remainder(payment, now=EXPIRED_NOW),
    "refund 1": lambda payment: refund(payment, 1),
    "refund 1001": lambda payment: refund(payment, 1001),
    "refund 1, late": lambda payment: refund(payment, 1, now=EXPIRED_NOW),
    "capture 1 in EUR": lambda payment: payment.capture(
        Money(1, "EUR"), final=False, action_id="act_x", reference="", now=LATER
    ),
    "refund 1 in EUR": lambda payment: payment.refund(
        Money(1, "EUR"), action_id="act_x", reference="", now=LATER
    ),
}

# What each verb says in each state, in the order of VERBS; "ok" is no refusal.
#  capture: 1, too much, late | void: now, late | the rest: now, late | refund: 1, too much, late
TABLE = {
    "pending": (
        "pending pending pending | pending pending | pending pending | pending pending pending"
    ),
    "declined": (
        "declined declined declined | declined declined "
        "| declined declined | declined declined declined"
    ),
    "failed": "failed failed failed | failed failed | failed failed | failed failed failed",
    "reversing": (
        "pending pending pending | pending pending | pending pending | pending pending pending"
    ),
    "authorized": (
        "ok capturable expired | ok expired | uncaptured uncaptured "
        "| uncaptured uncaptured uncaptured"
    ),
    "capturing 400": (
        "ok capturable expired | pending pending | pending pending | pending pending pending"
    ),
    "capturing all": (
        "capturable capturable expired | pending pending "
        "| pending pending | pending pending pending"
    ),
    "capturing 400 finally": (
        "pending pending pending | pending pending | pending pending | pending pending pending"
    ),
    "captured 400": "ok capturable expired | captured captured | ok expired | ok refundable ok",
    "captured 400, releasing 600": (
        "pending pending pending | pending pending | pending pending | pending pending pending"
    ),
    "captured 400, released 600": (
        "capturable capturable expired | captured captured | nothing nothing | ok refundable ok"
    ),
    "captured 400, capturing 600": (
        "capturable capturable expired | captured captured "
        "| pending pending | pending pending pending"
    ),
    "captured 400 finally": (
        "capturable capturable expired | captured captured | nothing nothing | ok refundable ok"
    ),
    "captured all": (
        "capturable capturable expired | captured captured | nothing nothing | ok refundable ok"
    ),
    "captured 400, refunding 100": (
        "pending pending pending | captured captured | pending pending | ok refundable ok"
    ),
    "captured 400, refunding all": (
        "pending pending pending | captured captured "
        "| pending pending | refundable refundable refundable"
    ),
    "captured 400, refunded 100": (
        "refunded refunded refunded | refunded refunded | refunded refunded | ok refundable ok"
    ),
    "captured 400, refunded 100, refunding 300": (
        "refunded refunded refunded | refunded refunded "
        "| refunded refunded | refundable refundable refundable"
    ),
    "captured 400, refunded all": (
        "refunded refunded refunded | refunded refunded "
        "| refunded refunded | refundable refundable refundable"
    ),
    "voiding": (
        "pending pending pending | pending pending | pending pending | pending pending pending"
    ),
    "voided": "voided voided voided | voided voided | voided voided | voided voided voided",
    "expired": (
        "expired expired expired | expired expired | expired expired | expired expired expired"
    ),
    # It is late for everybody, though a clock may be behind the one that has begun the expiry.
    "expiring": (
        "expired expired expired | expired expired "
        "| uncaptured uncaptured | uncaptured uncaptured uncaptured"
    ),
    "captured 400, expiring": (
        "expired expired expired | captured captured | expired expired | ok refundable ok"
    ),
    "captured 400, refunded 100, expiring": (
        "refunded refunded refunded | refunded refunded | refunded refunded | ok refundable ok"
    ),
    "captured 400, expired": (
        "capturable capturable expired | captured captured | nothing nothing | ok refundable ok"
    ),
}

REFUSALS: dict[str, type[errors.PaymentsError] | None] = {
    "ok": None,
    "pending": errors.ActionPendingError,
    "declined": errors.PaymentDeclinedError,
    "failed": errors.PaymentFailedError,
    "voided": errors.PaymentVoidedError,
    "expired": errors.PaymentExpiredError,
    "captured": errors.PaymentCapturedError,
    "nothing": errors.NothingLeftError,
    "refunded": errors.PaymentRefundedError,
    "uncaptured": errors.NotCapturedError,
    "capturable": errors.AmountExceedsCapturableError,
    "refundable": errors.AmountExceedsRefundableError,
    "currency": errors.CurrencyMismatchError,
}

CASES = [
    (state, verb, word)
    for state, words in TABLE.items()
    for verb, word in zip(
        VERBS, [*words.replace("|", "").split(), "currency", "currency"], strict=True
    )
]


def test_the_table_holds_every_state() -> None:
    """No state is left out of the table."""
    assert set(TABLE) == set(STATES)


@pytest.mark.parametrize(("state", "verb", "word"), CASES)
def test_guards(state: str, verb: str, word: str) -> None:
    """Every verb in every state does it or names the refusal that the ladder puts first."""
    payment, refusal = STATES[state], REFUSALS[word]
    if refusal:
        with pytest.raises(refusal) as raised:
            VERBS[verb](payment)
        assert raised.type is refusal
        return
    after, action = VERBS[verb](payment)
    assert (after.version, action.sequence) == (payment.version + 1, payment.last_sequence + 1)
    assert action.status is ActionStatus.PENDING


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("now", [LATER, EXPIRED_NOW], ids=["in time", "late"])
def test_capturable_is_what_a_capture_may_take(state: str, now: object) -> None:
    """A capture of `capturable` goes through and one more is refused; 0 if none goes through."""
    payment, time = STATES[state], LATER if now == LATER else EXPIRED_NOW
    available = view_of(payment).capturable(time)
    if available:
        capture(payment, available, now=time)
    with pytest.raises(errors.PaymentsError):
        capture(payment, available + 1, now=time)


@pytest.mark.parametrize(
    ("state", "status", "capturable", "refundable"),
    [
        ("pending", Status.PENDING, 0, 0),
        ("declined", Status.DECLINED, 0, 0),
        ("failed", Status.FAILED, 0, 0),
        ("reversing", Status.PENDING, 0, 0),
        ("authorized", Status.AUTHORIZED, 1000, 0),
        ("capturing 400", Status.AUTHORIZED, 600, 0),
        ("capturing all", Status.AUTHORIZED, 0, 0),
        ("capturing 400 finally", Status.AUTHORIZED, 0, 0),
        ("captured 400", Status.PARTIALLY_CAPTURED, 600, 400),
        ("captured 400, releasing 600", Status.PARTIALLY_CAPTURED, 0, 400),
        ("captured 400, released 600", Status.CAPTURED, 0, 400),
        ("captured 400, capturing 600", Status.PARTIALLY_CAPTURED, 0, 400),
        ("captured 400 finally", Status.CAPTURED, 0, 400),
        ("captured all", Status.CAPTURED, 0, 1000),
        ("captured 400, refunding 100", Status.PARTIALLY_CAPTURED, 0, 300),
        ("captured 400, refunding all", Status.PARTIALLY_CAPTURED, 0, 0),
        ("captured 400, refunded 100", Status.PARTIALLY_REFUNDED, 0, 300),
        ("captured 400, refunded 100, refunding 300", Status.PARTIALLY_REFUNDED, 0, 0),
        ("captured 400, refunded all", Status.REFUNDED, 0, 0),
        ("voiding", Status.AUTHORIZED, 0, 0),
        ("voided", Status.VOIDED, 0, 0),
        ("expired", Status.EXPIRED, 0, 0),
        ("expiring", Status.AUTHORIZED, 0, 0),
        ("captured 400, expiring", Status.PARTIALLY_CAPTURED, 0, 400),
        ("captured 400, refunded 100, expiring", Status.PARTIALLY_REFUNDED, 0, 300),
        ("captured 400, expired", Status.CAPTURED, 0, 400),
    ],
)
def test_status_and_what_is_available(
    state: str, status: Status, capturable: int, refundable: int
) -> None:
    """Status, capturable and refundable follow from the facts."""
    payment = STATES[state]
    assert payment.status is status
    assert payment.refundable == gbp(refundable)
    view = view_of(payment)
    assert (view.status, view.capturable(LATER), view.refundable) == (
        status,
        capturable,
        refundable,
    )


def test_refusals_say_what_is_available() -> None:
    """An amount that is too large is refused with what was requested and what is left."""
    with pytest.raises(errors.AmountExceedsCapturableError) as refused:
        capture(captured(authorized(), 400), 601)
    assert refused.value.metadata == {"requested": "601", "available": "600", "currency": "GBP"}
    with pytest.raises(errors.AmountExceedsRefundableError) as over:
        refund(captured(authorized(), 400), 401)
    assert over.value.metadata == {"requested": "401", "available": "400", "currency": "GBP"}


def test_an_authorization_lasts_until_its_expire_time() -> None:
    """A capture goes through to the last microsecond before `expire_time`, and not at it."""
    capture(authorized(), 1, now=EXPIRED_NOW - timedelta(microseconds=1))
    with pytest.raises(errors.PaymentExpiredError):
        capture(authorized(), 1, now=EXPIRED_NOW)
