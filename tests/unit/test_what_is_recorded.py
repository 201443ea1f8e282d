"""What each step writes down: every field of the action, and of the payment beside it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from services.payments.domain.action import Action, ActionStatus, ActionType
from services.payments.domain.event import event_of
from services.payments.domain.hold import Hold
from services.payments.domain.outcome import Approved, DeclineCode, Declined, Rejected
from services.payments.domain.payment import Payment
from services.payments.domain.settle import settle, settle_expiry, settle_reversal
from services.payments.domain.status import Authorization
from tests.builders import (
    APPROVAL_CODE,
    CARD,
    LATER,
    LIFETIME,
    MERCHANT,
    NOW,
    authorized,
    begun,
    capture,
    captured,
    gbp,
    refund,
    void,
    void_remainder,
)

ID, REFERENCE = "act_new", "order 7"
MUCH_LATER = LATER + timedelta(days=1)
OVER = NOW + LIFETIME

Step = tuple[Payment, Action]
Fields = dict[str, object]


def test_an_authorization_begins_a_payment() -> None:
    """The payment begins at version 1 with all its sums at 0, and the action is its first."""
    payment, action = Payment.authorize(
        gbp(1000),
        CARD,
        merchant_id=MERCHANT,
        payment_id="pay_new",
        action_id=ID,
        reference=REFERENCE,
        now=NOW,
        expire_time=OVER,
    )
    assert action == Action(
        id=ID,
        payment_id="pay_new",
        type=ActionType.AUTHORIZE,
        status=ActionStatus.PENDING,
        amount=gbp(1000),
        final=False,
        reference=REFERENCE,
        decline=None,
        approval_code="",
        sequence=1,
        idempotency_key=None,
        create_time=NOW,
        update_time=NOW,
    )
    assert payment == Payment(
        merchant_id=MERCHANT,
        id="pay_new",
        version=1,
        authorization=Authorization.PENDING,
        authorization_id=ID,
        authorized=gbp(1000),
        captured=gbp(0),
        refunded=gbp(0),
        capturing=gbp(0),
        refunding=gbp(0),
        hold=Hold.OPEN,
        reversing=False,
        card=CARD,
        reference=REFERENCE,
        decline=None,
        last_sequence=1,
        create_time=NOW,
        update_time=NOW,
        expire_time=OVER,
    )


def _capture(payment: Payment, *, final: bool) -> Step:
    return payment.capture(gbp(1), final=final, action_id=ID, reference=REFERENCE, now=LATER)


def _expire(payment: Payment) -> Step:
    step = payment.expire(action_id=ID, now=OVER)
    assert step is not None
    return step


CAPTURED = captured(authorized(), 400)
STEPS: dict[str, tuple[Payment, Callable[[Payment], Step], Fields, Fields]] = {
    "capture": (
        authorized(),
        lambda payment: _capture(payment, final=False),
        {"type": ActionType.CAPTURE, "amount": gbp(1)},
        {"capturing": gbp(1)},
    ),
    "final capture": (
        authorized(),
        lambda payment: _capture(payment, final=True),
        {"type": ActionType.CAPTURE, "amount": gbp(1), "final": True},
        {"capturing": gbp(1), "hold": Hold.CLOSING},
    ),
    "void": (
        authorized(),
        lambda payment: payment.void(action_id=ID, reference=REFERENCE, now=LATER),
        {"type": ActionType.VOID, "amount": gbp(1000)},
        {"hold": Hold.VOIDING},
    ),
    "void of the rest": (
        CAPTURED,
        lambda payment: payment.void_remainder(action_id=ID, reference=REFERENCE, now=LATER),
        {"type": ActionType.VOID, "amount": gbp(600), "final": True},
        {"hold": Hold.RELEASING},
    ),
    "refund": (
        CAPTURED,
        lambda payment: payment.refund(gbp(2), action_id=ID, reference=REFERENCE, now=LATER),
        {"type": ActionType.REFUND, "amount": gbp(2)},
        {"refunding": gbp(2)},
    ),
    "reversal": (
        begun()[0],
        lambda payment: payment.reverse(action_id=ID, now=LATER),
        {"type": ActionType.REVERSE, "amount": gbp(1000), "reference": ""},
        {"reversing": True},
    ),
    "expiry": (
        CAPTURED,
        _expire,
        {
            "type": ActionType.EXPIRE,
            "amount": gbp(600),
            "reference": "",
            "create_time": OVER,
            "update_time": OVER,
        },
        {"hold": Hold.EXPIRING, "update_time": OVER},
    ),
}


@pytest.mark.parametrize(("payment", "step", "recorded", "changed"), STEPS.values(), ids=STEPS)
def test_a_step_records_who_asked_for_what_and_when(
    payment: Payment,
    step: Callable[[Payment], Step],
    recorded: Fields,
    changed: Fields,
) -> None:
    """The action has the id, reference, place and time of the request; nothing else changes."""
    after, action = step(payment)
    expected = Action(
        id=ID,
        payment_id=payment.id,
        type=ActionType.CAPTURE,
        amount=gbp(0),
        reference=REFERENCE,
        sequence=payment.last_sequence + 1,
        create_time=LATER,
        update_time=LATER,
    )
    assert action == replace(expected, **recorded)  # type: ignore[arg-type]
    then = {"version": payment.version + 1, "last_sequence": action.sequence, "update_time": LATER}
    assert after == replace(payment, **(then | changed))  # type: ignore[arg-type]


ENDS: dict[str, tuple[Step, Approved | Declined | Rejected, Fields]] = {
    "approved capture": (
        capture(authorized(), 5),
        Approved(APPROVAL_CODE),
        {"capturing": gbp(0), "captured": gbp(5)},
    ),
    "approved final capture": (
        capture(authorized(), 5, final=True),
        Approved(APPROVAL_CODE),
        {"capturing": gbp(0), "captured": gbp(5), "hold": Hold.CLOSED},
    ),
    "declined final capture": (
        capture(authorized(), 5, final=True),
        Declined(DeclineCode.CARD_DECLINED),
        {"capturing": gbp(0), "hold": Hold.OPEN},
    ),
    "approved refund": (
        refund(CAPTURED, 5),
        Approved(APPROVAL_CODE),
        {"refunding": gbp(0), "refunded": gbp(5), "hold": Hold.CLOSED},
    ),
    "refund during an expiry": (
        refund(replace(CAPTURED, hold=Hold.EXPIRING), 5),
        Approved(APPROVAL_CODE),
        {"refunding": gbp(0), "refunded": gbp(5), "hold": Hold.EXPIRING},
    ),
    "declined refund": (
        refund(CAPTURED, 5),
        Declined(DeclineCode.CARD_DECLINED),
        {"refunding": gbp(0)},
    ),
    "approved void": (void(authorized()), Approved(APPROVAL_CODE), {"hold": Hold.VOIDED}),
    "approved void of the rest": (
        void_remainder(CAPTURED),
        Approved(APPROVAL_CODE),
        {"hold": Hold.CLOSED},
    ),
    "failed void": (void(authorized()), Rejected(), {"hold": Hold.OPEN}),
}


@pytest.mark.parametrize(("step", "answer", "changed"), ENDS.values(), ids=ENDS)
def test_an_answer_changes_what_it_is_about(
    step: Step, answer: Approved | Declined | Rejected, changed: Fields
) -> None:
    """An answer ends the action, moves what it had reserved, and changes nothing else."""
    result = settle(*step, answer, MUCH_LATER)
    assert result is not None
    payment, action = result
    end: Fields = {"status": ActionStatus.FAILED}
    if isinstance(answer, Approved):
        end = {"status": ActionStatus.SUCCEEDED, "approval_code": APPROVAL_CODE}
    if isinstance(answer, Declined):
        end = {"status": ActionStatus.DECLINED, "decline": DeclineCode.CARD_DECLINED}
    assert action == replace(step[1], update_time=MUCH_LATER, **end)  # type: ignore[arg-type]
    then = {"version": step[0].version + 1, "update_time": MUCH_LATER}
    assert payment == replace(step[0], **(then | changed))  # type: ignore[arg-type]


def test_a_reversal_ends_both() -> None:
    """The payment fails and is reversed no longer; both actions end at that time."""
    payment, authorization = begun()
    reversed_payment, reversal = payment.reverse(action_id=ID, now=LATER)
    result = settle_reversal(reversed_payment, reversal, authorization, MUCH_LATER)
    assert result is not None
    failed, undone, given_up = result
    assert failed == replace(
        reversed_payment,
        authorization=Authorization.FAILED,
        reversing=False,
        version=reversed_payment.version + 1,
        update_time=MUCH_LATER,
    )
    assert failed.reversing is False
    assert undone == replace(reversal, status=ActionStatus.SUCCEEDED, update_time=MUCH_LATER)
    assert given_up == replace(authorization, status=ActionStatus.FAILED, update_time=MUCH_LATER)


@pytest.mark.parametrize(
    ("payment", "hold"),
    [(authorized(), Hold.EXPIRED), (CAPTURED, Hold.CLOSED)],
    ids=["nothing captured", "some captured"],
)
def test_an_expiry_ends_the_hold(payment: Payment, hold: Hold) -> None:
    """What was captured stays; the hold and the action end at that time."""
    before, expiry = _expire(payment)
    result = settle_expiry(before, expiry, OVER + LIFETIME)
    assert result is not None
    after, ended = result
    then = OVER + LIFETIME
    assert after == replace(before, hold=hold, version=before.version + 1, update_time=then)
    assert ended == replace(expiry, status=ActionStatus.SUCCEEDED, update_time=then)


def test_an_event_has_its_id_and_the_place_of_its_change() -> None:
    """Its sequence is the version of the payment that it tells of."""
    payment, action = capture(authorized(), 5)
    event = event_of(*_ended(payment, action), event_id="evt_new")
    assert event is not None
    assert (event.id, event.sequence) == ("evt_new", payment.version + 1)


def _ended(payment: Payment, action: Action) -> Step:
    result = settle(payment, action, Approved(APPROVAL_CODE), LATER)
    assert result is not None
    return result


def test_actions_of_the_sweep_have_no_answer() -> None:
    """An expiry or a reversal that is settled by an answer is a mistake of ours, and says which."""
    with pytest.raises(ValueError, match="EXPIRE has no answer to settle by"):
        settle(*_expire(authorized()), Approved(APPROVAL_CODE), OVER)
