"""What the line to the bank makes of answers and errors: a refusal is believed only of the bank."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import NoReturn

import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.message import DecodeError
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from grpc import StatusCode, aio

from paygate.acquirer.v1 import acquirer_service_pb2 as pb
from paygate.acquirer.v1 import acquirer_service_pb2_grpc as rpc
from pkg.grpc.guard import Context
from services.acquirer.refusals import DOMAIN
from services.payments.adapters.bank import BANK_DOMAIN, GrpcAcquirer
from services.payments.adapters.bank_line import BankLine
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
from services.payments.ports import Acquirer
from tests.builders import (
    DETAILS,
    NOW,
    authorized,
    begun,
    capture,
    captured,
    refund,
    void,
)
from tests.servers import server_with


@dataclass
class Bank(rpc.AcquirerServiceServicer):
    """Answers everything with the same outcome, or the same error."""

    outcome: pb.Outcome = field(default_factory=pb.Outcome)
    error: StatusCode | None = None
    details: bytes | None = None
    has_line: bool = True

    async def Line(  # noqa: N802
        self, request_iterator: AsyncIterator[pb.LineRequest], context: Context
    ) -> AsyncIterator[pb.LineResponse]:
        """Answer; a bank of before there were lines does not know what that is."""
        if not self.has_line:
            await context.abort(StatusCode.UNIMPLEMENTED)
        yield pb.LineResponse()
        async for request in request_iterator:
            yield pb.LineResponse(answers=[self._answer(asked) for asked in request.operations])

    def _answer(self, asked: pb.Operation) -> pb.Answer:
        if self.error is None:
            return pb.Answer(number=asked.number, outcome=self.outcome)
        try:
            status = Status.FromString(self.details or b"")
        except DecodeError:  # a line has such an error in parts: one of them is no message
            unreadable = AnyMessage()
            unreadable.Pack(ErrorInfo())
            unreadable.value = b"\xff\xff"
            status = Status(details=[unreadable])
        status.code = self.error.value[0]
        return pb.Answer(number=asked.number, error=status)

    async def _answered(self, context: Context) -> pb.Outcome:
        if self.error:
            await self._refuse(context, self.error)
        return self.outcome

    async def _refuse(self, context: Context, code: StatusCode) -> NoReturn:
        details = (("grpc-status-details-bin", self.details),) if self.details else ()
        await context.abort(code, "no", details)
        raise AssertionError("abort() always raises")

    async def Authorize(  # noqa: N802
        self, _request: pb.AuthorizeRequest, context: Context
    ) -> pb.AuthorizeResponse:
        """Answer."""
        return pb.AuthorizeResponse(outcome=await self._answered(context))

    async def Capture(  # noqa: N802
        self, _request: pb.CaptureRequest, context: Context
    ) -> pb.CaptureResponse:
        """Answer."""
        return pb.CaptureResponse(outcome=await self._answered(context))

    async def Void(self, _request: pb.VoidRequest, context: Context) -> pb.VoidResponse:  # noqa: N802
        """Answer."""
        return pb.VoidResponse(outcome=await self._answered(context))

    async def Refund(  # noqa: N802
        self, _request: pb.RefundRequest, context: Context
    ) -> pb.RefundResponse:
        """Answer."""
        return pb.RefundResponse(outcome=await self._answered(context))

    async def Reverse(  # noqa: N802
        self, _request: pb.ReverseRequest, context: Context
    ) -> pb.ReverseResponse:
        """Answer."""
        return pb.ReverseResponse(outcome=await self._answered(context))

    async def ListTestCards(  # noqa: N802
        self, _request: pb.ListTestCardsRequest, _context: Context
    ) -> pb.ListTestCardsResponse:
        """Have none."""
        return pb.ListTestCardsResponse()

    async def Inquire(  # noqa: N802
        self, _request: pb.InquireRequest, context: Context
    ) -> pb.InquireResponse:
        """Answer."""
        return pb.InquireResponse(outcome=await self._answered(context))


@pytest.fixture
def bank() -> Bank:
    """A bank that says nothing yet."""
    return Bank()  # type: ignore[abstract]  # nobody asks it for rules


@pytest.fixture(params=["a line", "calls alone"])
async def line(bank: Bank, request: pytest.FixtureRequest) -> AsyncIterator[GrpcAcquirer]:
    """A line to it; or what there is in its place if it has none."""
    bank.has_line = request.param == "a line"
    server = server_with()
    rpc.add_AcquirerServiceServicer_to_server(bank, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with BankLine(lambda: aio.insecure_channel(f"127.0.0.1:{port}")) as to_bank:
        yield GrpcAcquirer(to_bank, call_timeout_seconds=5, inquiry_timeout_seconds=5)
    await server.stop(None)


PAYMENT, AUTHORIZATION = begun()
CAPTURE = capture(authorized(), 400)[1]
VOID = void(authorized())[1]
REFUND = refund(captured(authorized(), 400), 100)[1]

Asks = Callable[[Acquirer], Awaitable[Answer | NotFound | Reversed]]
OPERATIONS: dict[str, Asks] = {
    "authorize": lambda line: line.authorize(PAYMENT, DETAILS),
    "capture": lambda line: line.perform(PAYMENT, CAPTURE, NOW),
    "void": lambda line: line.perform(PAYMENT, VOID, NOW),
    "refund": lambda line: line.perform(PAYMENT, REFUND, NOW),
}
QUESTIONS: dict[str, Asks] = {
    "reverse": lambda line: line.reverse(PAYMENT, NOW),
    "inquire for the authorization": lambda line: line.inquire(PAYMENT, AUTHORIZATION, NOW),
    "inquire for the capture": lambda line: line.inquire(PAYMENT, CAPTURE, NOW),
}
ALL = OPERATIONS | QUESTIONS


def details(domain: str) -> bytes:
    """Return the details of an error that somebody of that domain has made."""
    info = AnyMessage()
    info.Pack(ErrorInfo(reason="NO", domain=domain))
    status: bytes = Status(code=3, message="no", details=[info]).SerializeToString()
    return status


@pytest.mark.parametrize("asks", OPERATIONS)
@pytest.mark.parametrize("code", [StatusCode.INVALID_ARGUMENT, StatusCode.FAILED_PRECONDITION])
async def test_the_banks_own_refusal(
    bank: Bank, line: GrpcAcquirer, asks: str, code: StatusCode
) -> None:
    """It is one by the bank's domain and a code that says that asking again is no use."""
    bank.error, bank.details = code, details(DOMAIN)
    assert await ALL[asks](line) == Rejected()


@pytest.mark.parametrize("asks", ALL)
@pytest.mark.parametrize(
    ("code", "said"),
    [
        pytest.param(StatusCode.INVALID_ARGUMENT, None, id="a bare code"),
        pytest.param(StatusCode.INVALID_ARGUMENT, details("paygate"), id="of our own"),
        pytest.param(StatusCode.INVALID_ARGUMENT, details(""), id="of nobody"),
        pytest.param(StatusCode.FAILED_PRECONDITION, b"\xff\xff", id="unreadable"),
        pytest.param(StatusCode.UNAVAILABLE, details(BANK_DOMAIN), id="the bank is away"),
        pytest.param(StatusCode.INTERNAL, details(BANK_DOMAIN), id="the bank is broken"),
    ],
)
async def test_an_error_that_says_nothing(
    bank: Bank, line: GrpcAcquirer, asks: str, code: StatusCode, said: bytes | None
) -> None:
    """Whatever else goes wrong, it may have been carried out."""
    bank.error, bank.details = code, said
    assert await ALL[asks](line) == Unknown()


@pytest.mark.parametrize("asks", QUESTIONS)
async def test_the_way_out_of_doubt_is_never_refused(
    bank: Bank, line: GrpcAcquirer, asks: str
) -> None:
    """That the bank refuses the question says nothing of what was asked about."""
    bank.error, bank.details = StatusCode.INVALID_ARGUMENT, details(DOMAIN)
    assert await ALL[asks](line) == Unknown()


NO = Declined(DeclineCode.CARD_DECLINED)
OUTCOMES = {
    "approved": pb.Outcome(status=pb.Outcome.STATUS_APPROVED),
    "declined": pb.Outcome(status=pb.Outcome.STATUS_DECLINED, decline_code="CARD_DECLINED"),
    "reversed": pb.Outcome(status=pb.Outcome.STATUS_REVERSED),
    "not found": pb.Outcome(status=pb.Outcome.STATUS_NOT_FOUND),
    "nothing": pb.Outcome(),
}
# What each outcome means for what was asked, in the order of OUTCOMES.
MEANINGS: dict[str, list[Answer | NotFound | Reversed]] = {
    "authorize": [Approved(), NO, Rejected(), Unknown(), Unknown()],
    "capture": [Approved(), NO, Unknown(), Unknown(), Unknown()],
    "void": [Approved(), NO, Unknown(), Unknown(), Unknown()],
    "refund": [Approved(), NO, Unknown(), Unknown(), Unknown()],
    "reverse": [Unknown(), Unknown(), Reversed(), Unknown(), Unknown()],
    "inquire for the authorization": [Approved(), NO, Rejected(), NotFound(), Unknown()],
    "inquire for the capture": [Approved(), NO, Unknown(), NotFound(), Unknown()],
}


NO_REASON = {
    "authorize": DeclineCode.CARD_DECLINED,
    "capture": DeclineCode.CAPTURE_REJECTED,
    "void": DeclineCode.VOID_REJECTED,
    "refund": DeclineCode.REFUND_REJECTED,
    "inquire for the authorization": DeclineCode.CARD_DECLINED,
    "inquire for the capture": DeclineCode.CAPTURE_REJECTED,
}


@pytest.mark.parametrize("asks", NO_REASON)
@pytest.mark.parametrize("code", ["", "CODE_OF_NEXT_YEAR", "lost_card"])
async def test_a_decline_without_a_reason_that_we_know(
    bank: Bank, line: GrpcAcquirer, asks: str, code: str
) -> None:
    """It is a no to what was asked: a refund is refused, and no card is declined by it."""
    bank.outcome = pb.Outcome(status=pb.Outcome.STATUS_DECLINED, decline_code=code)
    assert await ALL[asks](line) == Declined(NO_REASON[asks])


@pytest.mark.parametrize("asks", NO_REASON)
@pytest.mark.parametrize(
    ("code", "kept"),
    [
        ("4F7A01BC", "4F7A01BC"),
        ("x" * 64, "x" * 64),
        ("x" * 65, ""),
        ("a\x00b", ""),
        ("a\nb", ""),
        ("ä", ""),
    ],
)
async def test_an_approval_has_the_banks_code(
    bank: Bank, line: GrpcAcquirer, asks: str, code: str, kept: str
) -> None:
    """As the bank gives it; what can't be shown to everybody is left out."""
    bank.outcome = pb.Outcome(status=pb.Outcome.STATUS_APPROVED, approval_code=code)
    assert await ALL[asks](line) == Approved(kept)


@pytest.mark.parametrize(
    ("asks", "outcome", "meaning"),
    [
        pytest.param(asks, outcome, meaning, id=f"{asks}, {outcome}")
        for asks, meanings in MEANINGS.items()
        for outcome, meaning in zip(OUTCOMES, meanings, strict=True)
    ],
)
async def test_an_outcome_counts_only_where_it_makes_sense(
    bank: Bank, line: GrpcAcquirer, asks: str, outcome: str, meaning: Answer | NotFound | Reversed
) -> None:
    """A capture that is "reversed", say, has no answer: it stays in doubt, and is asked about."""
    bank.outcome = OUTCOMES[outcome]
    assert await ALL[asks](line) == meaning
