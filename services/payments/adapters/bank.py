"""The customer's bank over gRPC. Every failure of transport is `Unknown`, never a decline.

An error is a refusal only if the bank itself has made it; see `_is_the_banks_own`.
"""

from collections.abc import Callable
from typing import assert_never

import grpc
import structlog
from google.protobuf.message import DecodeError, Message
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from grpc import aio

from paygate.acquirer.v1 import acquirer_service_pb2 as pb
from paygate.acquirer.v1.acquirer_service_pb2_grpc import AcquirerServiceStub
from pkg.errors import DependencyUnavailableError
from pkg.grpc.guard import outgoing_metadata
from pkg.observe.tracing import UNTRACED, Kind, Tracer
from services.payments.domain.action import Action, ActionType
from services.payments.domain.money import Money
from services.payments.domain.outcome import (
    Answer,
    Approved,
    DeclineCode,
    Declined,
    NotFound,
    Rejected,
    Reversed,
    Unknown,
)
from services.payments.ports import CardDetails

logger = structlog.get_logger()

SERVICE = "paygate.acquirer.v1.AcquirerService"
_ATTRIBUTES = {
    name: {"rpc.system": "grpc", "rpc.service": SERVICE, "rpc.method": name}
    for name in ("Authorize", "Capture", "Refund", "Void", "Reverse", "Inquire")
}
_UNKNOWN = grpc.StatusCode.UNKNOWN
APPROVAL_CODE_CHARACTERS_MAX = 64
# What a decline without a reason that we know means. A reversal is never declined.
_NO = {
    ActionType.AUTHORIZE: DeclineCode.CARD_DECLINED,
    ActionType.CAPTURE: DeclineCode.CAPTURE_REJECTED,
    ActionType.VOID: DeclineCode.VOID_REJECTED,
    ActionType.REFUND: DeclineCode.REFUND_REJECTED,
}
# Who has made an error, by its ErrorInfo; and the codes that say that asking again is no use.
BANK_DOMAIN = "acquirer.paygate"
_DEFINITE = {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.FAILED_PRECONDITION}


class GrpcAcquirer:
    """A bank that speaks paygate.acquirer.v1.

    Args:
        channel: To the bank.
        call_timeout_seconds: For an operation. Less than the deadline of a request, so that a look
            at what became of it still fits.
        inquiry_timeout_seconds: For that look.
        tracer: Records the calls; None for nobody.
    """

    def __init__(
        self,
        channel: aio.Channel,
        *,
        call_timeout_seconds: float,
        inquiry_timeout_seconds: float,
        tracer: Tracer | None = None,
    ) -> None:
        self._bank = AcquirerServiceStub(channel)
        self._tracer = tracer or UNTRACED
        self._call_timeout = call_timeout_seconds
        self._inquiry_timeout = inquiry_timeout_seconds

    async def authorize(self, reference: str, card: CardDetails, amount: Money) -> Answer:
        """Ask to reserve an amount."""
        request = pb.AuthorizeRequest(
            reference=reference,
            pan=card.pan.reveal(),
            expiry_month=card.expiry.month,
            expiry_year=card.expiry.year,
            cvv=card.cvv.reveal() if card.cvv else "",
            minor_units=amount.minor_units,
            currency=amount.currency,
        )
        outcome = await self._outcome("Authorize", self._bank.Authorize, request)
        return _answer(outcome, ActionType.AUTHORIZE)

    async def perform(self, authorization: str, action: Action) -> Answer:
        """Carry out a capture, void or refund on an authorization's reference."""
        outcome = await self._outcome(*self._operation(authorization, action))
        return _answer(outcome, action.type)

    async def reverse(self, authorization: str) -> Reversed | Unknown:
        """Release what an authorization still holds, whatever became of it."""
        request = pb.ReverseRequest(authorization_reference=authorization)
        outcome = await self._outcome("Reverse", self._bank.Reverse, request)
        if isinstance(outcome, pb.Outcome) and outcome.status == pb.Outcome.STATUS_REVERSED:
            return Reversed()
        return Unknown()

    async def inquire(self, action: Action) -> Answer | NotFound:
        """Ask what became of an authorization, capture, void or refund."""
        request = pb.InquireRequest(reference=action.id)
        outcome = await self._outcome("Inquire", self._bank.Inquire, request)
        if isinstance(outcome, Rejected):
            return Unknown()  # it is the question that was refused
        if isinstance(outcome, pb.Outcome) and outcome.status == pb.Outcome.STATUS_NOT_FOUND:
            return NotFound()
        return _answer(outcome, action.type)

    def _operation(
        self, authorization: str, action: Action
    ) -> tuple[str, "Callable[..., _Call]", Message]:
        """Return the method, by its name as well, and its request."""
        amount = action.amount.minor_units
        match action.type:
            case ActionType.CAPTURE:
                capture = pb.CaptureRequest(
                    reference=action.id,
                    authorization_reference=authorization,
                    minor_units=amount,
                    final=action.final,
                )
                return "Capture", self._bank.Capture, capture
            case ActionType.REFUND:
                refund = pb.RefundRequest(
                    reference=action.id, authorization_reference=authorization, minor_units=amount
                )
                return "Refund", self._bank.Refund, refund
            case ActionType.VOID:
                void = pb.VoidRequest(
                    reference=action.id,
                    authorization_reference=authorization,
                    remainder=action.final,
                )
                return "Void", self._bank.Void, void
            case ActionType.AUTHORIZE | ActionType.REVERSE | ActionType.EXPIRE:
                raise ValueError(f"{action.type} has a method of its own")
            case _:
                assert_never(action.type)

    async def _outcome(
        self, name: str, method: "Callable[..., _Call]", request: Message
    ) -> pb.Outcome | Rejected | Unknown:
        timeout = self._inquiry_timeout if name == "Inquire" else self._call_timeout
        with self._tracer.span(
            f"{SERVICE}/{name}", kind=Kind.CLIENT, attributes=_ATTRIBUTES[name]
        ) as span:
            metadata = outgoing_metadata(span.traceparent)
            try:
                response = await method(request, timeout=timeout, metadata=metadata)
            except grpc.RpcError as problem:
                # grpcio does not say by its code whether a byte was sent. The details are left out:
                # they are the bank's words, and may repeat what it was sent.
                code = problem.code() if isinstance(problem, aio.AioRpcError) else _UNKNOWN
                span.tell("rpc.grpc.status_code", code.value[0])
                span.fail(code.name)
                if code in _DEFINITE and _is_the_banks_own(problem):
                    logger.warning("refused by the acquirer", code=str(code))
                    return Rejected()
                logger.warning("no answer from the acquirer", code=str(code))
                return Unknown()
            span.tell("rpc.grpc.status_code", 0)
        return response.outcome


class GrpcTestCards:
    """The cards of a bank that is simulated; see `sandbox.TestCards`."""

    def __init__(self, channel: aio.Channel, *, timeout_seconds: float) -> None:
        self._bank = AcquirerServiceStub(channel)
        self._timeout_seconds = timeout_seconds

    async def list(self) -> list[tuple[str, str]]:
        """Return their numbers and what happens with them.

        Raises:
            DependencyUnavailableError: The bank does not answer.
        """
        request = pb.ListTestCardsRequest()
        try:
            response = await self._bank.ListTestCards(request, timeout=self._timeout_seconds)
        except grpc.RpcError as problem:
            raise DependencyUnavailableError from problem
        return [(card.pan, card.description) for card in response.cards]


_Call = (
    aio.UnaryUnaryCall[pb.AuthorizeRequest, pb.AuthorizeResponse]
    | aio.UnaryUnaryCall[pb.CaptureRequest, pb.CaptureResponse]
    | aio.UnaryUnaryCall[pb.VoidRequest, pb.VoidResponse]
    | aio.UnaryUnaryCall[pb.RefundRequest, pb.RefundResponse]
    | aio.UnaryUnaryCall[pb.ReverseRequest, pb.ReverseResponse]
    | aio.UnaryUnaryCall[pb.InquireRequest, pb.InquireResponse]
)


def _answer(outcome: pb.Outcome | Rejected | Unknown, kind: ActionType) -> Answer:
    """Return what the outcome says of an action of that kind; what makes no sense is no answer."""
    if not isinstance(outcome, pb.Outcome):
        return outcome
    match outcome.status:
        case pb.Outcome.STATUS_APPROVED:
            return Approved(_approval_code(outcome.approval_code))
        case pb.Outcome.STATUS_DECLINED:
            return Declined(_decline(outcome.decline_code, kind))
        case pb.Outcome.STATUS_REVERSED if kind is ActionType.AUTHORIZE:
            return Rejected()
        case _:
            return Unknown()


def _decline(code: str, kind: ActionType) -> DeclineCode:
    """A code that we do not know yet is still a no, to what was asked."""
    return DeclineCode(code) if code in DeclineCode.__members__ else _NO[kind]


def _approval_code(code: str) -> str:
    """Return the bank's code; nothing if it can't be one, since it is shown to clients."""
    is_one = len(code) <= APPROVAL_CODE_CHARACTERS_MAX and code.isascii() and code.isprintable()
    return code if is_one else ""


def _is_the_banks_own(problem: grpc.RpcError) -> bool:
    """Tell whether the bank itself has made this error.

    A bare code says nothing: a proxy, a balancer or the library may have made it, while the request
    was carried out or still is on its way.
    """
    assert isinstance(problem, aio.AioRpcError)
    for name, value in problem.trailing_metadata() or ():
        if name == "grpc-status-details-bin" and isinstance(value, bytes):
            return _domain(value) == BANK_DOMAIN
    return False


def _domain(status: bytes) -> str:
    info = ErrorInfo()
    try:
        details = Status.FromString(status).details
        return next((info.domain for detail in details if detail.Unpack(info)), "")
    except DecodeError:
        return ""
