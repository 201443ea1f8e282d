"""Sandboxes in the database: how many there can be, whose they are, and what stays of one."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from pkg.grpc.key_store import PostgresKeyStore
from services.payments.adapters.postgres_sandbox import PostgresSandbox
from services.payments.adapters.postgres_sandboxes import PostgresSandboxes
from services.payments.domain.errors import (
    PaymentsError,
    SandboxBusyError,
    SandboxLimitError,
    SandboxNotFoundError,
)
from services.payments.removals import Removals
from services.payments.sandboxes import ALIVE_MAX, THERE_MAX, Sandbox
from tests.builders import MERCHANT
from tests.integration.events.desk import Desk, opened, until
from tests.integration.sandbox.made import HOUR, make, making, pool_of
from tests.keys import new_key

OTHER = "mer_other"
MANY = """
INSERT INTO sandboxes
SELECT 'mer_a', 'mer_' || n, 'n', now(), now() + $2::interval, now() + $2::interval, '0'
FROM generate_series(1, $1::bigint) n
"""
WAITING = """
SELECT count(*) FROM pg_locks l
JOIN pg_database d ON d.oid = l.database
WHERE d.datname = current_database() AND l.locktype = 'advisory' AND NOT l.granted
"""
SOON = "UPDATE sandboxes SET remove_time = expire_time WHERE merchant_id = $1"
PENDING = """
UPDATE actions SET status = 'PENDING', due_time = now(), approval_code = DEFAULT
WHERE merchant_id = $1
"""
LATE = "INSERT INTO inbox_messages VALUES ($1, 'msg', now(), 'we', 'evt', 200, '', '')"
ITSELF = {"sandboxes", "merchants", "api_keys", "sandbox_clocks", "webhook_secrets"}
WITH_MERCHANT = """
SELECT table_name FROM information_schema.columns c
JOIN information_schema.tables t USING (table_schema, table_name)
WHERE table_schema = 'public' AND column_name = 'merchant_id' AND table_type = 'BASE TABLE'
"""


class Bank:
    """Notes who and what was forgotten; `dies` when it is asked next."""

    def __init__(self) -> None:
        self.forgotten: list[str] = []
        self.erased: set[str] = set()
        self.dies = False

    async def forget(self, merchant_id: str, key: str | None) -> None:
        """Forget a merchant."""
        assert key is None
        if self.dies:
            raise asyncio.CancelledError
        self.forgotten.append(merchant_id)

    async def erase(self, references: Sequence[str]) -> None:
        """Remove operations."""
        self.erased |= set(references)


@pytest.fixture
async def desk(payments_database_url: str) -> AsyncIterator[Desk]:
    """A gateway with a merchant."""
    async with opened(payments_database_url) as full:
        yield full


@pytest.fixture
async def sandboxes(payments_database_url: str, desk: Desk) -> AsyncIterator[PostgresSandboxes]:
    """What keeps sandboxes."""
    async with pool_of(payments_database_url) as pool:
        yield PostgresSandboxes(pool)


async def outcome(url: str) -> Sandbox | type[PaymentsError]:
    """Return what becomes of an attempt to make one."""
    try:
        return await make(url)
    except PaymentsError as problem:
        return type(problem)


async def all_wait(desk: Desk, tasks: list[asyncio.Task[Any]]) -> bool:
    """Tell whether tasks wait for somebody else's transaction, or one has ended already."""
    waiting = await desk.pool.fetchval(WAITING)
    return waiting == len(tasks) or any(task.done() for task in tasks)


async def test_the_last_one_is_made_once(payments_database_url: str, desk: Desk) -> None:
    """Others who ask for it meanwhile wait, and are refused; one that ends makes room."""
    await desk.pool.execute(MANY, ALIVE_MAX - 1, HOUR)
    async with making(payments_database_url) as made:
        others = [asyncio.create_task(outcome(payments_database_url)) for _ in range(3)]
        await until(lambda: all_wait(desk, others), seconds_max=10)
    assert await asyncio.gather(*others) == [SandboxLimitError] * 3
    async with pool_of(payments_database_url) as pool:
        await PostgresSandboxes(pool).end(MERCHANT, made.id)
    assert isinstance(await outcome(payments_database_url), Sandbox)
    await make(payments_database_url, OTHER)  # whose own count it is


async def test_what_is_not_removed_yet_is_bounded(payments_database_url: str, desk: Desk) -> None:
    """Who ends them faster than they are removed is refused."""
    await desk.pool.execute(MANY, THERE_MAX, timedelta(0))
    assert await outcome(payments_database_url) is SandboxLimitError


async def test_a_sandbox_has_no_sandboxes(payments_database_url: str, desk: Desk) -> None:
    """Whatever its key is for."""
    made = await make(payments_database_url)
    with pytest.raises(SandboxLimitError):
        await make(payments_database_url, made.id)


async def test_they_are_listed_newest_first_until_they_end(
    payments_database_url: str, sandboxes: PostgresSandboxes
) -> None:
    """Page by page, and their owner's only."""
    url = payments_database_url
    made = [await make(url) for _ in range(3)]
    await make(url, OTHER)
    await make(url, life=timedelta(0))
    first = await sandboxes.list(MERCHANT, before_id=None, limit=2)
    rest = await sandboxes.list(MERCHANT, before_id=first[-1].id, limit=2)
    assert [*first, *rest] == made[::-1]


async def test_only_its_owner_ends_it_and_once(
    payments_database_url: str, sandboxes: PostgresSandboxes, desk: Desk
) -> None:
    """Its key has ended with it."""
    made = await make(payments_database_url)
    keys = PostgresKeyStore(desk.pool)
    for owner in (OTHER, made.id):
        with pytest.raises(SandboxNotFoundError):
            await sandboxes.end(owner, made.id)
    assert not (await keys.find_key(made.id[-16:])).is_ended  # type: ignore[union-attr]
    await sandboxes.end(MERCHANT, made.id)
    assert (await keys.find_key(made.id[-16:])).is_ended  # type: ignore[union-attr]
    with pytest.raises(SandboxNotFoundError):
        await sandboxes.end(MERCHANT, made.id)


@pytest.mark.parametrize("part", ["paygate_gateway", "paygate_webhooks", "paygate_events"])
async def test_its_key_ends_while_its_owner_is_disabled(
    payments_database_url: str, desk: Desk, part: str
) -> None:
    """For whoever looks keys up."""
    insert = "INSERT INTO merchants (id, name, create_time) VALUES ('mer_owner', 'n', now())"
    await desk.pool.execute(insert)
    made = await make(payments_database_url, "mer_owner")
    async with pool_of(payments_database_url, part) as pool:
        for ended in (True, False):
            time = "now()" if ended else "NULL"
            await desk.pool.execute(f"UPDATE merchants SET disable_time = {time}")  # noqa: S608  # of the line above
            found = await PostgresKeyStore(pool).find_key(made.id[-16:])
            assert found is not None
            assert found.is_ended is ended


async def test_what_waits_for_the_bank_is_left_alone(
    payments_database_url: str, sandboxes: PostgresSandboxes, desk: Desk
) -> None:
    """It is neither ended nor removed until the bank's answer has come."""
    made = await make(payments_database_url)
    payment = await desk.authorized(merchant_id=made.id)
    await desk.pool.execute(PENDING, made.id)
    with pytest.raises(SandboxBusyError):
        await sandboxes.end(MERCHANT, made.id)
    past = "UPDATE sandboxes SET expire_time = now(), remove_time = now()"
    await desk.pool.execute(past)
    bank = Bank()
    assert await Removals(sandboxes, bank).run_once()
    assert not bank.forgotten
    assert await desk.pool.fetchval("SELECT id FROM payments WHERE id = $1", payment.id)
    await desk.pool.execute(past)
    settled = "UPDATE actions SET status = 'SUCCEEDED', due_time = NULL WHERE merchant_id = $1"
    await desk.pool.execute(settled, made.id)
    assert await Removals(sandboxes, bank).run_once()
    await desk.pool.execute(past)
    assert await Removals(sandboxes, bank).run_once()
    assert bank.forgotten == [made.id]
    assert not await left_of(desk, made.id)


async def test_nothing_of_it_stays_and_all_else_does(
    payments_database_url: str, sandboxes: PostgresSandboxes, desk: Desk
) -> None:
    """Whichever tables there are, and wherever whoever removes it dies; not before it is time."""
    made = await make(payments_database_url)
    other = await make(payments_database_url)
    for merchant_id in (made.id, other.id, MERCHANT):
        await desk.endpoint("http://127.0.0.1:9/", merchant_id=merchant_id)
        await desk.authorized(merchant_id=merchant_id)
    await desk.relay.run_once()
    await desk.advance(HOUR)
    before = {one: await left_of(desk, one) for one in (other.id, MERCHANT)}
    assert {"payments", "actions", "outbox", "webhook_deliveries"} <= (await left_of(desk, made.id))
    own = await desk.pool.fetch("SELECT id FROM actions WHERE merchant_id = $1", made.id)
    bank, actions = Bank(), {row["id"] for row in own}
    removals = Removals(sandboxes, bank)
    await sandboxes.end(MERCHANT, made.id)
    assert not await removals.run_once()
    await desk.pool.execute(SOON, made.id)
    assert await removals.run_once()
    assert await left_of(desk, made.id) == ITSELF
    # Somebody has posted a webhook meanwhile, and notes it.
    await desk.pool.execute(LATE, made.id)
    bank.dies = True
    await desk.pool.execute(SOON, made.id)
    with pytest.raises(asyncio.CancelledError):
        await removals.run_once()
    assert not await removals.run_once()  # somebody may still be at it
    bank.dies = False
    await desk.pool.execute(SOON, made.id)
    assert await removals.run_once()
    assert not await left_of(desk, made.id)
    assert {one: await left_of(desk, one) for one in before} == before
    # What the bank has of it goes when nothing can be on its way there any more.
    assert not bank.erased
    await desk.pool.execute("UPDATE bank_leftovers SET remove_time = now()")
    assert await removals.run_once()
    assert bank.erased == actions
    assert not await removals.run_once()
    assert not await desk.pool.fetchval("SELECT count(*) FROM bank_leftovers")


async def left_of(desk: Desk, merchant_id: str) -> set[str]:
    """Return the tables that have anything of a merchant."""
    tables = [row["table_name"] for row in await desk.pool.fetch(WITH_MERCHANT)]
    assert len(tables) > 15
    found = set()
    for table, column in [*((one, "merchant_id") for one in tables), ("merchants", "id")]:
        rows = f"SELECT count(*) FROM {table} WHERE {column} = $1"  # noqa: S608  # of the catalogue
        if await desk.pool.fetchval(rows, merchant_id):
            found.add(table)
    return found


async def test_a_reset_puts_its_clock_back_to_where_it_began(payments_database_url: str) -> None:
    """Others' go back to the real time."""
    made = await make(payments_database_url, ahead=HOUR)
    async with pool_of(payments_database_url) as pool:
        clocks = PostgresSandbox(pool)
        for merchant_id, first in ((made.id, HOUR), (MERCHANT, timedelta(0))):
            await clocks.advance(merchant_id, HOUR, ahead_max=10 * HOUR)
            assert await clocks.ahead(merchant_id) == first + HOUR
            await clocks.reset(merchant_id)
            assert await clocks.ahead(merchant_id) == first


async def test_the_role_sees_and_removes_sandboxes_only(payments_database_url: str) -> None:
    """It may add merchants and keys, and that is all that it may do with others'."""
    await new_key(payments_database_url, OTHER, pepper="5e" * 32)
    made = await make(payments_database_url, OTHER)
    async with pool_of(payments_database_url) as pool:
        for seen in ("SELECT id FROM merchants", "DELETE FROM api_keys RETURNING merchant_id"):
            assert {row[0] for row in await pool.fetch(seen)} == {made.id}
        assert [row[0] for row in await pool.fetch("DELETE FROM merchants RETURNING id")] == [
            made.id
        ]
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await pool.fetch("SELECT digest FROM api_keys")
