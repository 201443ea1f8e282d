"""A token stands for its card, while the vault is open and the card is valid."""

from dataclasses import replace
from datetime import timedelta

import pytest

from pkg.errors import DependencyUnavailableError, ValidationFailedError
from services.payments.domain import errors
from services.payments.domain.outcome import Approved
from tests.builders import DETAILS, MERCHANT
from tests.unit.steps.fakes import FakeBank, Fixture, authorized


async def test_a_token_stands_for_the_card(fixture: Fixture) -> None:
    """The bank is sent the same card, without a CVV, and the payment keeps its token."""
    fixture.bank = FakeBank([Approved(), Approved()])
    first = authorized(await fixture.authorize("a"))
    token = first.payment.card.token
    second = authorized(await fixture.authorize("b", card=token))
    assert second.payment.card == first.payment.card
    assert fixture.bank.cards == [DETAILS, replace(DETAILS, cvv=None)]
    assert list(fixture.store.cards) == [(MERCHANT, token)]


async def test_a_token_of_nobody(fixture: Fixture) -> None:
    """Nothing is asked of the bank, and nothing is stored."""
    with pytest.raises(errors.CardTokenNotFoundError):
        await fixture.authorize(card="tok_01h455vb4pex5vsknk084sn02q")
    assert (fixture.bank.asked, fixture.store.payments) == ([], {})


async def test_a_token_of_a_card_that_has_expired(fixture: Fixture) -> None:
    """The violation names what was sent."""
    fixture.bank = FakeBank([Approved()])
    token = authorized(await fixture.authorize("a")).payment.card.token
    fixture.clock.time += timedelta(days=366 * 20)
    with pytest.raises(ValidationFailedError) as raised:
        await fixture.authorize("b", card=token)
    assert set(raised.value.violations) == {"card_token"}


async def test_a_sealed_vault_takes_no_card_and_replies_from_the_store(fixture: Fixture) -> None:
    """A new request is refused before anything happens; an old one has its stored reply."""
    fixture.bank = FakeBank([Approved()])
    first = await fixture.authorize("a")
    fixture.vault.sealed = True
    for card in (DETAILS, authorized(first).payment.card.token):
        with pytest.raises(DependencyUnavailableError):
            await fixture.authorize("b", card=card)
    assert (await fixture.authorize("a")).body == first.body
    assert (len(fixture.store.payments), fixture.bank.asked) == (1, ["authorize"])
