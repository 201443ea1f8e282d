"""Money: exponents, sums, and no mixing."""

import re

import iso4217
import pytest

from services.payments.domain.money import EXPONENTS, MixedCurrenciesError, Money
from tests.builders import gbp
from tools.stack.settings import REPOSITORY


def test_the_exponents_are_those_of_iso_4217() -> None:
    """Our table equals the published one; codes without an exponent are not in it."""
    published = {c.code: c.exponent for c in iso4217.Currency if c.exponent is not None}
    assert published == EXPONENTS


def test_the_console_writes_money_in_the_same_decimals() -> None:
    """Or somebody captures a hundredth of what they meant."""
    source = (REPOSITORY / "console" / "src" / "model" / "money.ts").read_text("utf-8")
    named = dict(re.findall(r'^const ([A-Z]+) = "([A-Z ]+)";$', source, re.MULTILINE))
    codes = {"NONE": 0, "THREE": 3, "FOUR": 4}
    told = {code: codes[name] for name, text in named.items() for code in text.split()}
    assert told == {code: exponent for code, exponent in EXPONENTS.items() if exponent != 2}


@pytest.mark.parametrize("code", ["XAU", "XXX", "XTS", "XDR", "gbp", "", "GBX", "BTC"])
def test_what_is_no_currency_has_no_exponent(code: str) -> None:
    """Metals, test codes, lower case and inventions are refused."""
    assert code not in EXPONENTS


def test_sums_stay_in_one_currency() -> None:
    """Adding, subtracting and comparing two currencies raises."""
    pound, euro = Money(1, "GBP"), Money(1, "EUR")
    assert pound + pound - pound == pound
    for mix in (Money.__add__, Money.__sub__, Money.__gt__):
        with pytest.raises(MixedCurrenciesError):
            mix(pound, euro)


def test_currencies_that_do_not_add_up_are_named() -> None:
    """Adding pounds and euros says so."""
    with pytest.raises(MixedCurrenciesError, match="GBP and EUR do not add up"):
        gbp(1) + Money(1, "EUR")
