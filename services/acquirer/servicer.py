"""The RPCs: decode, act, encode; what is wrong is raised, and `refusals.py` says it."""

from collections.abc import Coroutine
from typing import Any, assert_never

from paygate.acquirer.v1 import acquirer_service_pb2 as pb
from paygate.acquirer.v1 import acquirer_service_pb2_grpc as rpc
from pkg.grpc.guard import Context
from pkg.grpc.running import Running
from services.acquirer import simulator
from services.acquirer.bank import Bank
from services.acquirer.cards import (
    APPROVED_CARDS,
    CARDS,
    DESCRIPTIONS,
    Scenario,
    is_card_number,
    scenario_of,
)
from services.acquirer.error import InvalidRequestError
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

_REFERENCE_CHARACTERS_MAX = 64


class AcquirerServicer(rpc.AcquirerServiceServicer):
    """paygate.acquirer.v1.AcquirerService."""

    def __init__(self, bank: Bank, running: Running) -> None:
        self._bank = bank
        self._running = running

    async def Authorize(  # noqa: N802
        self, request: pb.AuthorizeRequest, _context: Context
    ) -> pb.AuthorizeResponse:
        """Reserve an amount on a card."""
        asked = _authorization(request)
        return pb.AuthorizeResponse(outcome=await self._run(self._bank.authorize(asked)))

    async def Capture(  # noqa: N802
        self, request: pb.CaptureRequest, _context: Context
    ) -> pb.CaptureResponse:
        """Take reserved money."""
        capture = Capture(minor_units=_amount(request.minor_units), final=request.final)
        return pb.CaptureResponse(outcome=await self._operated(request, capture))

    async def Void(  # noqa: N802
        self, request: pb.VoidRequest, _context: Context
    ) -> pb.VoidResponse:
        """Drop a reservation, or what was not captured of it."""
        void = Void(remainder=request.remainder)
        return pb.VoidResponse(outcome=await self._operated(request, void))

    async def Refund(  # noqa: N802
        self, request: pb.RefundRequest, _context: Context
    ) -> pb.RefundResponse:
        """Give captured money back."""
        refund = Refund(minor_units=_amount(request.minor_units))
        return pb.RefundResponse(outcome=await self._operated(request, refund))

    async def Reverse(  # noqa: N802
        self, request: pb.ReverseRequest, _context: Context
    ) -> pb.ReverseResponse:
        """Undo an authorization whatever became of it."""
        reference = _reference("authorization_reference", request.authorization_reference)
        return pb.ReverseResponse(outcome=await self._run(self._bank.reverse(reference)))

    async def Inquire(  # noqa: N802
        self, request: pb.InquireRequest, _context: Context
    ) -> pb.InquireResponse:
        """Tell what became of an operation."""
        reference = _reference("reference", request.reference)
        return pb.InquireResponse(outcome=_encoded(await self._bank.inquire(reference)))

    async def ListTestCards(  # noqa: N802
        self, _request: pb.ListTestCardsRequest, _context: Context
    ) -> pb.ListTestCardsResponse:
        """List the cards whose numbers decide what happens."""
        cards = {**dict.fromkeys(APPROVED_CARDS, Scenario.APPROVED), **CARDS}
        return pb.ListTestCardsResponse(
            cards=[
                pb.TestCard(pan=pan, description=DESCRIPTIONS[scenario])
                for pan, scenario in cards.items()
            ]
        )

    async def _operated(
        self, request: pb.CaptureRequest | pb.VoidRequest | pb.RefundRequest, operation: Operation
    ) -> pb.Outcome:
        instruction = Instruction(
            reference=_reference("reference", request.reference),
            authorization_reference=_reference(
                "authorization_reference", request.authorization_reference
            ),
            operation=operation,
        )
        return await self._run(self._bank.operate(instruction))

    async def _run(self, work: Coroutine[Any, Any, Outcome]) -> pb.Outcome:
        """Carry on when the caller hangs up: a bank does not stop half-way for that."""
        return _encoded(await self._running.to_the_end(work))


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
