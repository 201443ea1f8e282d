"""The bank's end of a line: what it bounds, refuses, finishes and records."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from google.rpc.error_details_pb2 import ErrorInfo
from grpc import StatusCode, aio
from structlog.testing import capture_logs

from paygate.acquirer.v1 import acquirer_service_pb2 as pb
from services.acquirer.book import Book
from services.acquirer.line import OPERATIONS_MAX as IN_A_MESSAGE_MAX
from services.acquirer.refusals import DOMAIN
from tests.integration.acquirer.line import (
    APPROVED,
    NOT_FOUND,
    OPERATIONS_MAX,
    SLOW_CARD,
    Line,
    authorize_request,
)

SOON = 5.0


class Caller:
    """A gateway at the other end."""

    def __init__(self, call: Any) -> None:
        self.call = call  # a stream, for which grpc has several types

    async def ask(self, *operations: pb.Operation) -> None:
        """Write operations in one message."""
        await self.call.write(pb.LineRequest(operations=operations))

    async def answers(self, count: int) -> dict[int, pb.Answer]:
        """Return so many answers by their numbers."""
        found: dict[int, pb.Answer] = {}
        async with asyncio.timeout(SOON):
            while len(found) < count:
                found |= {one.number: one for one in (await self.call.read()).answers}
        return found


@asynccontextmanager
async def opened(line: Line) -> AsyncIterator[Caller]:
    """Open a line, and hear that it is."""
    call = line.stub.Line()
    greeting = await call.read()
    assert greeting == pb.LineResponse()
    try:
        yield Caller(call)
    finally:
        call.cancel()


def authorize(number: int, **fields: str | int) -> pb.Operation:
    """Return an authorization under a reference of its own."""
    request = authorize_request(**{"reference": f"auth{number}", **fields})
    return pb.Operation(number=number, authorize=request)


async def until(holds: Callable[[], bool]) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(SOON):
        while not holds():
            await asyncio.sleep(0.005)


async def test_operations_of_all_kinds(line: Line) -> None:
    """Each is answered as its own RPC would be, whatever comes in between."""
    async with opened(line) as caller:
        await caller.ask(authorize(1, reference="auth"))
        assert (await caller.answers(1))[1].outcome.status == APPROVED
        capture = pb.CaptureRequest(
            reference="capture", authorization_reference="auth", minor_units=400, final=True
        )
        await caller.ask(pb.Operation(number=2, capture=capture))
        assert (await caller.answers(1))[2].outcome == await line.capture_final()
        refund = pb.RefundRequest(
            reference="refund", authorization_reference="auth", minor_units=400
        )
        void = pb.VoidRequest(reference="void", authorization_reference="auth")
        await caller.ask(pb.Operation(number=3, refund=refund), pb.Operation(number=4, void=void))
        answers = await caller.answers(2)
        assert answers[3].outcome == await line.refund()
        assert answers[4].outcome == await line.void()
        reverse = pb.ReverseRequest(authorization_reference="auth")
        await caller.ask(pb.Operation(number=5, reverse=reverse))
        assert (await caller.answers(1))[5].outcome == await line.reverse()
        inquire = pb.InquireRequest(reference="nobody's")
        await caller.ask(pb.Operation(number=6, inquire=inquire))
        assert (await caller.answers(1))[6].outcome.status == NOT_FOUND


async def test_slow_cards_beside_fast_ones(line: Line) -> None:
    """A slow card holds nobody up."""
    line.time.passes.clear()
    async with opened(line) as caller:
        await caller.ask(authorize(1, pan=SLOW_CARD), authorize(2), authorize(3))
        assert set(await caller.answers(2)) == {2, 3}
        line.time.passes.set()
        assert (await caller.answers(1))[1].outcome.status == APPROVED


async def test_a_line_has_a_bounded_number_under_way(line: Line) -> None:
    """More is not read from it until something has ended, and another line still has room."""
    line.time.passes.clear()
    share, sent = OPERATIONS_MAX // 2, 3 * OPERATIONS_MAX
    async with opened(line) as greedy, opened(line) as other:
        for number in range(1, sent + 1):
            await greedy.ask(authorize(number, pan=SLOW_CARD))
        await until(lambda: len(line.time.slept) >= share)
        await other.ask(authorize(sent + 1))
        assert set(await other.answers(1)) == {sent + 1}
        assert len(line.time.slept) == share
        line.time.passes.set()
        assert set(await greedy.answers(sent)) == set(range(1, sent + 1))


async def test_all_lines_together_have_a_bound(line: Line) -> None:
    """What is under way on all of them is no more than the bank takes."""
    line.time.passes.clear()
    async with opened(line) as one, opened(line) as two, opened(line) as three:
        for number in range(1, OPERATIONS_MAX + 1):
            for nth, caller in enumerate((one, two, three)):
                await caller.ask(authorize(number, reference=f"a{nth}-{number}", pan=SLOW_CARD))
        await until(lambda: len(line.time.slept) >= OPERATIONS_MAX)
        line.time.passes.set()
        for caller in (one, two, three):
            assert len(await caller.answers(OPERATIONS_MAX)) == OPERATIONS_MAX


async def test_a_line_that_breaks_leaves_its_room_to_others(line: Line) -> None:
    """What was under way on it ends by itself, and takes up nothing then."""
    line.time.passes.clear()
    for nth in range(2):
        async with opened(line) as caller:
            for number in range(1, OPERATIONS_MAX // 2 + 1):
                await caller.ask(authorize(number, reference=f"a{nth}-{number}", pan=SLOW_CARD))
            slept = (nth + 1) * OPERATIONS_MAX // 2
            await until(lambda slept=slept: len(line.time.slept) == slept)  # type: ignore[misc]
    line.time.passes.set()
    assert line.lines
    await line.lines.drain()
    async with opened(line) as caller:
        await caller.ask(*(authorize(number) for number in range(1, OPERATIONS_MAX + 1)))
        assert len(await caller.answers(OPERATIONS_MAX)) == OPERATIONS_MAX
    assert (await line.inquire("a0-1")).status == APPROVED


@pytest.mark.parametrize(
    ("operation", "reason", "message"),
    [
        (authorize(7, currency="gbp"), "INVALID_REQUEST", "The request is malformed: currency."),
        (pb.Operation(number=7), "INVALID_REQUEST", "The request is malformed: request."),
    ],
)
async def test_a_malformed_operation(
    line: Line, operation: pb.Operation, reason: str, message: str
) -> None:
    """It is refused in the bank's own name, and the others are carried out."""
    async with opened(line) as caller:
        await caller.ask(operation, authorize(8))
        answers = await caller.answers(2)
    error, info = answers[7].error, ErrorInfo()
    assert (error.code, error.message) == (StatusCode.INVALID_ARGUMENT.value[0], message)
    assert error.details[0].Unpack(info)
    assert (info.domain, info.reason) == (DOMAIN, reason)
    assert answers[8].outcome.status == APPROVED


async def test_an_unexpected_error_keeps_its_words(line: Line, book: Book) -> None:
    """The caller reads that there was one; what it was stands in the log; the line goes on."""
    async with book.pool.acquire() as connection:
        await connection.execute("DROP TABLE operations")
    async with opened(line) as caller:
        with capture_logs() as logs:
            inquire = pb.InquireRequest(reference="auth")
            await caller.ask(pb.Operation(number=1, inquire=inquire))
            error = (await caller.answers(1))[1].error
        assert error.code == StatusCode.INTERNAL.value[0]
        assert "operations" not in str(error)
        assert [log["exc_info"] for log in logs] == [True]
        await caller.ask(authorize(2))
        assert (await caller.answers(1))[2].outcome.status == APPROVED


@pytest.mark.parametrize(
    "message",
    [
        pytest.param(b"\xff\xff", id="not a message"),
        pytest.param(
            pb.LineRequest(operations=[authorize(1)] * (IN_A_MESSAGE_MAX + 1)).SerializeToString(),
            id="too many operations",
        ),
    ],
)
async def test_messages_that_cannot_be_read(line: Line, message: bytes) -> None:
    """They end the line, without a word of what the decoder says; nothing of them is done."""
    call: Any = line.channel.stream_stream("/paygate.acquirer.v1.AcquirerService/Line")()
    await call.read()
    await call.write(message)
    with pytest.raises(aio.AioRpcError) as raised:
        await call.read()
    assert raised.value.code() is StatusCode.INVALID_ARGUMENT
    assert raised.value.details() == "The request message could not be read."
    assert (await line.inquire("auth1")).status == NOT_FOUND


async def test_a_bank_that_is_about_to_end(line: Line) -> None:
    """It says so on each line, now and from now on, and answers what it has before a line ends."""
    line.time.passes.clear()
    assert line.lines
    async with opened(line) as caller:
        await caller.ask(authorize(1, pan=SLOW_CARD))
        await line.time.sleeping.wait()
        line.lines.close()
        assert (await caller.call.read()).closing
        await caller.call.done_writing()
        line.time.passes.set()
        response = await caller.call.read()
        assert [answer.number for answer in response.answers] == [1]
        assert await caller.call.read() is aio.EOF
    late = line.stub.Line()
    greeting = await late.read()
    assert isinstance(greeting, pb.LineResponse)
    assert greeting.closing
    with suppress(aio.AioRpcError):
        late.cancel()
