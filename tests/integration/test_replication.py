"""What a synchronous standby does not have is shown to nobody, and nobody is told that it is."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import timedelta

import asyncpg
import pytest

from pkg.errors import DependencyUnavailableError
from pkg.ids import new_id
from pkg.postgres.sql import Pool, open_pool, translated
from pkg.process.production_database import Database, reasons_of
from services.payments.adapters.clock import SandboxClocks
from services.payments.adapters.postgres import PostgresStore
from services.payments.api.codec import ProtoEvents
from services.payments.domain.event import event_of
from services.payments.ports import Change, CommitResult
from tests.builders import MERCHANT, NOW, a_reply, begun, settled
from tests.standby import Pair

STATEMENT_SECONDS_MAX = 0.5
REPLY = a_reply("reply")


@dataclass
class Ports:
    """The store of one worker, whose statements may take so long, and another connection."""

    store: PostgresStore
    reads: Pool
    url: str

    async def is_shown(self, change: Change) -> bool:
        """Whether others see the change's action."""
        action = change.actions[0]
        query = "SELECT status FROM actions WHERE id = $1"
        status: str | None = await self.reads.fetchval(query, action.id)
        return status == action.status

    async def stored_reply(self, change: Change) -> bytes | None:
        """Return what the change's idempotency key has."""
        key = change.actions[0].idempotency_key
        loaded = await self.store.load(MERCHANT, change.payment.id, rpc="AUTHORIZE", key=key)
        return loaded.record.reply if loaded.record else None

    async def until_shown(self, change: Change) -> None:
        """Wait until others see the change's action."""
        async with asyncio.timeout(10):
            while not await self.is_shown(change):
                await asyncio.sleep(0.02)


async def pool_of(url: str, *, size: int = 1, seconds_max: float = STATEMENT_SECONDS_MAX) -> Pool:
    """Open a pool as the services do."""
    return await open_pool(url, size=size, command_timeout_seconds=seconds_max, name="test")


@pytest.fixture
async def ports(pair: Pair) -> AsyncIterator[Ports]:
    """A worker's store on a database of the pair."""
    url = pair.primary.url("paygate_gateway", "payments")
    async with AsyncExitStack() as opened:
        reads = await opened.enter_async_context(await pool_of(url, size=2))
        writes = await opened.enter_async_context(await pool_of(url))
        store = PostgresStore(
            reads,
            writes,
            events=ProtoEvents(),
            clocks=SandboxClocks(),
            lease=timedelta(seconds=10),
            wait_seconds_max=STATEMENT_SECONDS_MAX,
        )
        yield Ports(store, reads, url)


def opening(*, key: str | None = None) -> Change:
    """Return the first commit of a request, with a key of its own unless one is given."""
    payment, action = begun()
    action = replace(action, idempotency_key=key or action.id)
    return Change(payment=payment, actions=(action,), fingerprint=b"f" * 32)


def ending(change: Change) -> Change:
    """Return its second commit."""
    payment, action = settled((change.payment, change.actions[0]))
    event = event_of(payment, action, event_id=new_id("evt", NOW))
    return Change(payment=payment, actions=(action,), event=event, reply=REPLY)


@pytest.mark.parametrize("by_kill", [False, True], ids=["frozen", "killed"])
async def test_a_commit_without_its_standby_is_neither_told_nor_shown(
    pair: Pair, ports: Ports, by_kill: bool
) -> None:
    """It fails in time and others do not see it; when the standby is back it is there, once."""
    change = opening()
    if by_kill:
        await pair.standby.kill()
    else:
        pair.standby.freeze()
    async with asyncio.timeout(10):
        with pytest.raises(DependencyUnavailableError):
            await ports.store.commit(change)
        await pair.until_waiting()
        assert not await ports.is_shown(change)
        with pytest.raises(DependencyUnavailableError):
            await ports.store.commit(change)
    await pair.heal()
    await ports.until_shown(change)
    again = opening(key=change.actions[0].id)
    assert await ports.store.commit(again) is CommitResult.KEY_HELD
    assert await ports.store.commit(ending(change)) is CommitResult.COMMITTED


async def test_a_row_whose_wait_was_cancelled_is_not_believed(pair: Pair, ports: Ports) -> None:
    """An operator who cancels the wait makes the row visible; to the client it stays unknown."""
    change = opening()
    assert await ports.store.commit(change) is CommitResult.COMMITTED
    end = ending(change)
    pair.standby.freeze()
    committing = asyncio.create_task(ports.store.commit(end))
    await pair.until_waiting()
    await pair.end_waits()
    with pytest.raises(DependencyUnavailableError):
        await committing
    assert await ports.is_shown(end)
    assert await ports.stored_reply(change) == REPLY
    with pytest.raises(DependencyUnavailableError):
        await ports.store.ensure_kept(MERCHANT)
    pair.standby.thaw()
    async with asyncio.timeout(10):
        await ports.store.ensure_kept(MERCHANT)


@pytest.fixture
async def quiet(pair: Pair) -> AsyncIterator[None]:
    """A role that is told no warnings, as far as that is for the server to say."""
    await pair.primary.ask("ALTER ROLE paygate_gateway SET client_min_messages = error")
    yield
    await pair.heal()  # or this would wait for it as well
    await pair.primary.ask("ALTER ROLE paygate_gateway RESET client_min_messages")


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("how", ["pg_cancel_backend", "pg_terminate_backend"])
async def test_a_wait_that_is_ended_on_the_server_is_a_failure(
    pair: Pair, ports: Ports, how: str
) -> None:
    """PostgreSQL says in a warning that it ended a wait, and calls the commit a success."""
    write = "SELECT pg_logical_emit_message(true, 'test', '')"
    async with await pool_of(ports.url, size=2, seconds_max=10) as pool:

        async def in_transaction() -> None:
            async with pool.acquire() as connection, connection.transaction():
                await connection.execute(write)

        pair.standby.freeze()
        by_itself: Coroutine[None, None, str] = pool.execute(write)
        writing = [asyncio.create_task(work) for work in (in_transaction(), by_itself)]
        await pair.until_waiting(2)
        await pair.end_waits(how)
        for ended in writing:
            with pytest.raises(DependencyUnavailableError), translated():
                await ended


async def test_after_a_restart_nothing_is_shown_before_the_standby_has_it(
    pair: Pair, ports: Ports
) -> None:
    """A primary that was killed shows what it has alone; nobody works on it until that is kept."""
    change = opening()
    pair.standby.freeze()
    with pytest.raises(DependencyUnavailableError):
        await ports.store.commit(change)
    await pair.primary.kill()
    await pair.primary.start()
    plain = await asyncpg.connect(ports.url)
    assert await plain.fetchval("SELECT id FROM actions WHERE id = $1", change.actions[0].id)
    await plain.close()
    with pytest.raises(DependencyUnavailableError):
        await ports.stored_reply(change)
    with pytest.raises(DependencyUnavailableError):
        await pool_of(ports.url)
    pair.standby.thaw()
    await ports.until_shown(change)


async def test_production_wants_commits_that_wait_for_the_standby(pair: Pair, ports: Ports) -> None:
    """A role whose commits wait for the own disk alone is found out before anything starts."""
    database = Database(url=ports.url, role="paygate_gateway")
    before = await reasons_of(database, timeout_seconds=5)  # the pair does not wait for its disks
    await pair.primary.ask("ALTER ROLE paygate_gateway SET synchronous_commit = local")
    try:
        reasons = await reasons_of(database, timeout_seconds=5)
    finally:
        await pair.primary.ask("ALTER ROLE paygate_gateway RESET synchronous_commit")
    (reason,) = set(reasons) - set(before)
    assert reason.startswith("synchronous_commit is local there")
