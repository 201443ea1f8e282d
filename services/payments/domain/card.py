"""Payment cards: numbers, brands, expiry. Numbers and CVVs cannot print themselves."""

import re
from datetime import datetime
from enum import StrEnum
from functools import lru_cache

from pkg.secret import Secret
from pkg.values import value

YEARS_AHEAD_MAX = 50
TOO_FAR_AHEAD = f"must be at most {YEARS_AHEAD_MAX} years ahead"
_SEPARATORS = str.maketrans("", "", " -")
_DIGITS = re.compile(r"[0-9]{12,19}\Z")


class Brand(StrEnum):
    """A card's network. UNKNOWN is a number that no known range holds."""

    UNKNOWN = "UNSPECIFIED"
    VISA = "VISA"
    MASTERCARD = "MASTERCARD"
    AMERICAN_EXPRESS = "AMERICAN_EXPRESS"
    DISCOVER = "DISCOVER"
    JCB = "JCB"
    UNIONPAY = "UNIONPAY"
    DINERS_CLUB = "DINERS_CLUB"
    MAESTRO = "MAESTRO"


# First digits, from and through, by the networks' published ranges; the first match counts.
_RANGES = (
    ("34", "34", Brand.AMERICAN_EXPRESS),
    ("37", "37", Brand.AMERICAN_EXPRESS),
    ("300", "305", Brand.DINERS_CLUB),
    ("3095", "3095", Brand.DINERS_CLUB),
    ("36", "36", Brand.DINERS_CLUB),
    ("38", "39", Brand.DINERS_CLUB),
    ("3088", "3094", Brand.JCB),
    ("3096", "3102", Brand.JCB),
    ("3112", "3120", Brand.JCB),
    ("3158", "3159", Brand.JCB),
    ("3337", "3349", Brand.JCB),
    ("3528", "3589", Brand.JCB),
    ("4", "4", Brand.VISA),
    ("51", "55", Brand.MASTERCARD),
    ("2221", "2720", Brand.MASTERCARD),
    ("6011", "6011", Brand.DISCOVER),
    ("644", "649", Brand.DISCOVER),
    ("65", "65", Brand.DISCOVER),
    ("62", "62", Brand.UNIONPAY),
    ("81", "81", Brand.UNIONPAY),
    ("50", "50", Brand.MAESTRO),
    ("56", "58", Brand.MAESTRO),
    ("63", "63", Brand.MAESTRO),
    ("67", "67", Brand.MAESTRO),
)


class Pan(Secret):
    """A primary account number, digits only. Prints as `•••• 4242`."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> "Pan":
        """Return the number in `text`, which may hold spaces and hyphens.

        Raises:
            ValueError: Not 12 to 19 digits, or the Luhn digit (ISO/IEC 7812-1, annex B) is wrong,
                or it begins with 0, which that standard gives to no issuer of cards.
        """
        digits = text.translate(_SEPARATORS)
        if not _DIGITS.match(digits):
            raise ValueError("must have 12 to 19 digits")
        if digits.startswith("0") or not _luhn(digits):
            raise ValueError("is not a valid card number")
        return cls(digits)

    @property
    def last4(self) -> str:
        """The last four digits, which may be shown (PCI DSS 4, 3.4.1)."""
        return self._value[-4:]

    @property
    def brand(self) -> Brand:
        """The card's network, told by the first digits."""
        return _brand_of(self._value[:_BRAND_DIGITS])

    def __repr__(self) -> str:
        return f"•••• {self.last4}"

    __str__ = __repr__


class Cvv(Secret):
    """A card verification value. Lives in memory for one call to the bank, and nowhere else."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str, brand: Brand | None) -> "Cvv":
        """Return the CVV in `text`; with an unknown brand, 3 or 4 digits will do.

        Raises:
            ValueError: Not 3 digits, or 4 for American Express.
        """
        lengths = {None: (3, 4), Brand.AMERICAN_EXPRESS: (4,)}.get(brand, (3,))
        if not (text.isascii() and text.isdigit() and len(text) in lengths):
            raise ValueError(f"must have {' or '.join(map(str, lengths))} digits")
        return cls(text)


@value(frozen=True, slots=True, order=True)
class Expiry:
    """The month in which a card expires."""

    year: int
    month: int

    def is_too_far(self, now: datetime) -> bool:
        """Tell whether no card is good for so long: more likely somebody has mistyped."""
        return self.year > now.year + YEARS_AHEAD_MAX

    def is_past(self, now: datetime) -> bool:
        """Tell whether the card has expired: it is good through the month's last day, in UTC."""
        return (self.year, self.month) < (now.year, now.month)


# By the byte of a digit: the digit, and the sum of the digits of twice the digit.
_ONCE = bytes(max(0, byte - 48) % 10 for byte in range(256))
_TWICE = bytes(sum(divmod(2 * digit, 10)) for digit in _ONCE)


def _luhn(digits: str) -> bool:
    text = digits.encode()
    once, twice = text[::-2].translate(_ONCE), text[-2::-2].translate(_TWICE)
    return (sum(once) + sum(twice)) % 10 == 0


_BRAND_DIGITS = max(len(low) for low, _, _ in _RANGES)


@lru_cache(maxsize=10_000)  # as many as there are
def _brand_of(first: str) -> Brand:
    for low, high, brand in _RANGES:
        if low <= first[: len(low)] <= high:
            return brand
    return Brand.UNKNOWN


@value(frozen=True, slots=True, kw_only=True)
class Card:
    """What is kept of a card. The fingerprint is keyed: nobody can guess the number from it.

    `token` names the card in the vault; it is empty for payments from before there was one.
    """

    brand: Brand
    last4: str
    expiry: Expiry
    fingerprint: bytes
    token: str = ""


class Removal(StrEnum):
    """Why a card is in the vault no more."""

    DELETED = "DELETED"  # its merchant wanted it so
    DECLINED = "DECLINED"  # the authorization that brought it did not succeed
    EXPIRED = "EXPIRED"
    UNUSED = "UNUSED"
