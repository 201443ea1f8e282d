"""Which card does what: the number alone decides, and only the scenario's name outlives it."""

from collections.abc import Mapping
from enum import StrEnum, unique
from types import MappingProxyType


@unique
class Verb(StrEnum):
    """What the bank can be asked to do to money."""

    AUTHORIZE = "AUTHORIZE"
    CAPTURE = "CAPTURE"
    VOID = "VOID"
    REFUND = "REFUND"


@unique
class Decline(StrEnum):
    """Why the bank refuses, named as paygate.payments.v1.Decline.Code without its prefix."""

    CARD_DECLINED = "CARD_DECLINED"
    INSUFFICIENT_FUNDS = "INSUFFICIENT_FUNDS"
    LOST_CARD = "LOST_CARD"
    STOLEN_CARD = "STOLEN_CARD"
    EXPIRED_CARD = "EXPIRED_CARD"
    INCORRECT_CVV = "INCORRECT_CVV"
    PROCESSING_ERROR = "PROCESSING_ERROR"
    ISSUER_UNAVAILABLE = "ISSUER_UNAVAILABLE"
    CAPTURE_REJECTED = "CAPTURE_REJECTED"
    REFUND_REJECTED = "REFUND_REJECTED"
    VOID_REJECTED = "VOID_REJECTED"


@unique
class Scenario(StrEnum):
    """What a card makes the bank do. The names are kept in the book: add, never rename."""

    APPROVED = "APPROVED"
    CARD_DECLINED = "CARD_DECLINED"
    INSUFFICIENT_FUNDS = "INSUFFICIENT_FUNDS"
    LOST_CARD = "LOST_CARD"
    STOLEN_CARD = "STOLEN_CARD"
    EXPIRED_CARD = "EXPIRED_CARD"
    INCORRECT_CVV = "INCORRECT_CVV"
    PROCESSING_ERROR = "PROCESSING_ERROR"
    ISSUER_UNAVAILABLE = "ISSUER_UNAVAILABLE"
    CAPTURE_REJECTED = "CAPTURE_REJECTED"
    REFUND_REJECTED = "REFUND_REJECTED"
    VOID_REJECTED = "VOID_REJECTED"
    AUTHORIZE_REQUEST_LOST = "AUTHORIZE_REQUEST_LOST"
    AUTHORIZE_REPLY_LOST = "AUTHORIZE_REPLY_LOST"
    CAPTURE_REQUEST_LOST = "CAPTURE_REQUEST_LOST"
    CAPTURE_REPLY_LOST = "CAPTURE_REPLY_LOST"
    REFUND_REPLY_LOST = "REFUND_REPLY_LOST"
    VOID_REPLY_LOST = "VOID_REPLY_LOST"
    AUTHORIZE_NEVER = "AUTHORIZE_NEVER"
    CAPTURE_NEVER = "CAPTURE_NEVER"
    SLOW = "SLOW"


# The cards that do something; every other number that passes the Luhn check is approved.
CARDS: Mapping[str, Scenario] = MappingProxyType(
    {
        "4000000000000002": Scenario.CARD_DECLINED,
        "4000000000009995": Scenario.INSUFFICIENT_FUNDS,
        "4000000000009987": Scenario.LOST_CARD,
        "4000000000009979": Scenario.STOLEN_CARD,
        "4000000000000069": Scenario.EXPIRED_CARD,
        "4000000000000127": Scenario.INCORRECT_CVV,
        "4000000000000119": Scenario.PROCESSING_ERROR,
        "4000000000001083": Scenario.ISSUER_UNAVAILABLE,
        "4000000000000259": Scenario.CAPTURE_REJECTED,
        "4000000000003238": Scenario.REFUND_REJECTED,
        "4000000000001067": Scenario.VOID_REJECTED,
        "4000000000001018": Scenario.AUTHORIZE_REQUEST_LOST,
        "4000000000001026": Scenario.AUTHORIZE_REPLY_LOST,
        "4000000000001034": Scenario.CAPTURE_REPLY_LOST,
        "4000000000001042": Scenario.CAPTURE_REQUEST_LOST,
        "4000000000001059": Scenario.REFUND_REPLY_LOST,
        "4000000000001091": Scenario.VOID_REPLY_LOST,
        "4000000000001109": Scenario.AUTHORIZE_NEVER,
        "4000000000001117": Scenario.CAPTURE_NEVER,
        "4000000000001075": Scenario.SLOW,
    }
)

# Approved like any other number, one of each brand.
APPROVED_CARDS = (
    "4242424242424242",
    "5555555555554444",
    "2223003122003222",
    "378282246310005",
    "6011111111111117",
    "3566002020360505",
    "6200000000000005",
)

DESCRIPTIONS: Mapping[Scenario, str] = MappingProxyType(
    {
        Scenario.APPROVED: "Approved.",
        Scenario.CARD_DECLINED: "Declined: CARD_DECLINED.",
        Scenario.INSUFFICIENT_FUNDS: "Declined: INSUFFICIENT_FUNDS.",
        Scenario.LOST_CARD: "Declined: LOST_CARD.",
        Scenario.STOLEN_CARD: "Declined: STOLEN_CARD.",
        Scenario.EXPIRED_CARD: "Declined: EXPIRED_CARD.",
        Scenario.INCORRECT_CVV: "Declined: INCORRECT_CVV.",
        Scenario.PROCESSING_ERROR: "Declined: PROCESSING_ERROR.",
        Scenario.ISSUER_UNAVAILABLE: "Declined: ISSUER_UNAVAILABLE.",
        Scenario.CAPTURE_REJECTED: "Approved; every capture is declined: CAPTURE_REJECTED.",
        Scenario.REFUND_REJECTED: "Approved; every refund is declined: REFUND_REJECTED.",
        Scenario.VOID_REJECTED: "Approved; a void is declined: VOID_REJECTED.",
        Scenario.AUTHORIZE_REQUEST_LOST: "Never reaches the bank: PENDING, then FAILED.",
        Scenario.AUTHORIZE_REPLY_LOST: "Approved, the reply is lost: PENDING, then AUTHORIZED.",
        Scenario.CAPTURE_REQUEST_LOST: "A capture never arrives: PENDING, then SUCCEEDED.",
        Scenario.CAPTURE_REPLY_LOST: "A capture's reply is lost: PENDING, then SUCCEEDED.",
        Scenario.REFUND_REPLY_LOST: "A refund's reply is lost: PENDING, then SUCCEEDED.",
        Scenario.VOID_REPLY_LOST: "A void's reply is lost: PENDING, then SUCCEEDED.",
        Scenario.AUTHORIZE_NEVER: "Refused for good, by an error of the bank: FAILED.",
        Scenario.CAPTURE_NEVER: "Approved; every capture is refused for good: FAILED.",
        Scenario.SLOW: "Every call takes 2 s, then succeeds.",
    }
)

# What the bank refuses because of the card, whatever the amounts are.
REFUSALS: Mapping[Scenario, tuple[Verb, Decline]] = MappingProxyType(
    {
        Scenario.CARD_DECLINED: (Verb.AUTHORIZE, Decline.CARD_DECLINED),
        Scenario.INSUFFICIENT_FUNDS: (Verb.AUTHORIZE, Decline.INSUFFICIENT_FUNDS),
        Scenario.LOST_CARD: (Verb.AUTHORIZE, Decline.LOST_CARD),
        Scenario.STOLEN_CARD: (Verb.AUTHORIZE, Decline.STOLEN_CARD),
        Scenario.EXPIRED_CARD: (Verb.AUTHORIZE, Decline.EXPIRED_CARD),
        Scenario.INCORRECT_CVV: (Verb.AUTHORIZE, Decline.INCORRECT_CVV),
        Scenario.PROCESSING_ERROR: (Verb.AUTHORIZE, Decline.PROCESSING_ERROR),
        Scenario.ISSUER_UNAVAILABLE: (Verb.AUTHORIZE, Decline.ISSUER_UNAVAILABLE),
        Scenario.CAPTURE_REJECTED: (Verb.CAPTURE, Decline.CAPTURE_REJECTED),
        Scenario.REFUND_REJECTED: (Verb.REFUND, Decline.REFUND_REJECTED),
        Scenario.VOID_REJECTED: (Verb.VOID, Decline.VOID_REJECTED),
    }
)

# For whom the bank will never do it, and says so by an error: nothing is recorded.
NEVER: Mapping[Scenario, Verb] = MappingProxyType(
    {
        Scenario.AUTHORIZE_NEVER: Verb.AUTHORIZE,
        Scenario.CAPTURE_NEVER: Verb.CAPTURE,
    }
)

# Whose first request gets lost before the bank has it: nothing is done.
LOST_REQUESTS: Mapping[Scenario, Verb] = MappingProxyType(
    {
        Scenario.AUTHORIZE_REQUEST_LOST: Verb.AUTHORIZE,
        Scenario.CAPTURE_REQUEST_LOST: Verb.CAPTURE,
    }
)

# Whose first reply gets lost on its way back: everything is done.
LOST_REPLIES: Mapping[Scenario, Verb] = MappingProxyType(
    {
        Scenario.AUTHORIZE_REPLY_LOST: Verb.AUTHORIZE,
        Scenario.CAPTURE_REPLY_LOST: Verb.CAPTURE,
        Scenario.REFUND_REPLY_LOST: Verb.REFUND,
        Scenario.VOID_REPLY_LOST: Verb.VOID,
    }
)


def scenario_of(pan: str) -> Scenario:
    """Return what a card's number (digits only, Luhn-valid) makes the bank do."""
    return CARDS.get(pan, Scenario.APPROVED)


# Every second digit counts twice, of which the digits are added up.
_DOUBLED = {str(digit): digit * 2 - 9 if digit > 4 else digit * 2 for digit in range(10)}


def is_card_number(pan: str) -> bool:
    """Tell whether `pan` is 12 to 19 digits whose last one checks the others (ISO/IEC 7812-1)."""
    if not (pan.isascii() and pan.isdigit() and 12 <= len(pan) <= 19):
        return False
    single, doubled = map(int, pan[-1::-2]), map(_DOUBLED.__getitem__, pan[-2::-2])
    return (sum(single) + sum(doubled)) % 10 == 0
