"""Whoever names another merchant's payment finds none, and is in nobody's way."""

import asyncio
from dataclasses import replace

import pytest

from services.payments.domain import errors
from services.payments.ports import Change, CommitResult
from services.payments.turns import Turns
from services.payments.use_cases.carry_out import carry_out
from services.payments.use_cases.in_a_row import begin_in_a_row
from services.payments.use_cases.two_commits import (
    Beginning,
    Begun,
    Retries,
    begun_by,
    keyed_by,
)
from tests.builders import MERCHANT, gbp
from tests.unit.steps.row import Place, told


async def test_a_stranger_among_many_finds_nothing(place: Place) -> None:
    """Whoever names a payment that is another merchant's takes nothing, and learns nothing."""
    stranger = replace(place.capture(777, key="theirs"), merchant_id="mer_other")
    own = place.capture(10)
    outcomes = await place.at_once(own, own, stranger, own, stranger, own)
    assert place.captured == gbp(40)
    assert isinstance(outcomes[2], errors.PaymentNotFoundError)
    assert isinstance(outcomes[4], errors.PaymentNotFoundError)
    assert not any("theirs" in str(one) for one in place.store.keys)


async def test_a_stranger_waits_for_nobodys_turn(place: Place) -> None:
    """However long somebody is at work on the payment that they have named."""
    reached, may_go, commit = asyncio.Event(), asyncio.Event(), place.store.commit

    async def hang(change: Change) -> CommitResult:
        reached.set()
        await may_go.wait()
        return await commit(change)

    place.store.commit = hang  # type: ignore[method-assign]
    owner = asyncio.create_task(carry_out(place.ports, place.capture(10)))
    await reached.wait()
    stranger = replace(place.capture(777), merchant_id="mer_other")
    with pytest.raises(errors.PaymentNotFoundError):
        await asyncio.wait_for(carry_out(place.ports, stranger), 1)
    may_go.set()
    told(await owner)


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
