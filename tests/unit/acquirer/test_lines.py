"""The bank's end of a line, without a network: what it says when, and what it takes up."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import cast

from paygate.acquirer.v1 import acquirer_service_pb2 as pb
from pkg.grpc.calls import CallRecords
from pkg.observe.metrics import Metrics
from services.acquirer.bank import Bank
from services.acquirer.errors import UnreachableError
from services.acquirer.line import Lines
from services.acquirer.operations import Operations
from services.acquirer.simulator import Approved, Outcome

SERVICE = "paygate.acquirer.v1.AcquirerService"
SOON = 5.0


@dataclass
class Inquired:
    """A bank that knows everything, once it may speak; but for what it does not reach."""

    speaks: asyncio.Event = field(default_factory=asyncio.Event)

    async def inquire(self, reference: str, _told: object) -> Outcome:
        """Answer."""
        await self.speaks.wait()
        if reference == "unreachable":
            raise UnreachableError
        return Approved("CODE")


@dataclass
class Caller:
    """Whoever is at the other end."""

    sent: "asyncio.Queue[pb.LineRequest | None]" = field(default_factory=asyncio.Queue)

    def ask(self, *references: str) -> None:
        """Write operations in one message."""
        request = pb.LineRequest()
        for number, reference in enumerate(references, start=1):
            request.operations.add(
                number=number, request_id="r-1", inquire=pb.InquireRequest(reference=reference)
            )
        self.sent.put_nowait(request)

    def hang_up(self) -> None:
        """Close this side."""
        self.sent.put_nowait(None)

    async def requests(self) -> AsyncIterator[pb.LineRequest]:
        """Return what was written."""
        while (request := await self.sent.get()) is not None:
            yield request


def lines_of(bank: Inquired, records: CallRecords | None = None) -> Lines:
    """Return the lines of a bank."""
    return Lines(Operations(cast("Bank", bank)), records, operations_max=8)


async def test_a_bank_that_begins_to_end_while_it_writes_says_so_next() -> None:
    """Whatever was being written then, the caller is told, or it would go on asking."""
    bank, caller = Inquired(), Caller()
    lines = lines_of(bank)
    responses = lines.serve(caller.requests(), "")
    async with asyncio.timeout(SOON):
        assert not (await anext(responses)).closing
        lines.close()  # while the first response is on its way
        assert (await anext(responses)).closing
        caller.ask("act_a")
        bank.speaks.set()
        response = await anext(responses)
        assert [answer.number for answer in response.answers] == [1]
        caller.hang_up()
        assert [response async for response in responses] == []


async def test_what_is_answered_while_a_response_is_written_goes_with_the_next() -> None:
    """No answer is lost between two responses."""
    bank, caller = Inquired(), Caller()
    responses = lines_of(bank).serve(caller.requests(), "")
    async with asyncio.timeout(SOON):
        await anext(responses)
        caller.ask("act_a", "act_b")
        following = asyncio.ensure_future(anext(responses))
        await asyncio.sleep(0.01)
        caller.ask("act_c")
        await asyncio.sleep(0.01)
        bank.speaks.set()
        answers = [*(await following).answers]
        while len(answers) < 3:
            answers += (await anext(responses)).answers
        assert all(answer.outcome.status == pb.Outcome.STATUS_APPROVED for answer in answers)
        caller.hang_up()
        assert [response async for response in responses] == []


async def test_operations_are_counted_as_the_calls_that_they_are() -> None:
    """Each by its own method and status, as if it had come by itself."""
    bank, caller, metrics = Inquired(), Caller(), Metrics()
    bank.speaks.set()
    responses = lines_of(bank, CallRecords(metrics)).serve(caller.requests(), "")
    async with asyncio.timeout(SOON):
        await anext(responses)
        caller.ask("act_a", "unreachable", "")
        caller.hang_up()
        async for _ in responses:
            pass
    handled = metrics.values("grpc_server_handled_total")
    assert handled == {
        (SERVICE, "Inquire", "OK"): 1,
        (SERVICE, "Inquire", "UNAVAILABLE"): 1,
        (SERVICE, "Inquire", "INVALID_ARGUMENT"): 1,
    }
    assert metrics.values("paygate_requests_in_flight") == {(): 0}
