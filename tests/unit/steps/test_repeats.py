"""A request that comes again: its stored reply, or why there is none yet."""

from dataclasses import dataclass, replace

import pytest

from pkg.errors import (
    DependencyUnavailableError,
    IdempotencyInFlightError,
    IdempotencyKeyReusedError,
    ValidationFailedError,
)
from services.payments.adapters.memory import MemoryStore
from services.payments.adapters.vault.memory import MemoryVault
from services.payments.domain.outcome import Approved
from services.payments.ports import Change, CommitResult
from services.payments.use_cases.authorize import Authorize, authorize
from services.payments.use_cases.carry_out import carry_out
from tests.builders import DETAILS, MERCHANT, gbp
from tests.unit.steps.fakes import FakeBank, Fixture, authorized, capture_of


async def test_an_expired_card_is_refused_but_its_retry_is_not(fixture: Fixture) -> None:
    """A retry after the card's last month gets the stored reply; a new request is refused."""
    fixture.bank = FakeBank([Approved()])
    first = await fixture.authorize()
    fixture.clock.time = fixture.clock.time.replace(year=2031)
    assert (await fixture.authorize()).body == first.body
    with pytest.raises(ValidationFailedError) as refused:
        await fixture.authorize("new")
    assert set(refused.value.violations) == {"card_details.expiry"}


async def test_a_key_without_a_reply_is_in_flight(fixture: Fixture) -> None:
    """While the first request runs, its twin is told so; another request is told otherwise."""
    fixture.bank = FakeBank([Approved()])
    await fixture.authorize()
    for key in fixture.store.keys.values():
        key.record = replace(key.record, reply=None)
    with pytest.raises(IdempotencyInFlightError):
        await fixture.authorize()
    with pytest.raises(IdempotencyKeyReusedError):
        await fixture.authorize(amount=999)


@dataclass
class Counted(MemoryStore):
    """Counts what it is asked to commit."""

    commits: int = 0

    async def commit(self, change: Change) -> CommitResult:
        """Commit, and count it."""
        self.commits += 1
        return await super().commit(change)


async def test_a_request_that_is_repeated_here_is_looked_up_before_it_is_decided(
    fixture: Fixture,
) -> None:
    """No card is encrypted for it once more, and nothing is committed; a key of another is new."""
    fixture.store = Counted()
    fixture.vault = MemoryVault(fixture.store)
    fixture.bank = FakeBank([Approved(), Approved()])
    ports = fixture.ports
    command = Authorize(
        merchant_id=MERCHANT, card=DETAILS, amount=gbp(1000), reference="", idempotency_key="a"
    )
    first = await authorize(ports, command)
    again = await authorize(ports, command)
    assert (again.body, again.replayed) == (first.body, True)
    assert (len(fixture.vault.details), fixture.store.commits) == (1, 2)
    other = await authorize(ports, replace(command, merchant_id="mer_b"))
    assert not other.replayed


async def test_a_key_that_was_seen_and_is_free_is_used(fixture: Fixture) -> None:
    """A request that was refused before anything happened may come again with its key."""
    fixture.bank = FakeBank([Approved()])
    ports = fixture.ports
    command = Authorize(
        merchant_id=MERCHANT, card=DETAILS, amount=gbp(1000), reference="", idempotency_key="a"
    )
    fixture.vault.sealed = True
    with pytest.raises(DependencyUnavailableError):
        await authorize(ports, command)
    fixture.vault.sealed = False
    assert not (await authorize(ports, command)).replayed


async def test_a_stored_reply_waits_for_nobodys_turn(fixture: Fixture) -> None:
    """While another request is at work on the payment, and may be for long."""
    fixture.bank = FakeBank([Approved(), Approved()])
    payment_id = authorized(await fixture.authorize()).payment.id
    ports = fixture.ports
    first = await carry_out(ports, capture_of(payment_id))
    async with ports.turns.of((MERCHANT, payment_id), None, wait_seconds_max=0):
        again = await carry_out(ports, capture_of(payment_id))
    assert (again.body, again.replayed) == (first.body, True)
