"""How amounts, lengths, times, words and cards are written on the command line."""

from datetime import UTC, datetime, timedelta

import pytest
import typer

from paygate_client import BankEffect, Money, PaymentStatus
from services.acquirer.cards import APPROVED_CARDS, CARDS
from tests.sentinels import VISA
from tools.cli.bank_cards import NAMES, NUMBERS, card
from tools.cli.options import amount, length, one_of, time


@pytest.mark.parametrize(
    ("text", "units", "currency"),
    [
        ("10.00 GBP", 1000, "GBP"),
        ("10.5 GBP", 1050, "GBP"),
        ("10 GBP", 1000, "GBP"),
        ("1000 JPY", 1000, "JPY"),
        ("10.001 KWD", 10001, "KWD"),
        ("0.01 USD", 1, "USD"),
    ],
)
def test_an_amount_is_in_the_main_unit(text: str, units: int, currency: str) -> None:
    """How many minor units it is, the currency says: 2 decimals, none or 3."""
    assert amount(text) == Money(units, currency)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("10.001 GBP", "GBP has at most 2 decimals"),
        ("10.0 JPY", "JPY has at most 0 decimals"),
        ("1.0000 KWD", "KWD has at most 3 decimals"),
        ("10.00", "written like"),
        ("10,00 GBP", "written like"),
        ("-1 GBP", "written like"),
        ("1e3 GBP", "written like"),
        ("10.00 gbp", "written like"),
        ("10.00 XAU", "not known"),
    ],
)
def test_an_amount_that_is_none_is_refused(text: str, said: str) -> None:
    """Nothing is rounded, and nothing is guessed."""
    with pytest.raises(typer.BadParameter, match=said):
        amount(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("8d", timedelta(days=8)),
        ("1d12h", timedelta(hours=36)),
        ("90m", timedelta(minutes=90)),
        ("2.5s", timedelta(seconds=2.5)),
        ("1h1s", timedelta(seconds=3601)),
    ],
)
def test_a_length_of_time(text: str, found: timedelta) -> None:
    """Days, hours, minutes and seconds, the largest first."""
    assert length(text) == found


@pytest.mark.parametrize(
    "text", ["", "8", "d", "-1d", "1s1d", "1.5d", "8 d", "1w", "\N{ARABIC-INDIC DIGIT THREE}d"]
)
def test_a_length_that_is_none_is_refused(text: str) -> None:
    """A number alone is of no unit."""
    with pytest.raises(typer.BadParameter, match="8d"):
        length(text)


def test_a_time_has_a_zone() -> None:
    """One without is of nobody's clock."""
    assert time("2026-11-28T10:00:00Z") == datetime(2026, 11, 28, 10, tzinfo=UTC)
    assert time("2026-11-28T11:00:00+01:00") == datetime(2026, 11, 28, 10, tzinfo=UTC)
    for text in ("2026-11-28T10:00:00", "2026-11-28", "yesterday", ""):
        with pytest.raises(typer.BadParameter, match="zone"):
            time(text)


def test_words_are_in_lower_case() -> None:
    """With hyphens; what there is none of is answered with all there are."""
    assert one_of(PaymentStatus)("partially-captured") is PaymentStatus.PARTIALLY_CAPTURED
    assert one_of(BankEffect)("lose_reply") is BankEffect.LOSE_REPLY
    with pytest.raises(typer.BadParameter, match="approve, decline, lose-request"):
        one_of(BankEffect)("nonsense")


def test_each_test_card_has_a_name() -> None:
    """And each name is one card's."""
    assert set(NAMES) == {*CARDS, *APPROVED_CARDS}
    assert len(NUMBERS) == len(NAMES)
    assert NUMBERS["capture-reply-lost"] == "4000000000001034"


def test_a_card_is_a_test_card_by_name_or_number() -> None:
    """With the code's length that its network wants."""
    assert card("insufficient-funds").number == "4000000000009995"
    assert card("4000 0000 0000 9995").number == "4000000000009995"
    assert card("visa").cvv == "123"
    assert card("american-express").cvv == "1234"


def test_a_number_of_no_test_card_is_refused_and_not_repeated() -> None:
    """It could be a real card's."""
    with pytest.raises(typer.BadParameter) as refused:
        card(VISA)
    assert VISA not in str(refused.value)
    assert refused.value.__cause__ is None
