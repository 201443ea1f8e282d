"""The names of the simulated bank's cards: what `--card` takes instead of a number."""

from collections.abc import Mapping
from types import MappingProxyType

import typer

from paygate_client import Card, Expiry
from services.acquirer.cards import CARDS

# Always the same, so that a command that is repeated is the same call; at most 50 years ahead.
_EXPIRY = Expiry(12, 2060)
_APPROVED = {
    "visa": "4242424242424242",
    "mastercard": "5555555555554444",
    "mastercard-2-series": "2223003122003222",
    "american-express": "378282246310005",
    "discover": "6011111111111117",
    "jcb": "3566002020360505",
    "unionpay": "6200000000000005",
}
# Any other is named after what the bank does: `insufficient-funds`, `capture-reply-lost`.
NUMBERS: Mapping[str, str] = MappingProxyType(
    {
        **_APPROVED,
        **{does.lower().replace("_", "-"): number for number, does in CARDS.items()},
    }
)
NAMES: Mapping[str, str] = MappingProxyType({number: name for name, number in NUMBERS.items()})


def names(incomplete: str) -> list[str]:
    """Return the names that begin so, for the shell to complete."""
    return [name for name in NUMBERS if name.startswith(incomplete)]


def card(text: str) -> Card:
    """Return a test card by its name or number.

    A number of no test card is refused: it could be a real one, which has no business on a command
    line, where others see it. Nothing repeats it.

    Raises:
        typer.BadParameter: There is no such test card.
    """
    digits = text.replace(" ", "").replace("-", "")
    number = NUMBERS.get(text.lower().replace("_", "-")) or (digits if digits in NAMES else None)
    if number is None:
        raise typer.BadParameter("is no test card: `paygate cards` lists their names and numbers")
    # American Express's code has four digits.
    return Card(number, _EXPIRY, "1234" if len(number) == 15 else "123")
