"""A card as it is sent, which never prints."""

from dataclasses import dataclass, field
from typing import NoReturn


@dataclass(frozen=True, slots=True)
class Expiry:
    """The month in which a card expires; it is good to its last day, in UTC.

    Attributes:
        month: 1 to 12.
        year: Four digits.
    """

    month: int
    year: int


@dataclass(frozen=True, slots=True, repr=False)
class Card:
    """What is needed to charge a card. It prints neither number nor CVV, and cannot be pickled.

    Attributes:
        number: 12 to 19 digits; spaces and hyphens are allowed.
        expiry: The month in which it expires.
        cvv: 3 digits, 4 for American Express.

    Raises:
        TypeError: A part has not its type. Whether a card is valid, the gateway says.
    """

    number: str = field(repr=False)
    expiry: Expiry
    cvv: str = field(repr=False)

    def __post_init__(self) -> None:
        texts = all(isinstance(text, str) for text in (self.number, self.cvv))
        if not texts or not isinstance(self.expiry, Expiry):
            raise TypeError("a card is a number as text, an Expiry and a CVV as text")

    def __repr__(self) -> str:
        return "Card(••••)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a card is not to be stored")
