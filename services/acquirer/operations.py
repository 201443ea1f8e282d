"""Operations as messages: decode, act, encode; what is wrong is raised; see `refusals.py`."""

from typing import assert_never

from paygate.acquirer.v1 import acquirer_service_pb2 as pb
from services.acquirer import simulator
from services.acquirer.bank import Bank
from services.acquirer.cards import is_card_number, scenario_of
from services.acquirer.errors import InvalidRequestError
from services.acquirer.rule_messages import circumstances
from services.acquirer.rules import Circumstances
from services.acquirer.simulator import (
    Approved,
    Authorization,
    Capture,
    Declined,
    Instruction,
    NotFound,
    Operation,
    Outcome,
    Refund,
    Reversed,
    Void,
)

ERASED_MAX = 1_000  # in one request
_REFERENCE_CHARACTERS_MAX = 64
_Instruction = pb.CaptureRequest | pb.VoidRequest | pb.RefundRequest
_Request = pb.AuthorizeRequest | _Instruction | pb.ReverseRequest | pb.InquireRequest


class Operations:
    """What the bank can be asked to do, whichever way it is asked."""

    def __init__(self, bank: Bank) -> None:
        self._bank = bank

    async def authorize(self, request: pb.AuthorizeRequest) -> pb.Outcome:
        """Reserve an amount on a card."""
        return _encoded(await self._bank.authorize(_authorization(request), _told(request)))

    async def capture(self, request: pb.CaptureRequest) -> pb.Outcome:
        """Take reserved money."""
        capture = Capture(minor_units=_amount(request.minor_units), final=request.final)
        return await self._operated(request, capture)

    async def void(self, request: pb.VoidRequest) -> pb.Outcome:
        """Drop a reservation, or what was not captured of it."""
        return await self._operated(request, Void(remainder=request.remainder))

    async def refund(self, request: pb.RefundRequest) -> pb.Outcome:
        """Give captured money back."""
        return await self._operated(request, Refund(minor_units=_amount(request.minor_units)))

    async def reverse(self, request: pb.ReverseRequest) -> pb.Outcome:
        """Undo an authorization whatever became of it."""
        reference = _reference("authorization_reference", request.authorization_reference)
        return _encoded(await self._bank.reverse(reference, _told(request)))

    async def inquire(self, request: pb.InquireRequest) -> pb.Outcome:
        """Tell what became of an operation."""
        reference = _reference("reference", request.reference)
        return _encoded(await self._bank.inquire(reference, _told(request)))

    async def erase(self, request: pb.EraseRequest) -> None:
        """Remove operations, whatever became of them."""
        if len(request.references) > ERASED_MAX:
            raise InvalidRequestError("references")
        await self._bank.erase(list(request.references))

    async def _operated(self, request: _Instruction, operation: Operation) -> pb.Outcome:
        instruction = Instruction(
            reference=_reference("reference", request.reference),
            authorization_reference=_reference(
                "authorization_reference", request.authorization_reference
            ),
            operation=operation,
        )
        return _encoded(await self._bank.operate(instruction, _told(request)))


def _told(request: _Request) -> Circumstances:
    return circumstances(request.circumstances)


def _authorization(request: pb.AuthorizeRequest) -> Authorization:
    """Decide by the card, of which nothing but the scenario goes any further.

    Whether the card has expired is not asked: the caller's clock may be moved, the bank's is not.
    """
    if not is_card_number(request.pan):
        raise InvalidRequestError("pan")
    if not (1 <= request.expiry_month <= 12 and 2000 <= request.expiry_year <= 9999):
        raise InvalidRequestError("expiry_month, expiry_year")
    cvv = request.cvv  # none for a card on file, which its merchant may not have kept
    if cvv and not (cvv.isascii() and cvv.isdigit() and len(cvv) in {3, 4}):
        raise InvalidRequestError("cvv")
    currency = request.currency
    if not (currency.isascii() and currency.isalpha() and currency.isupper()) or len(currency) != 3:
        raise InvalidRequestError("currency")
    return simulator.authorize(
        _reference("reference", request.reference),
        scenario_of(request.pan),
        minor_units=_amount(request.minor_units),
        currency=currency,
    )


def _reference(field: str, value: str) -> str:
    if not (1 <= len(value) <= _REFERENCE_CHARACTERS_MAX and value.isprintable()):
        raise InvalidRequestError(field)
    return value


def _amount(minor_units: int) -> int:
    if minor_units <= 0:
        raise InvalidRequestError("minor_units")
    return minor_units


def _encoded(outcome: Outcome) -> pb.Outcome:
    match outcome:
        case Approved(approval_code):
            return pb.Outcome(
                status=pb.Outcome.STATUS_APPROVED,
                approval_code=approval_code,
            )
        case Declined(code):
            return pb.Outcome(status=pb.Outcome.STATUS_DECLINED, decline_code=code)
        case Reversed():
            return pb.Outcome(status=pb.Outcome.STATUS_REVERSED)
        case NotFound():
            return pb.Outcome(status=pb.Outcome.STATUS_NOT_FOUND)
        case _:
            assert_never(outcome)
