"""Cards: numbers, brands, CVVs, expiry; and that none of it prints."""

import pickle
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn

from pkg.secret import Secret
from services.payments.domain.card import YEARS_AHEAD_MAX, Brand, Cvv, Expiry, Pan
from tests.builders import NOW

BRANDS = {
    "4242424242424242": Brand.VISA,
    "5555555555554444": Brand.MASTERCARD,
    "2223003122003222": Brand.MASTERCARD,
    "378282246310005": Brand.AMERICAN_EXPRESS,
    "6011111111111117": Brand.DISCOVER,
    "3566002020360505": Brand.JCB,
    "6200000000000005": Brand.UNIONPAY,
    "30569309025904": Brand.DINERS_CLUB,
    "6759649826438453": Brand.MAESTRO,
    "9000000000000001": Brand.UNKNOWN,
}


@pytest.mark.parametrize(("number", "brand"), BRANDS.items())
def test_the_first_digits_tell_the_brand(number: str, brand: Brand) -> None:
    """A number's brand and last four are told by its digits, with or without separators."""
    pan = Pan.parse(f"{number[:4]} {number[4:8]}-{number[8:]}")
    assert (pan.brand, pan.last4, pan.reveal()) == (brand, number[-4:], number)


# Of each range the first and the last digits, and those beside it.
EDGES = {
    Brand.JCB: "3088 3094 3096 3102 3112 3120 3158 3159 3337 3349 3528 3589",
    Brand.UNIONPAY: "6200 6299 8100 8199",
    Brand.AMERICAN_EXPRESS: "3400 3499 3700 3799",
    Brand.DINERS_CLUB: "3000 3059 3095 3600 3699 3800 3999",
    Brand.DISCOVER: "6011 6440 6499 6500 6599",
    Brand.VISA: "4000 4999",
    Brand.MASTERCARD: "5100 5599 2221 2720",
    Brand.MAESTRO: "5000 5099 5600 5899 6300 6399 6700 6799",
    Brand.UNKNOWN: "3087 3103 3111 3121 3157 3160 3336 3350 3527 3590 3060 3500 2220 2721 5900 6010"
    " 6012 6439 6600 6199 8099 8200 1000 7000 9999",
}


@pytest.mark.parametrize(
    ("first", "brand"), [(first, brand) for brand, all_ in EDGES.items() for first in all_.split()]
)
def test_each_range_ends_where_it_is_published_to_end(first: str, brand: Brand) -> None:
    """At both of its ends."""
    number = f"{first}00000000000"
    pan = Pan.parse(number + luhn.calc_check_digit(number))
    assert pan.brand is brand


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0000 0000 0000 0000",
        "0000000000000018",
        "4242",
        "42424242424",
        "4242424242424241",
        "42424242424242424242",
        "4242 4242 4242 424x",
        "４２４２４２４２４２４２４２４２",
        "4242\n424242424242",
        "4242\x00424242424242",
    ],
)
def test_what_is_no_card_number_is_refused(text: str) -> None:
    """Wrong length, wrong Luhn digit, other digits than ASCII's; and the text is not repeated."""
    with pytest.raises(ValueError, match=r"must have|is not a valid") as refused:
        Pan.parse(text)
    assert not text or text not in str(refused.value)


@given(st.from_regex(r"[0-9]{12,19}", fullmatch=True))
def test_luhn_agrees_with_another_implementation(digits: str) -> None:
    """The Luhn digit is right exactly when python-stdnum says so."""
    try:
        Pan.parse(digits)
    except ValueError:
        assert digits.startswith("0") or not luhn.is_valid(digits)
    else:
        assert luhn.is_valid(digits)


@pytest.mark.parametrize(
    ("text", "brand", "good"),
    [
        ("123", Brand.VISA, True),
        ("1234", Brand.VISA, False),
        ("1234", Brand.AMERICAN_EXPRESS, True),
        ("123", Brand.AMERICAN_EXPRESS, False),
        ("12", Brand.VISA, False),
        ("", Brand.VISA, False),
        ("12a", Brand.VISA, False),
        ("１２３", Brand.VISA, False),
        ("123", None, True),
        ("1234", None, True),
        ("12345", None, False),
    ],
)
def test_cvv_lengths(text: str, brand: Brand | None, good: bool) -> None:
    """Three digits, four for American Express; either while the brand is not known."""
    if good:
        assert Cvv.parse(text, brand).reveal() == text
    else:
        with pytest.raises(ValueError, match="must have"):
            Cvv.parse(text, brand)


@pytest.mark.parametrize(
    ("now", "past"),
    [
        (datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC), False),
        (datetime(2026, 12, 1, tzinfo=UTC), True),
        (datetime(2027, 1, 1, tzinfo=UTC), True),
        (datetime(2025, 12, 31, tzinfo=UTC), False),
    ],
)
def test_a_card_is_good_through_its_month(now: datetime, past: bool) -> None:
    """A card of November 2026 expires when December begins, in UTC."""
    assert Expiry(2026, 11).is_past(now) is past


PRINTERS: list[Callable[[object], str]] = [repr, str, "{}".format, "{!r:>20}".format]


@pytest.mark.parametrize(
    "secret", [Pan("4242424242424242"), Cvv("123"), Secret("hunter2")], ids=["pan", "cvv", "any"]
)
@pytest.mark.parametrize("printed", PRINTERS)
def test_secrets_do_not_print(secret: Secret, printed: Callable[[object], str]) -> None:
    """No way of printing shows more than the last four digits; pickling is refused."""
    assert secret.reveal() not in printed(secret)
    assert secret.reveal() not in printed([secret])
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        hash(secret)


def test_a_card_may_be_valid_for_so_long() -> None:
    """A card that expires in the last year that is allowed is no typing error; a later one is."""
    last = NOW.year + YEARS_AHEAD_MAX
    assert not Expiry(last, 12).is_too_far(NOW)
    assert Expiry(last + 1, 1).is_too_far(NOW)


@pytest.mark.parametrize(
    ("parse", "words"),
    [
        (lambda: Pan.parse("4242"), "must have 12 to 19 digits"),
        (lambda: Pan.parse("4242424242424241"), "is not a valid card number"),
        (lambda: Cvv.parse("12", None), "must have 3 or 4 digits"),
    ],
)
def test_a_card_that_is_wrong_is_told_how(parse: Callable[[], object], words: str) -> None:
    """The whole message is the one that clients read."""
    with pytest.raises(ValueError) as refused:  # noqa: PT011  # compared whole
        parse()
    assert str(refused.value) == words
