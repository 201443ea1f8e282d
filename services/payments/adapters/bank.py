"""The customer's bank over gRPC. Every failure of transport is `Unknown`, never a decline.

An error is a refusal only if the bank itself has made it, as its ErrorInfo says: a bare code may be
of a proxy, a balancer or the library, while the request was carried out or still is on its way.
"""

from datetime import UTC, datetime, timedelta
from typing import assert_never

import grpc
import structlog

from paygate.acquirer.v1 import acquirer_service_pb2 as pb
from pkg.grpc.guard import current_call
from pkg.observe.tracing import UNTRACED, Kind, Tracer
from services.payments.adapters.bank_calls import METHODS, Failure
from services.payments.adapters.bank_line import BankLine
from services.payments.domain.action import Action, ActionType
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
from services.payments.domain.payment import Payment
from services.payments.ports import CardDetails

logger = structlog.get_logger()

SERVICE = "paygate.acquirer.v1.AcquirerService"
_ATTRIBUTES = {
    kind: {"rpc.system": "grpc", "rpc.service": SERVICE, "rpc.method": name}
    for kind, name in METHODS.items()
}
_NAMES = {kind: f"{SERVICE}/{name}" for kind, name in METHODS.items()}
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
_EPOCH, _MICROSECOND = datetime.fromtimestamp(0, UTC), timedelta(microseconds=1)
_DEFINITE = {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.FAILED_PRECONDITION}


class GrpcAcquirer:
    """A bank that speaks paygate.acquirer.v1.

    Args:
        bank: The way to it.
        call_timeout_seconds: For an operation. Less than the deadline of a request, so that a look
            at what became of it still fits.
        inquiry_timeout_seconds: For that look.
        tells: Whether it is told whose request it is, and what rules look at: in a sandbox.
        tracer: Records the operations; None for nobody.
    """

    def __init__(
        self,
        bank: BankLine,
        *,
        call_timeout_seconds: float,
        inquiry_timeout_seconds: float,
        tells: bool = False,
        tracer: Tracer | None = None,
    ) -> None:
        self._bank = bank
        self._tells = tells
        self._tracer = tracer or UNTRACED
        self._call_timeout = call_timeout_seconds
        self._inquiry_timeout = inquiry_timeout_seconds

    def ensure_reachable(self) -> None:
        """Return unless the bank is known to be away.

        Raises:
            DependencyUnavailableError: It is.
        """
        self._bank.ensure_reachable()

    async def authorize(self, payment: Payment, card: CardDetails) -> Answer:
        """Ask to reserve the amount of a payment that begins."""
        operation, amount = pb.Operation(), payment.authorized
        # In place: to put messages into messages copies each.
        request = operation.authorize
        request.reference = payment.authorization_id
        request.pan = card.pan.reveal()
        request.expiry_month = card.expiry.month
        request.expiry_year = card.expiry.year
        if card.cvv:
            request.cvv = card.cvv.reveal()
        request.minor_units = amount.minor_units
        request.currency = amount.currency
        if self._tells:
            _tell(request.circumstances, payment, payment.reference, payment.create_time)
        outcome = await self._outcome("authorize", operation, self._call_timeout)
        return _answer(outcome, ActionType.AUTHORIZE)

    async def perform(self, payment: Payment, action: Action, now: datetime) -> Answer:
        """Carry out a capture, void or refund of a payment."""
        kind, operation = _operation(payment.authorization_id, action)
        if self._tells:
            told = getattr(operation, kind).circumstances
            _tell(told, payment, action.reference, now)
        return _answer(await self._outcome(kind, operation, self._call_timeout), action.type)

    async def reverse(self, payment: Payment, now: datetime) -> Reversed | Unknown:
        """Release what an authorization still holds, whatever became of it."""
        operation = pb.Operation()
        operation.reverse.authorization_reference = payment.authorization_id
        if self._tells:
            _tell(operation.reverse.circumstances, payment, payment.reference, now)
        outcome = await self._outcome("reverse", operation, self._call_timeout)
        if isinstance(outcome, pb.Outcome) and outcome.status == pb.Outcome.STATUS_REVERSED:
            return Reversed()
        return Unknown()

    async def inquire(self, payment: Payment, action: Action, now: datetime) -> Answer | NotFound:
        """Ask what became of an authorization, capture, void or refund."""
        operation = pb.Operation()
        operation.inquire.reference = action.id
        if self._tells:
            _tell(operation.inquire.circumstances, payment, action.reference, now)
        outcome = await self._outcome("inquire", operation, self._inquiry_timeout)
        if isinstance(outcome, Rejected):
            return Unknown()  # it is the question that was refused
        if isinstance(outcome, pb.Outcome) and outcome.status == pb.Outcome.STATUS_NOT_FOUND:
            return NotFound()
        return _answer(outcome, action.type)

    async def _outcome(
        self, kind: str, operation: pb.Operation, timeout_seconds: float
    ) -> pb.Outcome | Rejected | Unknown:
        with self._tracer.span(
            _NAMES[kind], kind=Kind.CLIENT, attributes=_ATTRIBUTES[kind]
        ) as span:
            if call := current_call():
                operation.request_id = call.request_id
            if span.traceparent:
                operation.traceparent = span.traceparent
            outcome = await self._bank.ask(operation, timeout_seconds=timeout_seconds)
            if isinstance(outcome, pb.Outcome):
                span.tell("rpc.grpc.status_code", 0)
                return outcome
            span.tell("rpc.grpc.status_code", outcome.code.value[0])
            span.fail(outcome.code.name)
        return _without_outcome(outcome)


def _tell(told: pb.Circumstances, payment: Payment, own_reference: str, now: datetime) -> None:
    told.merchant_id = payment.merchant_id
    told.time = (now - _EPOCH) // _MICROSECOND
    told.currency = payment.authorized.currency
    told.brand = payment.card.brand
    told.last4 = payment.card.last4
    told.payment_reference = payment.reference
    told.own_reference = own_reference


def _operation(authorization: str, action: Action) -> tuple[str, pb.Operation]:
    """Return what a capture, void or refund is to the bank, and its kind."""
    operation = pb.Operation()
    match action.type:
        case ActionType.CAPTURE:
            capture = operation.capture
            capture.reference = action.id
            capture.authorization_reference = authorization
            capture.minor_units = action.amount.minor_units
            capture.final = action.final
            return "capture", operation
        case ActionType.REFUND:
            refund = operation.refund
            refund.reference = action.id
            refund.authorization_reference = authorization
            refund.minor_units = action.amount.minor_units
            return "refund", operation
        case ActionType.VOID:
            void = operation.void
            void.reference = action.id
            void.authorization_reference = authorization
            void.remainder = action.final
            return "void", operation
        case ActionType.AUTHORIZE | ActionType.REVERSE | ActionType.EXPIRE:
            raise ValueError(f"{action.type} has a method of its own")
        case _:
            assert_never(action.type)


def _without_outcome(failure: Failure) -> Rejected | Unknown:
    """Return what an error means. Its text is left out: it is the bank's words."""
    if failure.code in _DEFINITE and failure.domain == BANK_DOMAIN:
        logger.warning("refused by the acquirer", code=str(failure.code))
        return Rejected()
    event = "no answer from the acquirer" if failure.is_sent else "not sent to the acquirer"
    logger.warning(event, code=str(failure.code))
    return Unknown()


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
