"""What the simulated bank is told to forget: operations, and merchants who are no more."""

from typing import Any

import grpc
import pytest
from grpc import aio

from paygate.acquirer.v1 import acquirer_service_pb2 as pb
from services.acquirer.book import Book
from services.acquirer.operations import ERASED_MAX
from tests.integration.acquirer.line import APPROVED, NOT_FOUND, Line
from tests.integration.acquirer.ruled import APPROVE, Ruled


async def fetched(book: Book, statement: str) -> list[Any]:
    """Return the first column of what a statement finds."""
    return [row[0] for row in await book.pool.fetch(statement)]


async def status_of(line: Line, reference: str) -> pb.Outcome.Status.ValueType:
    """Return what became of an operation."""
    return (await line.stub.Inquire(pb.InquireRequest(reference=reference))).outcome.status


async def test_what_is_erased_has_never_been(line: Line, book: Book) -> None:
    """With the rules that were used for it; all else stays, and again does no harm."""
    await Ruled(line).rule(APPROVE)
    await Ruled(line).authorize("ruled")
    await line.authorize()
    await line.capture()
    for _ in range(2):
        await line.stub.Erase(pb.EraseRequest(references=["capture", "ruled", "nobodys"]))
    assert [await status_of(line, one) for one in ("auth", "capture", "ruled")] == [
        APPROVED,
        NOT_FOUND,
        NOT_FOUND,
    ]
    assert await fetched(book, "SELECT count(*) FROM rule_uses") == [0]


async def test_so_much_is_erased_at_once_and_no_more(line: Line) -> None:
    """A longer list is refused whole."""
    references = [f"r{number}" for number in range(ERASED_MAX + 1)]
    await line.stub.Erase(pb.EraseRequest(references=references[:-1]))
    with pytest.raises(aio.AioRpcError) as refused:
        await line.stub.Erase(pb.EraseRequest(references=references))
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_merchants_who_are_no_more_leave_nothing(line: Line, book: Book) -> None:
    """Who never had a rule at once, others when every process has had time to see it."""
    owners = "SELECT merchant_id FROM rule_books ORDER BY 1"
    gone, stays = Ruled(line, "mer_gone"), Ruled(line, "mer_stays")
    await gone.rule(APPROVE)
    await stays.rule(APPROVE)
    for merchant_id in ("mer_gone", "mer_without"):
        await line.stub.Forget(pb.ForgetRequest(merchant_id=merchant_id))
    assert await fetched(book, owners) == ["mer_gone", "mer_stays"]
    await book.pool.execute("UPDATE rules_version SET version = version + 20000")
    await Ruled(line, "mer_last").rule(APPROVE)
    await line.stub.Forget(pb.ForgetRequest(merchant_id="mer_last"))
    assert await fetched(book, owners) == ["mer_last", "mer_stays"]
    assert await stays.authorize() == "APPROVED"
    assert await stays.hits() == [1]
