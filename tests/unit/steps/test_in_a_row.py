"""Many at once on one payment: decided one after the other, committed together, told one by one."""

import asyncio
from dataclasses import dataclass

import pytest

from pkg.errors import DependencyUnavailableError, IdempotencyInFlightError
from services.payments.domain import errors
from services.payments.domain.action import ActionStatus, ActionType
from services.payments.domain.event import NOBODY
from services.payments.domain.outcome import Approved, DeclineCode, Declined
from services.payments.ports import CommitResult, Loaded
from services.payments.turns import Turns
from services.payments.use_cases.carry_out import carry_out
from services.payments.use_cases.in_a_row import settle_in_a_row
from services.payments.use_cases.two_commits import (
    Beginning,
    Begun,
    Ending,
    Reply,
    Retries,
    begin_alone,
    keyed_by,
)
from tests.builders import MERCHANT, gbp
from tests.unit.steps.fakes import Fixture
from tests.unit.steps.row import Answering, Place, Slow, told

MANY = 20


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


async def test_one_end_twice_in_a_row_is_one(place: Place) -> None:
    """Both are told the reply; what cannot be stored together is done one by one."""
    operation = place.capture(10)
    keyed = keyed_by(place.ports, MERCHANT, operation.rpc, None, ())
    retries = Retries(1.0)
    begun = await begin_alone(place.ports, Beginning(operation, keyed), place.payment, retries)
    assert isinstance(begun, Begun)
    end = Ending(begun, Approved(), NOBODY)
    turns = [Turns().of((MERCHANT, place.payment.id), end, wait_seconds_max=0) for _ in range(2)]
    await settle_in_a_row(place.ports, turns, retries)
    assert turns[0].result().body == turns[1].result().body
    assert place.captured == gbp(10)


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
