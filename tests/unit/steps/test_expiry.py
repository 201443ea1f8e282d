"""The sweep expires what is due, once, and until the bank has acknowledged it."""

from datetime import timedelta

import pytest

from services.payments.domain import errors
from services.payments.domain.hold import Hold
from services.payments.domain.outcome import Approved, Reversed, Unknown
from services.payments.domain.status import Status
from services.payments.use_cases.carry_out import carry_out
from tests.builders import MERCHANT
from tests.unit.steps.fakes import FakeBank, Fixture, authorized, capture_of, void_of


async def test_the_sweep_expires_what_is_due(fixture: Fixture) -> None:
    """Past its time an authorization is released at the bank, EXPIRED, and an event says so."""
    fixture.bank = FakeBank([Approved()], releases=[Reversed()])
    payment_id = authorized(await fixture.authorize()).payment.id
    await fixture.sweep()
    assert fixture.bank.asked == ["authorize"]
    fixture.clock.time += timedelta(days=7)
    await fixture.sweep()
    assert fixture.bank.asked == ["authorize", "reverse"]
    assert fixture.store.payments[MERCHANT, payment_id].status is Status.EXPIRED
    assert fixture.store.events[-1].type == "payment.expired"
    await fixture.sweep()
    assert fixture.bank.asked == ["authorize", "reverse"]


@pytest.mark.parametrize("verb", ["capture", "void"])
async def test_what_one_clock_has_expired_no_other_clock_revives(
    fixture: Fixture, verb: str
) -> None:
    """While the bank is told to release it, a host whose clock is behind gets PAYMENT_EXPIRED."""
    fixture.bank = FakeBank([Approved(), Approved()], releases=[Unknown(), Reversed()])
    payment_id = authorized(await fixture.authorize()).payment.id
    fixture.clock.time += timedelta(days=7)
    await fixture.sweep()
    fixture.clock.time -= timedelta(seconds=1)
    late = (
        carry_out(fixture.ports, void_of(payment_id))
        if verb == "void"
        else carry_out(fixture.ports, capture_of(payment_id))
    )
    with pytest.raises(errors.PaymentExpiredError):
        await late
    await fixture.recover()
    assert fixture.store.payments[MERCHANT, payment_id].status is Status.EXPIRED
    events = [event.type for event in fixture.store.events]
    assert events == ["payment.authorized", "payment.expired"]


async def test_an_expiry_is_asked_for_until_it_is_acknowledged(fixture: Fixture) -> None:
    """While the bank does not answer, the expiry is PENDING, and recovery goes on with it."""
    fixture.bank = FakeBank([Approved()], releases=[Unknown(), Unknown(), Reversed()])
    payment_id = authorized(await fixture.authorize()).payment.id
    fixture.clock.time += timedelta(days=7)
    await fixture.sweep()
    assert fixture.store.payments[MERCHANT, payment_id].hold is Hold.EXPIRING
    await fixture.recover()
    await fixture.recover()
    assert fixture.store.payments[MERCHANT, payment_id].status is Status.EXPIRED


async def test_nothing_expires_while_the_bank_is_known_to_be_away(fixture: Fixture) -> None:
    """What is due then waits, and is not in doubt; afterwards it expires."""
    fixture.bank.answers = [Approved()]
    await fixture.authorize()
    fixture.clock.time += timedelta(days=7)
    fixture.bank.is_away = True
    await fixture.sweep()
    assert fixture.bank.asked == ["authorize"]
    fixture.bank.is_away, fixture.bank.releases = False, [Reversed()]
    await fixture.sweep()
    (payment,) = fixture.store.payments.values()
    assert payment.status is Status.EXPIRED
