"""A payment that others keep busy: refused in time before the bank is asked, PENDING after it."""

import asyncio
import time
from dataclasses import dataclass, replace

import pytest

from paygate.payments.v1 import payment_pb2 as pb
from pkg.errors import DependencyUnavailableError
from services.payments.adapters.memory import MemoryStore
from services.payments.domain import errors
from services.payments.domain.outcome import Approved
from services.payments.ports import Change, CommitResult, Limits
from services.payments.use_cases.authorize import Authorize, authorize
from services.payments.use_cases.carry_out import carry_out
from tests.builders import DETAILS, MERCHANT, gbp
from tests.unit.steps.fakes import FakeBank, Fixture, authorized, void_of


@dataclass
class Busy(MemoryStore):
    """A store in which, after some commits, somebody else is always faster."""

    commits: int = 0

    async def commit(self, change: Change) -> CommitResult:
        """Conflict, or store what was stored before it got so busy."""
        if self.commits == 0:
            return CommitResult.CONFLICT
        self.commits -= 1
        return await super().commit(change)


async def test_a_payment_that_is_too_busy_to_begin(fixture: Fixture) -> None:
    """A request that never gets its turn is refused in time, and nothing was asked of the bank."""
    fixture.store = Busy()
    with pytest.raises(errors.ConcurrentUpdateError):
        await fixture.authorize()
    assert fixture.bank.asked == []


async def test_waiting_for_the_turn_is_part_of_the_patience(fixture: Fixture) -> None:
    """Whoever waited for it almost all the time has no such time once more to begin again in."""
    fixture.bank = FakeBank([Approved()])
    payment_id = authorized(await fixture.authorize()).payment.id
    ports = replace(fixture.ports, limits=Limits(conflict_retry_seconds=1.0))
    ports = replace(ports, store=Busy(payments=fixture.store.payments))
    command = replace(void_of(payment_id), idempotency_key=None)
    began = time.monotonic()
    async with ports.turns.of((MERCHANT, payment_id), None, wait_seconds_max=1.0):
        voiding = asyncio.create_task(carry_out(ports, command))
        await asyncio.sleep(0.9)
    with pytest.raises(errors.ConcurrentUpdateError):
        await voiding
    assert time.monotonic() - began < 1.5


async def test_a_payment_that_is_too_busy_to_settle(fixture: Fixture) -> None:
    """What the bank has done is never called refused: it is PENDING until recovery writes it."""
    fixture.store, fixture.bank = Busy(commits=1), FakeBank([Approved()], [Approved()])
    assert authorized(await fixture.authorize()).action.status == pb.Action.STATUS_PENDING
    fixture.store.commits = 1
    await fixture.recover()
    assert authorized(await fixture.authorize()).action.status == pb.Action.STATUS_SUCCEEDED


@dataclass
class Ended(Busy):
    """A store in which somebody else ends an action before it is settled, on a primary alone."""

    async def commit(self, change: Change) -> CommitResult:
        """Conflict, and store the change as somebody else's."""
        if self.commits == 0:
            await MemoryStore.commit(self, change)
        return await super().commit(change)

    async def ensure_kept(self, merchant_id: str) -> None:
        """Say that its standby is away."""
        raise DependencyUnavailableError


async def test_an_end_that_was_read_is_proven_before_it_is_told(fixture: Fixture) -> None:
    """Also where the payment was too busy for this process to settle it."""
    fixture.store, fixture.bank = Ended(commits=1), FakeBank([Approved()])
    ports = replace(fixture.ports, limits=Limits(conflict_retry_seconds=0.0))
    command = Authorize(
        merchant_id=MERCHANT, card=DETAILS, amount=gbp(5), reference="", idempotency_key=None
    )
    with pytest.raises(DependencyUnavailableError):
        await authorize(ports, command)
