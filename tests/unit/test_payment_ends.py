"""How actions on a payment end: what the bank's answers make of it, reversals and expiry."""

from datetime import timedelta

import pytest

from services.payments.domain.action import Action, ActionStatus
from services.payments.domain.event import EventType, event_of
from services.payments.domain.hold import Hold
from services.payments.domain.outcome import Approved, DeclineCode, Final, Rejected
from services.payments.domain.payment import Payment
from services.payments.domain.settle import settle, settle_expiry, settle_reversal
from services.payments.domain.status import Status
from services.payments.domain.views import view_of
from tests.builders import (
    LATER,
    authorized,
    begun,
    capture,
    captured,
    gbp,
    refund,
    settled,
    void,
    void_remainder,
)
from tests.unit.payment_states import EXPIRED_NOW, NO, STATES


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
