"""paygate.sandbox.v1.SandboxService: what a test needs, and production does not have."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp

from paygate.sandbox.v1 import sandbox_service_pb2 as pb
from pkg.errors import ValidationFailedError
from pkg.grpc.auth import Authenticator, KeyDigest
from pkg.grpc.guard import Context, metadata_values
from pkg.grpc.paging import PageTokens
from pkg.grpc.shares import fill_in_pieces
from pkg.grpc.validation import Checks
from pkg.replies.once import Once
from services.payments.api import listeners
from services.payments.api.bank import BankServicer
from services.payments.api.logged import encode_request, filter_of, request_id_of
from services.payments.api.sandboxes import AHEAD_MAX, SandboxesServicer
from services.payments.bank_rules import SandboxBank
from services.payments.domain.errors import RequestNotFoundError
from services.payments.drains import Drains, Due
from services.payments.inbox import InboxMessage, message_fields
from services.payments.listening import Listening
from services.payments.logged import RequestLog
from services.payments.sandboxes import Sandboxes
from services.payments.upcoming import Upcoming, upcoming_fields

if TYPE_CHECKING:
    from pkg.postgres.tenancy import PooledConnection

ADVANCE_MAX = timedelta(days=400)
_INBOX = ("inbox",)
DRAIN_DEFAULT, DRAIN_MAX = timedelta(seconds=3), timedelta(seconds=30)


class SandboxStore(Protocol):
    """The sandbox's own view of the database."""

    async def ahead(self, merchant_id: str) -> timedelta:
        """Return how far the merchant's clock is ahead of the real time."""

    async def advance(
        self, merchant_id: str, by: timedelta, *, ahead_max: timedelta
    ) -> timedelta | None:
        """Turn the clock forward, and return how far it is ahead now; None if that is too far."""

    def on(self, connection: "PooledConnection") -> "SandboxStore":
        """Return the same inside a transaction that somebody else has begun."""

    async def due(self, merchant_id: str) -> Due:
        """Return what is due for the merchant."""

    async def upcoming(self, merchant_id: str) -> Sequence[Upcoming]:
        """Return what time brings next for the merchant, the soonest first; not more than 20."""

    async def inbox(
        self, merchant_id: str, *, before_id: str | None, limit: int
    ) -> Sequence[InboxMessage]:
        """Return what came into the merchant's inbox, the last first."""

    async def reset(self, merchant_id: str) -> int:
        """Remove the merchant's data but its keys, and put the clock back.

        Return how many payments there were.
        """


class SandboxServicer(BankServicer, SandboxesServicer):
    """Registered in the sandbox only."""

    def __init__(
        self,
        store: SandboxStore,
        bank: SandboxBank,
        sandboxes: Sandboxes,
        digest: KeyDigest,
        authenticator: Authenticator,
        once: Once,
        requests: RequestLog,
        tokens: PageTokens,
        listening: Listening,
        drains: Drains,
    ) -> None:
        BankServicer.__init__(self, bank, authenticator, tokens)
        SandboxesServicer.__init__(self, sandboxes, digest, authenticator, once, tokens)
        self._listening = listening
        self._requests = requests
        self._store = store
        self._drains = drains

    async def GetClock(  # noqa: N802
        self, _request: pb.GetClockRequest, context: Context
    ) -> pb.GetClockResponse:
        """Tell the time by the merchant's clock."""
        merchant_id = await self._authenticator.merchant_id(context)
        ahead = await self._store.ahead(merchant_id)
        return pb.GetClockResponse(now=_now(ahead), offset=_duration(ahead))

    async def AdvanceClock(  # noqa: N802
        self, request: pb.AdvanceClockRequest, context: Context
    ) -> pb.AdvanceClockResponse:
        """Turn the merchant's clock forward."""
        merchant_id = await self._authenticator.merchant_id(context)
        checks = Checks()
        by = checks.duration(
            "by", request.by, timedelta(seconds=1), ADVANCE_MAX, "1 second to 400 days"
        )
        checks.end()
        reply = pb.AdvanceClockResponse

        async def advance(connection: "PooledConnection") -> pb.AdvanceClockResponse:
            store = self._store.on(connection)
            ahead = await store.advance(merchant_id, by, ahead_max=AHEAD_MAX)
            if ahead is None:
                raise ValidationFailedError(
                    {"by": "must leave the clock less than 100 years ahead"}
                )
            return reply(now=_now(ahead), offset=_duration(ahead))

        return await self._once.run(request, context, advance, reply, merchant_id=merchant_id)

    async def Drain(  # noqa: N802
        self, request: pb.DrainRequest, context: Context
    ) -> pb.DrainResponse:
        """Wait until nothing is due for the merchant any more, or the time is over."""
        merchant_id = await self._authenticator.merchant_id(context)
        checks, wait = Checks(), DRAIN_DEFAULT
        if request.HasField("timeout"):
            wait = checks.duration(
                "timeout", request.timeout, timedelta(0), DRAIN_MAX, "0 to 30 seconds"
            )
        checks.end()
        due = await self._drains.wait(merchant_id, seconds=wait.total_seconds())
        return pb.DrainResponse(
            drained=not due,
            pending_actions=due.pending_actions,
            due_expiries=due.due_expiries,
            pending_events=due.pending_events,
            due_deliveries=due.due_deliveries,
        )

    async def Reset(  # noqa: N802
        self, request: pb.ResetRequest, context: Context
    ) -> pb.ResetResponse:
        """Remove the merchant's payments, events, webhook endpoints and bank rules."""
        merchant_id = await self._authenticator.merchant_id(context)
        checks = Checks()
        key = checks.idempotency_key(metadata_values(context, "idempotency-key"))
        checks.end()
        # Outside the transaction, and before it: both are done once for a key.
        await self._bank.forget(merchant_id, key)
        reply = pb.ResetResponse

        async def reset(connection: "PooledConnection") -> pb.ResetResponse:
            return reply(payments=await self._store.on(connection).reset(merchant_id))

        return await self._once.run(request, context, reset, reply, merchant_id=merchant_id)

    async def ListInbox(  # noqa: N802
        self, request: pb.ListInboxRequest, context: Context
    ) -> pb.ListInboxResponse:
        """Return a page of what came into the merchant's inbox."""
        async with self._authenticator.reading(context) as merchant_id:
            checks = Checks()
            size = checks.page_size(request.page_size)
            checks.end()
            before = self._tokens.open(merchant_id, _INBOX, request.page_token)
            found = await self._store.inbox(merchant_id, before_id=before, limit=size + 1)
            page, more = found[:size], len(found) > size
            token = self._tokens.seal(merchant_id, _INBOX, page[-1].id) if more else ""
            reply = pb.ListInboxResponse(next_page_token=token)
            await fill_in_pieces(reply.messages, page, message_fields)
            return reply

    async def TakeWebhooks(  # noqa: N802
        self, request: pb.TakeWebhooksRequest, context: Context
    ) -> pb.TakeWebhooksResponse:
        """Wait for messages to an endpoint that a listener posts."""
        merchant_id = await self._authenticator.merchant_id(context)
        listener, seconds = listeners.listener_of(request, merchant_id)
        found = await self._listening.take(listener, begin=request.begin, seconds=seconds)
        reply = pb.TakeWebhooksResponse()
        await fill_in_pieces(reply.messages, found, listeners.message_fields)
        return reply

    async def AnswerWebhook(  # noqa: N802
        self, request: pb.AnswerWebhookRequest, context: Context
    ) -> pb.AnswerWebhookResponse:
        """Note what came of one."""
        merchant_id = await self._authenticator.merchant_id(context)
        answer = listeners.answer_of(request)
        return pb.AnswerWebhookResponse(counted=await self._listening.answer(merchant_id, answer))

    async def ListDue(  # noqa: N802
        self, _request: pb.ListDueRequest, context: Context
    ) -> pb.ListDueResponse:
        """Return what time brings next for the merchant."""
        async with self._authenticator.reading(context) as merchant_id:
            reply = pb.ListDueResponse()
            found = await self._store.upcoming(merchant_id)
            await fill_in_pieces(reply.due, found, upcoming_fields)
            return reply

    async def ListRequests(  # noqa: N802
        self, request: pb.ListRequestsRequest, context: Context
    ) -> pb.ListRequestsResponse:
        """Return a page of the merchant's calls."""
        async with self._authenticator.reading(context) as merchant_id:
            wanted, size = filter_of(request)
            scope = ("requests", *wanted.names)
            place = self._tokens.open_place(merchant_id, scope, request.page_token)
            page = await self._requests.list(merchant_id, wanted, place=place, size=size)
            token = self._tokens.after(merchant_id, scope, page, place, follow=False)
            reply = pb.ListRequestsResponse(next_page_token=token)
            for one in page.items:
                reply.requests.append(encode_request(one))
                await asyncio.sleep(0)  # it may be long: others are served in between
            return reply

    async def GetRequest(  # noqa: N802
        self, request: pb.GetRequestRequest, context: Context
    ) -> pb.GetRequestResponse:
        """Return one of the merchant's calls."""
        async with self._authenticator.reading(context) as merchant_id:
            found = await self._requests.get(merchant_id, request_id_of(request))
            if found is None:
                raise RequestNotFoundError
            return pb.GetRequestResponse(request=encode_request(found))


def _now(ahead: timedelta) -> Timestamp:
    timestamp = Timestamp()
    timestamp.FromDatetime(datetime.now(UTC) + ahead)
    return timestamp


def _duration(ahead: timedelta) -> Duration:
    duration = Duration()
    duration.FromTimedelta(ahead)
    return duration
