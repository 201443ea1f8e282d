"""The bank over gRPC: callers who hang up, malformed requests, and what errors say."""

import asyncio

import pytest
from grpc import StatusCode, aio
from structlog.testing import capture_logs

from paygate.acquirer.v1 import acquirer_service_pb2 as pb
from services.acquirer.book import Book
from tests.integration.acquirer.line import (
    APPROVED,
    NOT_FOUND,
    REVERSED,
    SLOW_CARD,
    Line,
    authorize_request,
)


async def test_a_slow_bank_holds_nothing_while_it_waits(line: Line) -> None:
    """More slow requests than there are connections leave the others as fast as ever."""
    line.time.passes.clear()
    slow = [
        asyncio.ensure_future(
            line.stub.Authorize(authorize_request(pan=SLOW_CARD, reference=f"slow{number}"))
        )
        for number in range(10)
    ]
    await line.time.sleeping.wait()
    assert (await line.authorize()).status == APPROVED
    line.time.passes.set()
    outcomes = [reply.outcome.status for reply in await asyncio.gather(*slow)]
    assert outcomes == [APPROVED] * 10


async def test_a_bank_carries_on_when_the_caller_hangs_up(line: Line) -> None:
    """What was asked is done all the same: only a reversal can stop it."""
    line.time.passes.clear()
    for reference in ("auth", "undone"):
        line.time.sleeping.clear()
        call = line.stub.Authorize(authorize_request(pan=SLOW_CARD, reference=reference))
        sent = asyncio.ensure_future(call)
        await line.time.sleeping.wait()
        sent.cancel()
        assert (await line.inquire(reference)).status == NOT_FOUND
    await line.stub.Reverse(pb.ReverseRequest(authorization_reference="undone"))
    line.time.passes.set()
    assert line.drain
    await line.drain()
    assert (await line.inquire("auth")).status == APPROVED
    assert (await line.inquire("undone")).status == REVERSED


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"reference": ""}, "reference"),
        ({"reference": "x" * 65}, "reference"),
        ({"reference": "a\0b"}, "reference"),
        ({"pan": ""}, "pan"),
        ({"pan": "4242424242424241"}, "pan"),
        ({"expiry_month": 13}, "expiry_month, expiry_year"),
        ({"expiry_year": 30}, "expiry_month, expiry_year"),
        ({"cvv": "12"}, "cvv"),
        ({"cvv": "12345"}, "cvv"),
        ({"minor_units": 0}, "minor_units"),
        ({"minor_units": -1}, "minor_units"),
        ({"currency": "gbp"}, "currency"),
        ({"currency": "POUND"}, "currency"),
    ],
)
async def test_a_malformed_authorization(
    line: Line, fields: dict[str, str | int], named: str
) -> None:
    """It is refused with the field's name, without its value, and nothing is recorded."""
    with pytest.raises(aio.AioRpcError) as raised:
        await line.stub.Authorize(authorize_request(**fields))
    assert raised.value.code() is StatusCode.INVALID_ARGUMENT
    assert raised.value.details() == f"The request is malformed: {named}."
    assert (await line.inquire("auth")).status == NOT_FOUND


@pytest.mark.parametrize(
    ("method", "request_", "named"),
    [
        ("Capture", pb.CaptureRequest(reference="c", minor_units=1), "authorization_reference"),
        ("Capture", pb.CaptureRequest(reference="c", authorization_reference="a"), "minor_units"),
        ("Refund", pb.RefundRequest(authorization_reference="a", minor_units=1), "reference"),
        ("Void", pb.VoidRequest(reference="v"), "authorization_reference"),
        ("Reverse", pb.ReverseRequest(), "authorization_reference"),
        ("Inquire", pb.InquireRequest(reference="x" * 65), "reference"),
    ],
)
async def test_a_malformed_operation(
    line: Line,
    method: str,
    request_: pb.CaptureRequest | pb.VoidRequest | pb.ReverseRequest | pb.InquireRequest,
    named: str,
) -> None:
    """It is refused with the field's name."""
    with pytest.raises(aio.AioRpcError) as raised:
        await getattr(line.stub, method)(request_)
    assert raised.value.code() is StatusCode.INVALID_ARGUMENT
    assert raised.value.details() == f"The request is malformed: {named}."


async def test_a_reference_that_is_in_use(line: Line) -> None:
    """Another request under it is refused, and the first outcome stands."""
    first = await line.authorize()
    with pytest.raises(aio.AioRpcError) as raised:
        await line.authorize(minor_units=999)
    assert raised.value.code() is StatusCode.INVALID_ARGUMENT
    assert raised.value.details() == "The reference belongs to another request."
    assert await line.authorize() == first


@pytest.mark.parametrize(
    ("method", "message", "code"),
    [
        ("Inquire", b"\n\x02\xff\xfe", StatusCode.INVALID_ARGUMENT),  # not UTF-8
        ("Inquire", b"\xff\xff", StatusCode.INVALID_ARGUMENT),  # not a message
        ("Settle", b"", StatusCode.UNIMPLEMENTED),
    ],
)
async def test_messages_that_cannot_be_read(
    line: Line, method: str, message: bytes, code: StatusCode
) -> None:
    """They are refused without a word of what the decoder says."""
    call: aio.UnaryUnaryMultiCallable[bytes, bytes]
    call = line.channel.unary_unary(f"/paygate.acquirer.v1.AcquirerService/{method}")
    with pytest.raises(aio.AioRpcError) as raised:
        await call(message)
    assert raised.value.code() is code
    assert "xception" not in (raised.value.details() or "")


async def test_an_unexpected_error_keeps_its_words(line: Line, book: Book) -> None:
    """The caller reads that there was one; what it was stands in the log."""
    async with book.pool.acquire() as connection:
        await connection.execute("DROP TABLE operations")
    with capture_logs() as logs, pytest.raises(aio.AioRpcError) as raised:
        await line.inquire("auth")
    assert raised.value.code() is StatusCode.INTERNAL
    assert "operations" not in (raised.value.details() or "")
    assert [str(log["exc_info"]) for log in logs] == ['relation "operations" does not exist']
