"""What recovery makes of actions in doubt, and when the operator's word counts."""

from datetime import timedelta

import pytest

from paygate.events.v1.event_pb2 import PaymentEvent
from paygate.payments.v1 import payment_pb2 as pb
from paygate.payments.v1 import payment_service_pb2 as service
from services.payments.api.codec import ProtoEvents
from services.payments.domain.action import ActionStatus, ActionType
from services.payments.domain.event import NOBODY, Origin
from services.payments.domain.outcome import (
    Answer,
    Approved,
    NotFound,
    Resolution,
    Reversed,
    Unknown,
)
from services.payments.domain.status import Status
from services.payments.use_cases.carry_out import carry_out
from tests.builders import MERCHANT, gbp
from tests.unit.steps.fakes import NO, FakeBank, Fixture, authorized, capture_of


async def test_recovery_replaces_the_reply_that_said_pending(fixture: Fixture) -> None:
    """After recovery the same key answers with the final reply."""
    fixture.bank = FakeBank([Unknown()], [Unknown(), Approved()])
    assert authorized(await fixture.authorize()).action.status == pb.Action.STATUS_PENDING
    await fixture.recover()
    assert authorized(await fixture.authorize()).action.status == pb.Action.STATUS_SUCCEEDED


async def test_recovery_reverses_an_authorization_that_the_bank_does_not_know(
    fixture: Fixture,
) -> None:
    """The reversal is recorded before it is asked for, and asked for until it is acknowledged."""
    fixture.bank = FakeBank(
        [Unknown()], [Unknown(), NotFound()], [Unknown(), Unknown(), Reversed()]
    )
    payment_id = authorized(await fixture.authorize()).payment.id
    await fixture.recover()
    assert fixture.store.payments[MERCHANT, payment_id].reversing
    assert [action.type for action in fixture.store.actions.values()] == [
        ActionType.AUTHORIZE,
        ActionType.REVERSE,
    ]
    await fixture.recover()
    await fixture.recover()
    assert fixture.bank.asked == ["authorize", *["inquire"] * 2, *["reverse"] * 3]
    assert authorized(await fixture.authorize()).payment.status == pb.Payment.STATUS_FAILED
    assert [event.type for event in fixture.store.events] == ["payment.failed"]


async def test_recovery_sends_a_capture_again(fixture: Fixture) -> None:
    """A capture that the bank does not know is sent again under its own reference."""
    fixture.bank = FakeBank([Approved(), Unknown(), Approved()], [NotFound(), NotFound()])
    payment_id = authorized(await fixture.authorize()).payment.id
    command = capture_of(payment_id)
    await carry_out(fixture.ports, command)
    await fixture.recover()
    assert fixture.bank.asked == ["authorize", "capture", "inquire", "inquire", "capture"]
    assert fixture.store.payments[MERCHANT, payment_id].captured == gbp(400)
    assert (await carry_out(fixture.ports, command)).replayed


WORDS: list[tuple[Answer | NotFound, Resolution, ActionStatus]] = [
    (Unknown(), Resolution.FAILED, ActionStatus.FAILED),
    (Unknown(), Resolution.SUCCEEDED, ActionStatus.SUCCEEDED),
    (Approved(), Resolution.FAILED, ActionStatus.SUCCEEDED),
    (NO, Resolution.SUCCEEDED, ActionStatus.DECLINED),
    (NotFound(), Resolution.FAILED, ActionStatus.FAILED),
    (NotFound(), Resolution.SUCCEEDED, ActionStatus.PENDING),
]


@pytest.mark.parametrize(("found", "word", "end"), WORDS)
async def test_the_operators_word_counts_where_the_bank_says_nothing(
    fixture: Fixture, found: Answer | NotFound, word: Resolution, end: ActionStatus
) -> None:
    """The bank's answer wins. What it never heard of is sent again, not called done."""
    fixture.bank = FakeBank([Approved(), Unknown()], [Unknown(), found])
    payment_id = authorized(await fixture.authorize()).payment.id
    await carry_out(fixture.ports, capture_of(payment_id))
    (place,) = fixture.store.due
    fixture.store.resolutions[place] = word
    fixture.bank.answers = [Unknown()]
    await fixture.recover()
    assert fixture.store.actions[place].status is end
    told = service.CaptureResponse.FromString(
        (await carry_out(fixture.ports, capture_of(payment_id))).body
    )
    assert pb.Action.Status.Name(told.action.status) == f"STATUS_{end}"
    sent_again = found == NotFound() and word is Resolution.SUCCEEDED
    assert fixture.bank.asked.count("capture") == (2 if sent_again else 1)


@pytest.mark.parametrize("word", Resolution)
async def test_the_operators_word_on_an_authorization(fixture: Fixture, word: Resolution) -> None:
    """It counts while the bank is silent; what the bank does not know is reversed all the same."""
    fixture.bank = FakeBank([Unknown()], [Unknown(), Unknown()])
    await fixture.authorize()
    (place,) = fixture.store.due
    fixture.store.resolutions[place] = word
    await fixture.recover()
    assert fixture.store.actions[place].status is ActionStatus(word)
    fixture.bank = FakeBank([Unknown()], [Unknown(), NotFound()], [Reversed()])
    await fixture.authorize("b")
    (place,) = fixture.store.due
    fixture.store.resolutions[place] = word
    await fixture.recover()
    assert fixture.store.actions[place].status is ActionStatus.FAILED
    assert fixture.bank.asked[-1] == "reverse"


async def test_the_operators_word_on_a_release(fixture: Fixture) -> None:
    """It ends an expiry that the bank never acknowledges."""
    fixture.bank = FakeBank([Approved()], releases=[Unknown(), Unknown()])
    payment_id = authorized(await fixture.authorize()).payment.id
    fixture.clock.time += timedelta(days=7)
    await fixture.sweep()
    (place,) = fixture.store.due
    fixture.store.resolutions[place] = Resolution.SUCCEEDED
    await fixture.recover()
    assert fixture.store.payments[MERCHANT, payment_id].status is Status.EXPIRED


async def test_one_bad_action_holds_up_no_other(fixture: Fixture) -> None:
    """Recovery goes on with the next action when one raises."""
    fixture.bank = FakeBank([Unknown(), Unknown()], [Unknown(), Unknown(), Approved()])
    for key in ("a", "b"):
        await fixture.authorize(key)
    await fixture.recover()  # the second inquiry finds the list empty, and raises
    assert len(fixture.store.due) == 1


async def test_an_event_names_the_request_that_made_it(fixture: Fixture) -> None:
    """And its trace; what recovery finds out was nobody's request."""
    fixture.origin = Origin("r1", "00-a-b-01")
    fixture.bank.answers = [Approved()]
    await fixture.authorize("a")
    fixture.bank.answers, fixture.bank.inquiries = [Unknown()], [Unknown(), Approved()]
    await fixture.authorize("b")
    fixture.origin = NOBODY
    await fixture.recover()

    assert [event.origin for event in fixture.store.events] == [Origin("r1", "00-a-b-01"), NOBODY]
    stored = PaymentEvent.FromString(ProtoEvents().encode(fixture.store.events[0]))
    assert (stored.request_id, stored.traceparent) == ("r1", "00-a-b-01")
