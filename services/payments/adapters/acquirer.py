"""The customer's bank over gRPC. Every failure of transport is `Unknown`, never a decline."""

from collections.abc import Callable
from typing import assert_never

import grpc
import structlog
from google.protobuf.message import Message
from grpc import aio

from paygate.acquirer.v1 import acquirer_service_pb2 as pb
from paygate.acquirer.v1.acquirer_service_pb2_grpc import AcquirerServiceStub
from pkg.errors import DependencyUnavailableError
from pkg.money import Money
from pkg.rpc import outgoing_metadata
from pkg.tracing import UNTRACED, Kind, Tracer
from services.payments.domain.action import Action, ActionType
from services.payments.domain.outcome import (
    Answer,
    Approved,
    DeclineCode,
    Declined,
    NotFound,
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
        return _known(await self._answer("Authorize", self._bank.Authorize, request))

    async def perform(self, authorization: str, action: Action) -> Answer:
        """Carry out a capture, void, refund or reversal on an authorization's reference."""
        return _known(await self._answer(*self._operation(authorization, action)))

    async def inquire(self, reference: str) -> Answer | NotFound:
        """Ask what became of an operation."""
        request = pb.InquireRequest(reference=reference)
        return await self._answer("Inquire", self._bank.Inquire, request)

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
                void = pb.VoidRequest(reference=action.id, authorization_reference=authorization)
                return "Void", self._bank.Void, void
            case ActionType.REVERSE | ActionType.EXPIRE:
                reverse = pb.ReverseRequest(authorization_reference=authorization)
                return "Reverse", self._bank.Reverse, reverse
            case ActionType.AUTHORIZE:
                raise ValueError("an authorization needs the card: use authorize()")
            case _:
                assert_never(action.type)

    async def _answer(
        self, name: str, method: "Callable[..., _Call]", request: Message
    ) -> Answer | NotFound:
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
                logger.warning("no answer from the acquirer", code=str(code))
                span.tell("rpc.grpc.status_code", code.value[0])
                span.fail(code.name)
                return Unknown()
            span.tell("rpc.grpc.status_code", 0)
        return _outcome(response.outcome)


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


def _outcome(outcome: pb.Outcome) -> Answer | NotFound:
    match outcome.status:
        case pb.Outcome.STATUS_APPROVED:
            return Approved()
        case pb.Outcome.STATUS_DECLINED:
            return Declined(_decline(outcome.decline_code))
        case pb.Outcome.STATUS_REVERSED:
            return Reversed()
        case pb.Outcome.STATUS_NOT_FOUND:
            return NotFound()
        case _:
            return Unknown()


def _decline(code: str) -> DeclineCode:
    """A code that we do not know yet is still a no."""
    return DeclineCode(code) if code in DeclineCode.__members__ else DeclineCode.CARD_DECLINED


def _known(answer: Answer | NotFound) -> Answer:
    # Only an inquiry may say NotFound; as an answer to an operation it means nothing.
    return Unknown() if isinstance(answer, NotFound) else answer
