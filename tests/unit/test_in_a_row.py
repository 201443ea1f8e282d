"""Many at once on one payment: decided one after the other, committed together, told one by one."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from paygate.payments.v1 import payment_service_pb2 as service
from pkg.errors import DependencyUnavailableError, IdempotencyInFlightError
from services.payments.adapters.memory import MemoryStore
from services.payments.domain import errors
from services.payments.domain.action import ActionStatus, ActionType
from services.payments.domain.money import Money
from services.payments.domain.outcome import Answer, Approved, DeclineCode, Declined
from services.payments.ports import Change, CommitResult, Limits, Loaded, Ports
from services.payments.turns import Turns
from services.payments.use_cases.capture import Capture
from services.payments.use_cases.carry_out import carry_out
from services.payments.use_cases.in_a_row import begin_in_a_row
from services.payments.use_cases.refund import Refund
from services.payments.use_cases.two_commits import (
    Beginning,
    Begun,
    Reply,
    Retries,
    begun_by,
    keyed_by,
)
from tests.builders import MERCHANT, begun, gbp, settled
from tests.unit.steps.fakes import FakeBank, Fixture

MANY = 20


@dataclass
class Slow(MemoryStore):
    """Takes a pass of the loop for each commit, as a database does, and counts them."""

    commits: int = 0
    rows: list[int] = field(default_factory=list)
    interfere: int = 0

    async def commit(self, change: Change) -> CommitResult:
        """Commit a while later."""
        self.commits += 1
        await asyncio.sleep(0.001)
        return await super().commit(change)

    async def commit_row(self, changes: Sequence[Change]) -> CommitResult:
        """Commit a while later; somebody else may be faster once."""
        self.rows.append(len(changes))
        await asyncio.sleep(0.001)
        if self.interfere:
            place = (MERCHANT, changes[0].payment.id)
            now = self.payments[place]
            captured = now.captured + gbp(self.interfere)
            self.payments[place] = replace(now, captured=captured, version=now.version + 1)
            self.interfere = 0
        commits = self.commits
        result = await super().commit_row(changes)
        self.commits = commits + 1
        return result


class Answering(FakeBank):
    """Answers every capture the same."""

    answer: Answer = Approved()

    async def perform(self, authorization: str, action: object) -> Answer:
        """Answer at once."""
        return self.answer


@dataclass
class Place:
    """A payment of £10, and a gateway on fakes that are as slow as a database."""

    fixture: Fixture = field(default_factory=lambda: Fixture(store=Slow(), bank=Answering()))

    def __post_init__(self) -> None:
        """Store the payment."""
        self.payment, authorization = settled(begun())
        self.store.payments[MERCHANT, self.payment.id] = self.payment
        self.store.actions[MERCHANT, authorization.id] = authorization
        limits = Limits(conflict_retry_seconds=2.0)
        self.ports: Ports = replace(self.fixture.ports, limits=limits)

    @property
    def store(self) -> Slow:
        """The store."""
        assert isinstance(self.fixture.store, Slow)
        return self.fixture.store

    def capture(self, amount: int, key: str | None = None) -> Capture:
        """Capture so much."""
        return Capture(
            merchant_id=MERCHANT,
            payment_id=self.payment.id,
            amount=gbp(amount),
            final=False,
            reference="",
            idempotency_key=key,
        )

    async def at_once(self, *operations: Capture | Refund) -> list[Reply | BaseException]:
        """Carry them out at once."""
        calls = (carry_out(self.ports, operation) for operation in operations)
        return await asyncio.gather(*calls, return_exceptions=True)

    @property
    def captured(self) -> Money:
        """What is captured now, with nothing on its way."""
        payment = self.store.payments[MERCHANT, self.payment.id]
        assert not payment.capturing
        return payment.captured


@pytest.fixture
def place() -> Place:
    """A payment."""
    return Place()


def told(reply: Reply | BaseException) -> service.CaptureResponse:
    """Read a reply."""
    assert isinstance(reply, Reply), reply
    return service.CaptureResponse.FromString(reply.body)


async def test_many_captures_take_few_commits(place: Place) -> None:
    """Each is told its own action, and the payment as it was after it; each has its event."""
    replies = [told(reply) for reply in await place.at_once(*[place.capture(10)] * MANY)]
    assert place.captured == gbp(10 * MANY)
    assert len({reply.action.id for reply in replies}) == MANY
    captured = sorted(reply.payment.captured.minor_units for reply in replies)
    assert captured == [10 * number for number in range(1, MANY + 1)]
    versions = [event.sequence for event in place.store.events]
    assert len(versions) == MANY
    assert versions == sorted(set(versions))
    assert place.store.commits < MANY  # two each, one by one
    assert max(place.store.rows) > 1


async def test_together_they_take_no_more_than_there_is(place: Place) -> None:
    """Who comes too late is refused, though decided beside those that go."""
    outcomes = await place.at_once(*[place.capture(300)] * MANY)
    assert place.captured == gbp(900)
    refused = [one for one in outcomes if isinstance(one, errors.AmountExceedsCapturableError)]
    assert len(refused) == MANY - 3


async def test_another_process_that_is_faster_is_taken_into_account(place: Place) -> None:
    """All of the row is decided once more, on what is there then."""
    place.store.interfere = 950
    outcomes = await place.at_once(*[place.capture(10)] * MANY)
    captured = place.captured.minor_units
    assert captured == 1000
    assert sum(isinstance(one, Reply) for one in outcomes) == 5
    assert all(isinstance(one, Reply | errors.PaymentsError) for one in outcomes)


async def test_a_stranger_among_many_finds_nothing(place: Place) -> None:
    """Whoever names a payment that is another merchant's takes nothing, and learns nothing."""
    stranger = replace(place.capture(777, key="theirs"), merchant_id="mer_other")
    own = place.capture(10)
    outcomes = await place.at_once(own, own, stranger, own, stranger, own)
    assert place.captured == gbp(40)
    assert isinstance(outcomes[2], errors.PaymentNotFoundError)
    assert isinstance(outcomes[4], errors.PaymentNotFoundError)
    assert not any("theirs" in str(one) for one in place.store.keys)


async def test_strangers_in_one_row_are_told_apart(place: Place) -> None:
    """Each looks for themselves, even if they were let into one line."""
    stranger = replace(place.capture(777), merchant_id="mer_other")
    begun = Turns()
    turns = []
    for operation in (place.capture(10), stranger):
        keyed = keyed_by(place.ports, operation.merchant_id, operation.rpc, None, ())
        work = Beginning(operation, keyed)
        turns.append(begun.of((MERCHANT, place.payment.id), work, wait_seconds_max=0))
    await begin_in_a_row(place.ports, turns, Retries(1.0))
    assert isinstance(turns[0].result(), Begun)
    with pytest.raises(errors.PaymentNotFoundError):
        turns[1].result()


async def test_nothing_is_begun_on_another_merchants_payment(place: Place) -> None:
    """Whatever went wrong before: the last look before it is stored."""
    stranger = replace(place.capture(777), merchant_id="mer_other")
    keyed = keyed_by(place.ports, "mer_other", stranger.rpc, None, ())
    with pytest.raises(errors.PaymentNotFoundError):
        begun_by(place.ports, place.payment, Beginning(stranger, keyed))


@dataclass
class Flaky(Slow):
    """Its second look for one of the keys fails."""

    looks: int = 0

    async def load(self, merchant_id: str, payment_id: str, *, rpc: str, key: str | None) -> Loaded:
        """Look, or fail."""
        self.looks += key == "unlucky"
        if key == "unlucky" and self.looks == 2:
            raise DependencyUnavailableError
        return await super().load(merchant_id, payment_id, rpc=rpc, key=key)


async def test_who_was_told_an_error_is_not_begun_at_the_next_try() -> None:
    """The others are decided once more; without a key, a retry would take the money twice."""
    place = Place(fixture=Fixture(store=Flaky(interfere=1), bank=Answering()))
    keys = ("a", "b", "unlucky", "d")
    outcomes = await place.at_once(*(place.capture(10, key=key) for key in keys))
    assert isinstance(outcomes[2], DependencyUnavailableError)
    assert "unlucky" not in {action.idempotency_key for action in place.store.actions.values()}
    assert place.captured == gbp(31)


async def test_one_key_among_many_has_one_effect(place: Place) -> None:
    """The same request twice in a row: one goes, the others are told that it is under way."""
    same = [place.capture(10, key="k")] * 5
    outcomes = await place.at_once(*same, *[place.capture(1)] * MANY)
    assert place.captured == gbp(10 + MANY)
    kinds = {type(one) for one in outcomes[:5]}
    assert kinds <= {Reply, IdempotencyInFlightError}
    again = told(await carry_out(place.ports, same[0]))
    assert again.action.amount.minor_units == 10


async def test_what_the_bank_declines_gives_its_reserve_back(place: Place) -> None:
    """For each of them."""
    Answering.answer = Declined(DeclineCode.CAPTURE_REJECTED)
    try:
        outcomes = await place.at_once(*[place.capture(10)] * MANY)
    finally:
        Answering.answer = Approved()
    assert place.captured == gbp(0)
    assert {told(one).payment.capturable.minor_units for one in outcomes} <= set(range(1001))
    stored = [one for one in place.store.actions.values() if one.type is ActionType.CAPTURE]
    assert {action.status for action in stored} == {ActionStatus.DECLINED}


async def test_a_database_that_goes_away_is_told_to_all(place: Place) -> None:
    """Nobody waits for ever, and nobody is told that something was done."""

    async def away(changes: object) -> CommitResult:
        raise DependencyUnavailableError

    place.store.commit_row = away  # type: ignore[method-assign]
    outcomes = await asyncio.wait_for(place.at_once(*[place.capture(10)] * MANY), 10)
    assert any(isinstance(one, DependencyUnavailableError) for one in outcomes)
    assert {type(one) for one in outcomes} <= {Reply, DependencyUnavailableError}


async def test_who_leads_a_row_and_is_stopped_tells_the_others(place: Place) -> None:
    """Nobody waits for ever for somebody who is gone."""
    reached = asyncio.Event()

    async def hang(changes: object) -> CommitResult:
        reached.set()
        await asyncio.Event().wait()
        raise AssertionError(changes)

    place.store.commit_row = hang  # type: ignore[method-assign]
    operation = place.capture(10)
    calls = [asyncio.create_task(carry_out(place.ports, operation)) for _ in range(4)]
    await reached.wait()
    first, leader, *others = calls
    leader.cancel()
    outcomes = await asyncio.wait_for(asyncio.gather(*others, return_exceptions=True), 10)
    assert [type(one) for one in outcomes] == [DependencyUnavailableError] * 2
    with pytest.raises(asyncio.CancelledError):
        await leader
    told(await first)
