"""What a client is told when the bank says yes, no, or nothing, or is known to be away."""

import pytest

from paygate.events.v1.event_pb2 import PaymentEvent
from paygate.payments.v1 import payment_pb2 as pb
from paygate.payments.v1 import payment_service_pb2 as service
from pkg.errors import DependencyUnavailableError
from services.payments.api.codec import ProtoEvents
from services.payments.domain import errors
from services.payments.domain.action import ActionStatus, ActionType
from services.payments.domain.outcome import Answer, Approved, NotFound, Rejected, Unknown
from services.payments.use_cases.carry_out import carry_out
from tests.builders import MERCHANT, gbp
from tests.unit.steps.fakes import NO, FakeBank, Fixture, authorized, capture_of

ANSWERS: list[tuple[Answer, Answer | NotFound | None, int, int]] = [
    (Approved(), None, pb.Action.STATUS_SUCCEEDED, pb.Payment.STATUS_AUTHORIZED),
    (NO, None, pb.Action.STATUS_DECLINED, pb.Payment.STATUS_DECLINED),
    (Rejected(), NotFound(), pb.Action.STATUS_FAILED, pb.Payment.STATUS_FAILED),
    (Rejected(), Rejected(), pb.Action.STATUS_FAILED, pb.Payment.STATUS_FAILED),
    (Rejected(), Approved(), pb.Action.STATUS_SUCCEEDED, pb.Payment.STATUS_AUTHORIZED),
    (Rejected(), NO, pb.Action.STATUS_DECLINED, pb.Payment.STATUS_DECLINED),
    (Rejected(), Unknown(), pb.Action.STATUS_PENDING, pb.Payment.STATUS_PENDING),
    (Unknown(), Approved(), pb.Action.STATUS_SUCCEEDED, pb.Payment.STATUS_AUTHORIZED),
    (Unknown(), NO, pb.Action.STATUS_DECLINED, pb.Payment.STATUS_DECLINED),
    (Unknown(), Unknown(), pb.Action.STATUS_PENDING, pb.Payment.STATUS_PENDING),
    (Unknown(), NotFound(), pb.Action.STATUS_PENDING, pb.Payment.STATUS_PENDING),
]


@pytest.mark.parametrize(("answer", "found", "action", "payment"), ANSWERS)
async def test_answers(
    fixture: Fixture, answer: Answer, found: Answer | NotFound | None, action: int, payment: int
) -> None:
    """Each answer of the bank, and of a look at it, is told as it is; no answer is PENDING."""
    fixture.bank = FakeBank([answer], [found] if found else [])
    reply = authorized(await fixture.authorize())
    assert (reply.action.status, reply.payment.status) == (action, payment)
    again = await fixture.authorize()
    assert (authorized(again), again.replayed) == (reply, True)
    assert fixture.bank.answers == fixture.bank.inquiries == []


async def test_the_banks_approval_code_is_told_by_whoever_settles(fixture: Fixture) -> None:
    """In the reply, in the event and in the history; a client of a lost reply gets it as well."""
    fixture.bank = FakeBank([Approved("A1"), Unknown()], [Unknown(), Approved("C1")])
    first = authorized(await fixture.authorize())
    command = capture_of(first.payment.id)
    pending = service.CaptureResponse.FromString((await carry_out(fixture.ports, command)).body)
    await fixture.recover()
    settled = service.CaptureResponse.FromString((await carry_out(fixture.ports, command)).body)
    told = [reply.action.approval_code for reply in (first, pending, settled)]
    assert told == ["A1", "", "C1"]
    assert [event.action.approval_code for event in fixture.store.events] == ["A1", "C1"]
    payload = PaymentEvent.FromString(ProtoEvents().encode(fixture.store.events[1]))
    assert payload.action.approval_code == "C1"


ENDS_OF_A_REFUSED_CAPTURE: list[tuple[Answer | NotFound, ActionStatus, int]] = [
    (NotFound(), ActionStatus.FAILED, 0),
    (Approved(), ActionStatus.SUCCEEDED, 400),
    (NO, ActionStatus.DECLINED, 0),
    (Unknown(), ActionStatus.PENDING, 0),
]


@pytest.mark.parametrize(("found", "status", "captured"), ENDS_OF_A_REFUSED_CAPTURE)
@pytest.mark.parametrize("by", ["the worker", "recovery"])
async def test_a_capture_that_the_bank_refuses_for_good(
    fixture: Fixture, by: str, found: Answer | NotFound, status: ActionStatus, captured: int
) -> None:
    """It ends, and its reserve is free, unless the bank has carried out an earlier sending."""
    sent: list[Answer] = [Rejected()] if by == "the worker" else [Unknown(), Rejected()]
    asked = [found] if by == "the worker" else [NotFound(), NotFound(), found]
    fixture.bank = FakeBank([Approved(), *sent], asked)
    payment_id = authorized(await fixture.authorize()).payment.id
    reply = await carry_out(fixture.ports, capture_of(payment_id))
    if by == "recovery":
        await fixture.recover()
    payment = fixture.store.payments[MERCHANT, payment_id]
    (action,) = [a for a in fixture.store.actions.values() if a.type is ActionType.CAPTURE]
    assert (action.status, payment.captured) == (status, gbp(captured))
    assert bool(payment.capturing) is (status is ActionStatus.PENDING)
    again = await carry_out(fixture.ports, capture_of(payment_id))
    assert again.replayed
    if by == "the worker":
        assert again.body == reply.body
    told = service.CaptureResponse.FromString(again.body)
    assert pb.Action.Status.Name(told.action.status) == f"STATUS_{status}"
    if status is ActionStatus.FAILED:
        assert fixture.store.events[-1].type == "payment.capture_failed"


async def test_a_bank_that_is_known_to_be_away(fixture: Fixture) -> None:
    """Nothing is begun: no payment, no reserve, and the key is free; what has ended is replayed."""
    fixture.bank.answers = [Approved(), Approved(), Approved()]
    before = await fixture.authorize("a")
    wanted = capture_of(authorized(before).payment.id)
    fixture.bank.is_away = True
    for _ in range(2):
        with pytest.raises(DependencyUnavailableError):
            await fixture.authorize("b")
        with pytest.raises(DependencyUnavailableError):
            await carry_out(fixture.ports, wanted)
    replayed = await fixture.authorize("a")
    assert (replayed.body, replayed.replayed) == (before.body, True)
    assert fixture.bank.asked == ["authorize"]
    assert len(fixture.store.payments) == 1
    fixture.bank.is_away = False
    assert not (await fixture.authorize("b")).replayed
    assert not (await carry_out(fixture.ports, wanted)).replayed


async def test_what_is_wrong_is_told_while_the_bank_is_away(fixture: Fixture) -> None:
    """A refusal for good comes before one that says to try again."""
    fixture.bank.is_away = True
    with pytest.raises(errors.PaymentNotFoundError):
        await carry_out(fixture.ports, capture_of("pay_nobodys"))
