"""What the customer's bank may answer. A sum type: close every match with `assert_never`."""

from enum import StrEnum
from typing import assert_never

from pkg.values import value


class DeclineCode(StrEnum):
    """Why the bank said no."""

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

    @property
    def message(self) -> str:
        """The reason in a sentence for people."""
        return _MESSAGES[self]


_MESSAGES = {
    DeclineCode.CARD_DECLINED: "The card was declined.",
    DeclineCode.INSUFFICIENT_FUNDS: "The account does not hold enough money.",
    DeclineCode.LOST_CARD: "The card was reported lost.",
    DeclineCode.STOLEN_CARD: "The card was reported stolen.",
    DeclineCode.EXPIRED_CARD: "The card has expired.",
    DeclineCode.INCORRECT_CVV: "The CVV is not correct.",
    DeclineCode.PROCESSING_ERROR: "The bank could not process the request.",
    DeclineCode.ISSUER_UNAVAILABLE: "The card's issuer could not be reached.",
    DeclineCode.CAPTURE_REJECTED: "The bank refused the capture.",
    DeclineCode.REFUND_REJECTED: "The bank refused the refund.",
    DeclineCode.VOID_REJECTED: "The bank refused the void.",
}


@value(frozen=True, slots=True)
class Approved:
    """The bank did it; `code` is its own for that, and may be empty."""

    code: str = ""


@value(frozen=True, slots=True)
class Declined:
    """The bank said no, and changed nothing."""

    code: DeclineCode


@value(frozen=True, slots=True)
class Rejected:
    """The bank will not do it, now or later, or has undone it: what came of it is nothing."""


@value(frozen=True, slots=True)
class NotFound:
    """The bank has never heard of it. Only an inquiry is answered so."""


@value(frozen=True, slots=True)
class Reversed:
    """The bank holds nothing more of the authorization. Only a reversal is answered so."""


class Resolution(StrEnum):
    """What the operator says became of an action, for when the bank says nothing."""

    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"

    @property
    def answer(self) -> "Approved | Rejected":
        """What the bank would have said."""
        match self:
            case Resolution.SUCCEEDED:
                return Approved()
            case Resolution.FAILED:
                return Rejected()
            case _:
                assert_never(self)


@value(frozen=True, slots=True)
class Unknown:
    """No answer: it may have been done or not. A timeout is this, never a decline."""


Final = Approved | Declined | Rejected
Answer = Final | Unknown
