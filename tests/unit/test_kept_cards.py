"""What a card that is gone means: for its token, and for the payments that were made with it."""

from datetime import timedelta

import pytest

from pkg.errors import ValidationFailedError
from services.payments.domain import errors
from services.payments.domain.card import Removal
from services.payments.domain.outcome import Approved
from services.payments.use_cases.capture import Capture
from services.payments.use_cases.cards import delete_card
from services.payments.use_cases.carry_out import carry_out
from services.payments.use_cases.refund import Refund
from tests.builders import MERCHANT, gbp
from tests.unit.steps.fakes import FakeBank, Fixture, authorized


@pytest.fixture
def fixture() -> Fixture:
    """A gateway on fakes, whose bank approves."""
    return Fixture(bank=FakeBank([Approved(), Approved(), Approved()]))


@pytest.mark.parametrize(
    ("cause", "refusal"),
    [
        (Removal.DELETED, errors.CardTokenRemovedError),
        (Removal.DECLINED, errors.CardTokenRemovedError),
        (Removal.UNUSED, errors.CardTokenRemovedError),
        (Removal.EXPIRED, ValidationFailedError),
    ],
)
async def test_a_token_of_a_card_that_is_gone(
    fixture: Fixture, cause: Removal, refusal: type[Exception]
) -> None:
    """It says so, which a token that never was does not; nothing is asked of the bank."""
    place = (MERCHANT, authorized(await fixture.authorize("a")).payment.card.token)
    del fixture.store.cards[place]
    fixture.store.removed_cards[place] = cause
    with pytest.raises(refusal):
        await fixture.authorize("b", card=place[1])
    assert fixture.bank.asked == ["authorize"]


async def test_what_comes_after_an_authorization_needs_no_card(fixture: Fixture) -> None:
    """Captures and refunds go on when it was removed; removing it again changes nothing."""
    first = authorized(await fixture.authorize("a")).payment
    for _ in range(2):
        await delete_card(fixture.ports, MERCHANT, first.card.token)
    assert fixture.store.cards == {}
    some = {
        "merchant_id": MERCHANT,
        "payment_id": first.id,
        "amount": gbp(1000),
        "reference": "",
        "idempotency_key": None,
    }
    await carry_out(fixture.ports, Capture(**some, final=False))  # type: ignore[arg-type]
    await carry_out(fixture.ports, Refund(**some))  # type: ignore[arg-type]
    assert fixture.bank.asked == ["authorize", "capture", "refund"]


async def test_nobodys_card_is_not_removed(fixture: Fixture) -> None:
    """Nor another merchant's, which looks the same."""
    token = authorized(await fixture.authorize("a")).payment.card.token
    with pytest.raises(errors.CardTokenNotFoundError):
        await delete_card(fixture.ports, "mer_b", token)
    assert list(fixture.store.cards) == [(MERCHANT, token)]


async def test_the_sweep_removes_old_cards(fixture: Fixture) -> None:
    """Those that nobody has used for as long as they are kept."""
    await fixture.authorize("a")
    fixture.clock.time += fixture.ports.limits.card_retention
    await fixture.sweep()
    assert len(fixture.store.cards) == 1
    fixture.clock.time += timedelta(seconds=1)
    await fixture.sweep()
    assert list(fixture.store.removed_cards.values()) == [Removal.UNUSED]
