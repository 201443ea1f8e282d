"""Actions that are in doubt, as the operator sees and ends them; recovery has the last word."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from paygate.admin.v1 import admin_service_pb2 as pb
from paygate.payments.v1.payment_pb2 import Action as ActionMessage
from pkg.ids import new_id
from pkg.postgres.sql import open_pool
from pkg.secret import Secret
from services.payments.adapters.clock import SandboxClocks
from services.payments.adapters.hashing import HmacHasher
from services.payments.adapters.memory import MemoryStore
from services.payments.adapters.postgres import PostgresStore
from services.payments.adapters.vault.memory import MemoryVault
from services.payments.api.codec import ProtoEvents, ProtoReplies
from services.payments.domain.action import Action, ActionStatus
from services.payments.domain.outcome import Answer, Approved, NotFound, Reversed, Unknown
from services.payments.domain.payment import Payment
from services.payments.ports import CardDetails, Change, CommitResult, Ports
from services.payments.use_cases.sweep import Sweep
from tests.builders import HASH_KEY, begun, capture, settled
from tests.database import as_part
from tests.integration.admin.served import MERCHANT, Api

LONG_AGO = timedelta(hours=2)
NOT_YET = timedelta(minutes=59)


@dataclass
class QuietBank:
    """Does nothing that it is asked for; `knows` is what it says when it is inquired."""

    knows: Answer | NotFound = field(default_factory=Unknown)

    def ensure_reachable(self) -> None:
        """Be there."""

    async def authorize(self, payment: Payment, card: CardDetails) -> Answer:
        """Say nothing."""
        return Unknown()

    async def perform(self, payment: Payment, action: Action, now: datetime) -> Answer:
        """Say nothing."""
        return Unknown()

    async def reverse(self, payment: Payment, now: datetime) -> Reversed | Unknown:
        """Say nothing."""
        return Unknown()

    async def inquire(self, payment: Payment, action: Action, now: datetime) -> Answer | NotFound:
        """Say what it knows."""
        return self.knows


@dataclass
class Books:
    """The gateway's store, and its recovery with a bank that is quiet."""

    store: PostgresStore
    bank: QuietBank = field(default_factory=QuietBank)

    async def authorization(self, *, age: timedelta = LONG_AGO) -> tuple[Payment, Action]:
        """Store a payment that the bank has not answered for so long."""
        step = begun(merchant_id=MERCHANT, now=datetime.now(UTC) - age)
        await self._stored(*step)
        return step

    async def capture(self, *, age: timedelta = LONG_AGO) -> Action:
        """Store a capture that the bank has not answered for so long."""
        now = datetime.now(UTC) - age
        payment, authorization = settled(await self.authorization(age=age), now=now)
        await self._stored(payment, authorization)
        step = capture(payment, 400, now=now)
        await self._stored(*step)
        return step[1]

    async def reversal(self) -> tuple[Action, Action]:
        """Store an authorization that is being reversed for long, and its reversal."""
        payment, authorization = await self.authorization()
        now = datetime.now(UTC) - LONG_AGO
        reversing, reversal = payment.reverse(action_id=new_id("act", now), now=now)
        await self._stored(reversing, reversal)
        return authorization, reversal

    async def _stored(self, payment: Payment, action: Action) -> None:
        assert await self.store.commit(Change(payment=payment, actions=(action,))) is (
            CommitResult.COMMITTED
        )

    async def recovered(self, action: Action) -> ActionStatus:
        """Run recovery once on what is due, and return how the action ended."""
        ports = Ports(
            store=self.store,
            acquirer=self.bank,
            vault=MemoryVault(MemoryStore()),
            cards=MemoryStore(),
            clock=SandboxClocks(),
            hasher=HmacHasher(Secret(HASH_KEY)),
            replies=ProtoReplies(),
        )
        await Sweep(ports, interval_seconds=1).recover()
        found = await self.store.load_action(MERCHANT, action.id)
        assert found is not None
        return found.action.status


@pytest.fixture
async def books(payments_database_url: str) -> AsyncIterator[Books]:
    """The store of the gateway that the operator looks at."""
    part = as_part(payments_database_url, "paygate_gateway")
    async with AsyncExitStack() as pools:
        reads, writes = [
            await pools.enter_async_context(
                await open_pool(part, size=size, command_timeout_seconds=5, name="test")
            )
            for size in (2, 1)
        ]
        lease = timedelta(hours=1)
        yield Books(
            PostgresStore(reads, writes, events=ProtoEvents(), clocks=SandboxClocks(), lease=lease)
        )


def word(
    action: Action, end: pb.Resolution.ValueType = pb.RESOLUTION_FAILED
) -> pb.ResolveActionRequest:
    """Return the request that says how an action ended."""
    return pb.ResolveActionRequest(id=action.id, resolution=end)


async def test_what_is_stuck_is_listed(admin: Api, books: Books) -> None:
    """What is in doubt for an hour, the oldest first, by the page; a reversal for both of it."""
    old = [await books.capture(age=timedelta(hours=hours)) for hours in (4, 3)]
    await books.capture(age=NOT_YET)
    _, reversal = await books.reversal()
    found, token = [], ""
    while True:
        page = await admin.ask(pb.ListStuckActionsRequest(page_size=1, page_token=token))
        found += page.actions
        token = page.next_page_token
        if not token:
            break
    assert [action.id for action in found] == [old[0].id, old[1].id, reversal.id]
    assert found[0] == pb.StuckAction(
        id=old[0].id,
        merchant_id=MERCHANT,
        payment_id=old[0].payment_id,
        type=ActionMessage.TYPE_CAPTURE,
        create_time=found[0].create_time,
    )
    assert found[0].create_time.ToDatetime(UTC) == old[0].create_time


@pytest.mark.parametrize(
    ("end", "status"),
    [
        (pb.RESOLUTION_FAILED, ActionStatus.FAILED),
        (pb.RESOLUTION_SUCCEEDED, ActionStatus.SUCCEEDED),
    ],
)
async def test_a_stuck_action_ends_as_it_was_said(
    admin: Api, books: Books, end: pb.Resolution.ValueType, status: ActionStatus
) -> None:
    """At the next look of recovery, which is at once although a lease was running."""
    stuck = await books.capture()
    assert await books.recovered(stuck) is ActionStatus.PENDING
    with capture_logs() as lines:
        reply = await admin.ask(word(stuck, end))
    asked = {"id": stuck.id, "resolution": pb.Resolution.Name(end)}
    assert [line["asked"] for line in lines if line["event"] == "admin action"] == [asked]
    assert (reply.action.id, reply.action.resolution) == (stuck.id, end)
    assert await books.recovered(stuck) is status
    assert await admin.refused(word(stuck)) == "ACTION_NOT_IN_DOUBT"


async def test_the_banks_answer_wins(admin: Api, books: Books) -> None:
    """Whatever the operator has said, what the bank has done is done."""
    stuck = await books.capture()
    await admin.ask(word(stuck))
    books.bank.knows = Approved()
    assert await books.recovered(stuck) is ActionStatus.SUCCEEDED


async def test_a_release_can_only_be_done(admin: Api, books: Books) -> None:
    """There is no way back from a reversal; the authorization ends with it."""
    authorization, reversal = await books.reversal()
    assert await admin.refused(word(authorization)) == "ACTION_NOT_STUCK"
    assert await admin.refused(word(reversal)) == "VALIDATION_FAILED"
    await admin.ask(word(reversal, pb.RESOLUTION_SUCCEEDED))
    assert await books.recovered(reversal) is ActionStatus.SUCCEEDED
    assert await books.recovered(authorization) is ActionStatus.FAILED


async def test_what_may_end_by_itself_is_left_alone(admin: Api, books: Books) -> None:
    """An hour is not over."""
    young = await books.capture(age=NOT_YET)
    assert await admin.refused(word(young)) == "ACTION_NOT_STUCK"


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (pb.ResolveActionRequest(), "VALIDATION_FAILED"),
        (pb.ResolveActionRequest(id="act_x", resolution=pb.RESOLUTION_FAILED), "VALIDATION_FAILED"),
        (pb.ResolveActionRequest(id="act_01h455vb4pex5vsknk084sn02q"), "VALIDATION_FAILED"),
        (
            pb.ResolveActionRequest(
                id="act_01h455vb4pex5vsknk084sn02q", resolution=pb.RESOLUTION_FAILED
            ),
            "ACTION_NOT_IN_DOUBT",
        ),
        (pb.ListStuckActionsRequest(page_size=101), "VALIDATION_FAILED"),
        (pb.ListStuckActionsRequest(page_token="'"), "INVALID_PAGE_TOKEN"),
    ],
    ids=str,
)
async def test_what_makes_no_sense_is_refused(admin: Api, request_: object, reason: str) -> None:
    """Each wrong request has its reason."""
    assert await admin.refused(request_) == reason  # type: ignore[arg-type]


async def test_the_operator_sees_nothing_that_has_ended(
    payments_database_url: str, books: Books
) -> None:
    """Of payments the admin process reads and writes what is in doubt, and of that not the rest."""
    step = await books.authorization()
    await books._stored(*settled(step))
    stuck = await books.capture()
    part = as_part(payments_database_url, "paygate_admin")
    async with await open_pool(part, size=1, command_timeout_seconds=5, name="test") as pool:
        rows = await pool.fetch("SELECT id FROM actions")
        assert [row["id"] for row in rows] == [stuck.id]
        assert await pool.execute("UPDATE actions SET resolution = 'FAILED'") == "UPDATE 1"
        for forbidden in ("SELECT 1 FROM payments", "UPDATE actions SET status = 'FAILED'"):
            with pytest.raises(Exception, match="permission denied"):
                await pool.execute(forbidden)
