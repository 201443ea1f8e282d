"""The RPCs: one operation each, or many on a line."""

from collections.abc import AsyncIterator
from contextlib import aclosing

from paygate.acquirer.v1 import acquirer_service_pb2 as pb
from paygate.acquirer.v1 import acquirer_service_pb2_grpc as rpc
from pkg.grpc.guard import Context, client_address
from pkg.grpc.messages import UNREADABLE
from services.acquirer.cards import APPROVED_CARDS, CARDS, DESCRIPTIONS, Scenario
from services.acquirer.line import Lines, MalformedError
from services.acquirer.operations import Operations
from services.acquirer.rule_calls import RuleCalls


class AcquirerServicer(rpc.AcquirerServiceServicer):
    """paygate.acquirer.v1.AcquirerService."""

    def __init__(self, operations: Operations, lines: Lines, rules: RuleCalls) -> None:
        self._operations = operations
        self._lines = lines
        self._rules = rules

    async def Authorize(  # noqa: N802
        self, request: pb.AuthorizeRequest, _context: Context
    ) -> pb.AuthorizeResponse:
        """Reserve an amount on a card."""
        return pb.AuthorizeResponse(outcome=await self._operations.authorize(request))

    async def Capture(  # noqa: N802
        self, request: pb.CaptureRequest, _context: Context
    ) -> pb.CaptureResponse:
        """Take reserved money."""
        return pb.CaptureResponse(outcome=await self._operations.capture(request))

    async def Void(  # noqa: N802
        self, request: pb.VoidRequest, _context: Context
    ) -> pb.VoidResponse:
        """Drop a reservation, or what was not captured of it."""
        return pb.VoidResponse(outcome=await self._operations.void(request))

    async def Refund(  # noqa: N802
        self, request: pb.RefundRequest, _context: Context
    ) -> pb.RefundResponse:
        """Give captured money back."""
        return pb.RefundResponse(outcome=await self._operations.refund(request))

    async def Reverse(  # noqa: N802
        self, request: pb.ReverseRequest, _context: Context
    ) -> pb.ReverseResponse:
        """Undo an authorization whatever became of it."""
        return pb.ReverseResponse(outcome=await self._operations.reverse(request))

    async def Inquire(  # noqa: N802
        self, request: pb.InquireRequest, _context: Context
    ) -> pb.InquireResponse:
        """Tell what became of an operation."""
        return pb.InquireResponse(outcome=await self._operations.inquire(request))

    async def Line(  # noqa: N802
        self, request_iterator: AsyncIterator[pb.LineRequest | None], context: Context
    ) -> AsyncIterator[pb.LineResponse]:
        """Carry out what comes, and answer in any order."""
        try:
            async with aclosing(
                self._lines.serve(request_iterator, client_address(context))
            ) as responses:
                async for response in responses:
                    yield response
        except MalformedError:
            await context.abort(UNREADABLE.code, UNREADABLE.message)

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

    async def CreateRule(  # noqa: N802
        self, request: pb.CreateRuleRequest, _context: Context
    ) -> pb.CreateRuleResponse:
        """Make a rule of a merchant's."""
        return await self._rules.create(request)

    async def ListRules(  # noqa: N802
        self, request: pb.ListRulesRequest, _context: Context
    ) -> pb.ListRulesResponse:
        """List a merchant's rules."""
        return await self._rules.list(request)

    async def DeleteRule(  # noqa: N802
        self, request: pb.DeleteRuleRequest, _context: Context
    ) -> pb.DeleteRuleResponse:
        """Remove a rule."""
        return await self._rules.delete(request)

    async def ListSeen(  # noqa: N802
        self, request: pb.ListSeenRequest, _context: Context
    ) -> pb.ListSeenResponse:
        """List what was asked for by a merchant."""
        return await self._rules.seen(request)

    async def Forget(  # noqa: N802
        self, request: pb.ForgetRequest, _context: Context
    ) -> pb.ForgetResponse:
        """Remove a merchant's rules and what was seen of it."""
        return await self._rules.forget(request)

    async def Erase(  # noqa: N802
        self, request: pb.EraseRequest, _context: Context
    ) -> pb.EraseResponse:
        """Remove operations from the book."""
        await self._operations.erase(request)
        return pb.EraseResponse()
