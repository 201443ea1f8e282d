"""The rules of a payment: every verb in every state, and what the bank's answers make of them."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from services.payments.domain import errors
from services.payments.domain.action import Action, ActionStatus
from services.payments.domain.event import EventType, event_of
from services.payments.domain.hold import Hold
from services.payments.domain.money import Money
from services.payments.domain.outcome import Approved, DeclineCode, Declined, Final, Rejected
from services.payments.domain.payment import Payment
from services.payments.domain.settle import settle, settle_expiry, settle_reversal
from services.payments.domain.status import Status
from services.payments.domain.views import view_of
from tests.builders import (
    LATER,
    LIFETIME,
    NOW,
    authorized,
    begun,
    capture,
    captured,
    gbp,
    refund,
    refunded,
    settled,
    void,
    void_remainder,
)

NO = Declined(DeclineCode.CARD_DECLINED)
EXPIRED_NOW = NOW + LIFETIME

STATES: dict[str, Payment] = {
    "pending": begun()[0],
    "declined": settled(begun(), NO)[0],
    "failed": settled(begun(), Rejected())[0],
    "reversing": begun()[0].reverse(action_id="act_r", now=LATER)[0],
    "authorized": authorized(),
    "capturing 400": capture(authorized(), 400)[0],
    "capturing all": capture(authorized(), 1000)[0],
    "capturing 400 finally": capture(authorized(), 400, final=True)[0],
    "captured 400": captured(authorized(), 400),
    "captured 400, releasing 600": void_remainder(captured(authorized(), 400))[0],
    "captured 400, released 600": settled(void_remainder(captured(authorized(), 400)))[0],
    "captured 400, capturing 600": capture(captured(authorized(), 400), 600)[0],
    "captured 400 finally": captured(authorized(), 400, final=True),
    "captured all": captured(authorized(), 1000),
    "captured 400, refunding 100": refund(captured(authorized(), 400), 100)[0],
    "captured 400, refunding all": refund(captured(authorized(), 400), 400)[0],
    "captured 400, refunded 100": refunded(captured(authorized(), 400), 100),
    "captured 400, refunded 100, refunding 300": refund(
        refunded(captured(authorized(), 400), 100), 300
    )[0],
    "captured 400, refunded all": refunded(captured(authorized(), 400), 400),
    "voiding": void(authorized())[0],
    "voided": settled(void(authorized()))[0],
    "expired": replace(authorized(), hold=Hold.EXPIRED),
    "expiring": replace(authorized(), hold=Hold.EXPIRING),
    "captured 400, expiring": replace(captured(authorized(), 400), hold=Hold.EXPIRING),
    "captured 400, refunded 100, expiring": refunded(
        replace(captured(authorized(), 400), hold=Hold.EXPIRING), 100
    ),
    "captured 400, expired": replace(captured(authorized(), 400), hold=Hold.CLOSED),
}

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
        "capturable capturable expired | captured captured | captured captured | ok refundable ok"
    ),
    "captured 400, capturing 600": (
        "capturable capturable expired | captured captured "
        "| pending pending | pending pending pending"
    ),
    "captured 400 finally": (
        "capturable capturable expired | captured captured | captured captured | ok refundable ok"
    ),
    "captured all": (
        "capturable capturable expired | captured captured | captured captured | ok refundable ok"
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
        "capturable capturable expired | captured captured | captured captured | ok refundable ok"
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
        with pytest.raises(refusal):
            VERBS[verb](payment)
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


def _begun_verbs() -> dict[str, tuple[Payment, Action]]:
    return {
        "authorize": begun(),
        "capture": capture(captured(authorized(), 100), 400),
        "final capture": capture(captured(authorized(), 100), 400, final=True),
        "refund": refund(captured(authorized(), 400), 100),
        "void": void(authorized()),
        "void of the rest": void_remainder(captured(authorized(), 400)),
    }


ALL_VERBS = [*_begun_verbs()]


@pytest.mark.parametrize("verb", ALL_VERBS[1:])
@pytest.mark.parametrize(
    ("answer", "end"),
    [(NO, (ActionStatus.DECLINED, NO.code)), (Rejected(), (ActionStatus.FAILED, None))],
    ids=["declined", "rejected"],
)
def test_a_no_gives_the_reserve_back(
    verb: str, answer: Final, end: tuple[ActionStatus, DeclineCode | None]
) -> None:
    """After it the payment stands where it stood, and the same can be asked again."""
    step = _begun_verbs()[verb]
    payment, action = settled(step, answer)
    assert (action.status, action.decline) == end
    assert not payment.capturing
    assert not payment.refunding
    assert payment.hold is Hold.OPEN
    assert payment.decline is None
    assert payment.status is step[0].status


@pytest.mark.parametrize("verb", ALL_VERBS)
@pytest.mark.parametrize(
    "first", [Approved(), NO, Rejected()], ids=["approved", "declined", "rejected"]
)
def test_every_end_has_an_event(verb: str, first: Final) -> None:
    """No answer of the bank to any verb is without a fact that others can act on."""
    event = event_of(*settled(_begun_verbs()[verb], first), event_id="evt_a")
    assert event.type in EventType


@pytest.mark.parametrize("verb", ALL_VERBS)
@pytest.mark.parametrize("first", [Approved(), NO], ids=["approved", "declined"])
def test_the_second_settler_does_nothing(verb: str, first: Final) -> None:
    """Settling is a no-op once the action has ended, whatever the second answer is."""
    payment, action = settled(_begun_verbs()[verb], first)
    assert settle(payment, action, Approved(), LATER) is None
    assert settle(payment, action, NO, LATER) is None


def test_a_late_approval_does_not_stop_a_reversal() -> None:
    """Once a reversal is recorded, only the reversal settles the authorization."""
    payment, action = begun()
    reversing, reversal = payment.reverse(action_id="act_r", now=LATER)
    assert settle(reversing, action, Approved(), LATER) is None
    done = settle_reversal(reversing, reversal, action, LATER)
    assert done is not None
    failed, reversal, action = done
    assert failed.status is Status.FAILED
    assert (reversal.status, action.status) == (ActionStatus.SUCCEEDED, ActionStatus.FAILED)
    assert settle_reversal(failed, reversal, action, LATER) is None


def test_a_capture_declined_after_a_final_one_gives_nothing_back() -> None:
    """A final capture that succeeded has released the rest, whatever was under way before it."""
    first, action = capture(authorized(), 400)
    final = settled(capture(first, 100, final=True))[0]
    payment = settled((final, action), NO)[0]
    assert payment.captured == gbp(100)
    assert view_of(payment).capturable(LATER) == 0
    assert payment.status is Status.CAPTURED


def test_the_void_of_the_rest_keeps_what_was_captured() -> None:
    """It is about what is left, the payment is CAPTURED, and its event does not say voided."""
    before = captured(authorized(), 400)
    step = void_remainder(before)
    assert step[1].amount == gbp(600)
    payment, action = settled(step)
    assert (payment.status, payment.captured, payment.refundable) == (
        Status.CAPTURED,
        gbp(400),
        gbp(400),
    )
    event = event_of(payment, action, event_id="evt_a")
    assert event.type is EventType.REMAINDER_VOIDED
    declined, action = settled(step, NO)
    assert (declined.status, view_of(declined).capturable(LATER)) == (before.status, 600)
    assert event_of(declined, action, event_id="evt_b").type is EventType.VOID_DECLINED


EXPIRABLE = {"authorized", "captured 400"}


@pytest.mark.parametrize("state", STATES)
def test_what_expires(state: str) -> None:
    """Only what is still open expires, when its time is over and nothing is in flight."""
    payment = STATES[state]
    early = EXPIRED_NOW - timedelta(microseconds=1)
    assert payment.expire(action_id="act_e", now=early) is None
    begun_expiry = payment.expire(action_id="act_e", now=EXPIRED_NOW)
    assert (begun_expiry is not None) is (state in EXPIRABLE)
    if begun_expiry:
        after, action = begun_expiry
        assert action.amount == payment.uncaptured
        assert after.expire(action_id="act_f", now=EXPIRED_NOW) is None


@pytest.mark.parametrize(
    ("state", "status"),
    [("authorized", Status.EXPIRED), ("captured 400", Status.CAPTURED)],
)
def test_an_expiry_keeps_what_was_captured(state: str, status: Status) -> None:
    """AUTHORIZED becomes EXPIRED; PARTIALLY_CAPTURED keeps its captures and becomes CAPTURED."""
    before = STATES[state]
    begun_expiry = before.expire(action_id="act_e", now=EXPIRED_NOW)
    assert begun_expiry is not None
    settled_expiry = settle_expiry(*begun_expiry, EXPIRED_NOW)
    assert settled_expiry is not None
    payment, action = settled_expiry
    assert (payment.status, payment.captured) == (status, before.captured)
    assert action.status is ActionStatus.SUCCEEDED
    assert view_of(payment).capturable(LATER) == 0
    assert settle_expiry(payment, action, EXPIRED_NOW) is None


def test_a_refund_may_overtake_an_expiry() -> None:
    """A refund of what was captured goes through beside an expiry, in either order."""
    begun_expiry = captured(authorized(), 400).expire(action_id="act_e", now=EXPIRED_NOW)
    assert begun_expiry is not None
    payment = settled(refund(begun_expiry[0], 100, now=EXPIRED_NOW))[0]
    settled_expiry = settle_expiry(payment, begun_expiry[1], EXPIRED_NOW)
    assert settled_expiry is not None
    assert settled_expiry[0].status is Status.PARTIALLY_REFUNDED
    assert settled_expiry[0].refundable == gbp(300)


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
