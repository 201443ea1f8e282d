"""The cards of `paygate_testing` are those of the bank, each under the name of what it does."""

from paygate_client import Card
from paygate_testing import cards
from services.acquirer.cards import CARDS, is_card_number, scenario_of
from services.payments.domain.card import YEARS_AHEAD_MAX
from tests.builders import NOW

APPROVED = "APPROVED"


def test_each_card_of_the_bank_has_its_name() -> None:
    """All are there, and what else is there is approved."""
    named = {name: card for name, card in vars(cards).items() if isinstance(card, Card)}
    does = {name: scenario_of(card.number).name for name, card in named.items()}
    assert {name for name, scenario in does.items() if scenario != APPROVED} == {
        scenario.name for scenario in CARDS.values()
    }
    assert all(scenario in {name, APPROVED} for name, scenario in does.items())
    assert all(is_card_number(card.number) for card in named.values())


def test_they_are_good_for_long_and_not_for_too_long() -> None:
    """A clock may be turned by years, and the gateway refuses what is too far away."""
    assert NOW.year + 20 < cards.VISA.expiry.year <= NOW.year + YEARS_AHEAD_MAX
