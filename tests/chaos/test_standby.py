"""A primary and its synchronous standby: what was told is there, whichever of the two is lost."""

import asyncio
import os
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import asyncpg
import pytest
from grpc import aio

from paygate.payments.v1 import payment_pb2 as pb
from paygate.payments.v1 import payment_service_pb2 as service
from tests.chaos.books import Books
from tests.chaos.rig import CARD, Request, Response, Rig, gbp, reason_of
from tests.silent import silent_server
from tests.standby import Pair

ROUNDS = 8 if os.environ.get("PAYGATE_CHAOS") == "full" else 1
CLIENTS = 8
STATEMENT_SECONDS_MAX = 1.0
# Long enough for a payment whose two commits were each believed after the time of a statement.
AWAY_SECONDS = 3 * STATEMENT_SECONDS_MAX
QUIET_SECONDS = 0.4
HEALED_SECONDS_MAX = 20.0
# Never a bug of ours: to a client it is away, or too much waits for it.
SAID = {"DEPENDENCY_UNAVAILABLE", "OVERLOADED", "RATE_LIMITED"}


@dataclass
class Clients:
    """Clients that authorize and capture, and note what they were told and what not."""

    rig: Rig
    told: list[Response] = field(default_factory=list)
    untold: list[tuple[Request, str]] = field(default_factory=list)
    refusals: Counter[str] = field(default_factory=Counter)

    @asynccontextmanager
    async def busy(self) -> AsyncIterator[None]:
        """Be many clients meanwhile, who have been told something before it begins."""
        stopped = asyncio.Event()
        clients = [asyncio.create_task(self._run(stopped, number)) for number in range(CLIENTS)]
        try:
            await self.until_told(len(self.told) + CLIENTS)
            yield
        finally:
            stopped.set()
            await asyncio.gather(*clients)

    async def until_told(self, count: int) -> None:
        """Wait until clients were told so much."""
        async with asyncio.timeout(HEALED_SECONDS_MAX):
            while len(self.told) < count:
                await asyncio.sleep(0.02)

    async def quiet(self) -> int:
        """Wait until nobody is told anything any more; return how much has been told."""
        async with asyncio.timeout(HEALED_SECONDS_MAX):
            count = -1
            while count != len(self.told):
                count = len(self.told)
                await asyncio.sleep(QUIET_SECONDS)
        return count

    async def told_in_the_end(self) -> None:
        """By its key every request that was refused has one final reply."""
        first, second = [
            await asyncio.gather(
                *(self.rig.retried(request, key=key, worker=worker) for request, key in self.untold)
            )
            for worker in range(2)
        ]
        assert first == second
        self.told.extend(first)
        self.untold.clear()

    async def _run(self, stopped: asyncio.Event, worker: int) -> None:
        while not stopped.is_set():
            authorize = service.AuthorizeRequest(card_details=CARD, amount=gbp(100))
            reply = await self._ask(authorize, worker)
            if reply and reply.payment.status == pb.Payment.STATUS_AUTHORIZED:
                capture = service.CaptureRequest(authorization_id=reply.payment.id, amount=gbp(40))
                await self._ask(capture, worker)
            await asyncio.sleep(0.05)

    async def _ask(self, request: Request, worker: int) -> Response | None:
        key = uuid.uuid4().hex
        try:
            reply = await self.rig.call(request, key=key, worker=worker)
        except aio.AioRpcError as problem:
            self.refusals[reason_of(problem)] += 1
            self.untold.append((request, key))
            return None
        if reply.action.status == pb.Action.STATUS_PENDING:
            self.untold.append((request, key))
        else:
            self.told.append(reply)
        return reply


@pytest.fixture
async def clients(pair: Pair, acquirer_database_url: str) -> AsyncIterator[Clients]:
    """Clients of two workers and a sweep on the pair, beside a server that hangs.

    The bank's database is elsewhere.
    """
    async with silent_server() as silent:
        rig = Rig(pair.url("payments", await pair.create("payments")), acquirer_database_url)
        for settings in (rig.environment, rig.vault):  # of the gateway's processes
            for name in [name for name in settings if name.endswith("DATABASE_URL")]:
                settings[name] = settings[name].replace("?host=", f"?host={silent},")
        rig.environment["PAYGATE_DATABASE_TIMEOUT_SECONDS"] = str(STATEMENT_SECONDS_MAX)
        async with rig:
            yield Clients(rig)


@asynccontextmanager
async def books_of(pair: Pair, clients: Clients) -> AsyncIterator[Books]:
    """Look into both databases, the gateway's on the server that is the primary now."""
    url = f"{clients.rig.payments_url.partition('?')[0]}?host={pair.primary.folder}"
    async with asyncpg.create_pool(url, min_size=1) as ours:
        yield Books(ours, clients.rig.bank_book)


async def assert_all_is_there(books: Books, told: list[Response]) -> None:
    """What clients were told of is in the database, as they were told."""
    rows = await books.payments.fetch("SELECT id, status FROM actions")
    stored = {row["id"]: row["status"] for row in rows}
    said = {
        reply.action.id: pb.Action.Status.Name(reply.action.status).removeprefix("STATUS_")
        for reply in told
    }
    assert {id_: stored.get(id_) for id_ in said} == said


async def loses_its_standby(pair: Pair, clients: Clients, *, by_kill: bool) -> None:
    """While the standby is gone writes get 503; when it is back, each key has its one effect."""
    async with clients.busy():
        if by_kill:
            await pair.standby.kill()
        else:
            pair.standby.freeze()
        told = await clients.quiet()
        await asyncio.sleep(AWAY_SECONDS)
        assert len(clients.told) == told
        assert clients.refusals["DEPENDENCY_UNAVAILABLE"]
        await pair.heal()
        await clients.until_told(told + CLIENTS)


async def loses_its_primary(pair: Pair, clients: Clients) -> None:
    """The primary is killed under load and the standby promoted: paygate goes on there."""
    async with clients.busy():
        told = len(clients.told)
        await pair.primary.kill()
        await pair.promote()
        await clients.until_told(told + 2 * CLIENTS)
    async with books_of(pair, clients) as books:
        await assert_all_is_there(books, clients.told)
    await pair.heal()


@pytest.mark.chaos
async def test_what_was_told_outlives_the_standby_and_the_primary(
    pair: Pair, clients: Clients
) -> None:
    """Whichever of the two is lost: nothing is told that is not there, and each key has one end."""
    for number in range(ROUNDS):
        await loses_its_standby(pair, clients, by_kill=bool(number % 2))
        await loses_its_primary(pair, clients)
        await clients.told_in_the_end()
        async with books_of(pair, clients) as books:
            await books.settled()
            await books.assert_agree()
            await assert_all_is_there(books, clients.told)
        assert clients.refusals.keys() <= SAID, clients.refusals
