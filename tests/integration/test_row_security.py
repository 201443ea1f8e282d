"""The second wall: what looks at one merchant's rows sees no other's, even if it forgets to ask."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import asyncpg
import pytest

from pkg.postgres.sql import Pool, open_pool
from pkg.postgres.tenancy import MerchantPool
from tests.conftest import NewDatabase
from tests.database import as_part
from tests.integration.events.desk import Desk, opened

A, B = "mer_a", "mer_b"
TABLES = {
    "paygate_reader": ["payments", "actions", "logged_requests", "sandbox_clocks"],
    "paygate_gateway": ["logged_requests"],
    "paygate_webhooks": [
        *("outbox", "webhook_endpoints", "webhook_secrets", "webhook_deliveries"),
        *("webhook_attempts", "stored_replies", "logged_requests", "sandbox_clocks"),
    ],
}
ATTEMPT = "INSERT INTO webhook_attempts VALUES ($1, 'we', 'evt', 1, now(), '1 s', 200, '', '')"
LOGGED = """
INSERT INTO logged_requests
VALUES ($1, 1, 'id', 's', 'm', 'OK', '', 1, '', false, '', '', false, NULL, 0, NULL, 0)
"""
STORED_REPLY = "INSERT INTO stored_replies VALUES ($1, 'Rpc', 'key', '', '', now())"
EVERY = [(part, table) for part, tables in TABLES.items() for table in tables]
FORGETFUL = {table: f"SELECT merchant_id, $1::text AS asked FROM {table}" for _, table in EVERY}  # noqa: S608  # of the table above


@pytest.fixture
async def desk(payments_database_url: str) -> AsyncIterator[Desk]:
    """A payment with an event, an endpoint and a delivery of each of two merchants."""
    async with opened(payments_database_url) as full:
        for merchant_id in (A, B):
            await full.endpoint("http://127.0.0.1:9/", merchant_id=merchant_id)
            await full.authorized(merchant_id=merchant_id)
            await full.pool.execute(STORED_REPLY, merchant_id)
            await full.pool.execute(LOGGED, merchant_id)
            await full.advance(timedelta(0), merchant_id=merchant_id)
        await full.relay.run_once()
        for merchant_id in (A, B):
            await full.pool.execute(ATTEMPT, merchant_id)
        yield full


@asynccontextmanager
async def part_of(
    url: str, part: str, *, size: int = 1
) -> AsyncIterator[tuple[Pool, MerchantPool]]:
    """Open a pool as a part of the gateway does."""
    address = as_part(url, part)
    async with await open_pool(address, size=size, command_timeout_seconds=5, name="test") as pool:
        yield pool, MerchantPool(pool)


@pytest.mark.parametrize(("part", "table"), EVERY)
@pytest.mark.usefixtures("desk")
async def test_a_forgotten_condition_shows_nobody_elses_rows(
    payments_database_url: str, part: str, table: str
) -> None:
    """A statement that names no merchant returns the rows of the one it is made for."""
    async with part_of(payments_database_url, part) as (pool, own):
        for merchant_id in (A, B, A):
            rows = await own.fetch(FORGETFUL[table], merchant_id)
            assert {row["merchant_id"] for row in rows} == {merchant_id}
        assert not await own.fetch(FORGETFUL[table], "mer_nobody")
        await pool.expire_connections()  # what follows has a connection that nobody has set
        assert not await pool.fetch(FORGETFUL[table], A)


@pytest.mark.parametrize(("part", "table"), EVERY)
@pytest.mark.usefixtures("desk")
async def test_the_owner_sees_both(payments_database_url: str, part: str, table: str) -> None:
    """The wall is the role's: there are rows to be seen."""
    connection = await asyncpg.connect(payments_database_url)
    rows = await connection.fetch(FORGETFUL[table], part)
    await connection.close()
    assert {row["merchant_id"] for row in rows} == {A, B}


async def test_nothing_is_written_for_another_merchant(
    payments_database_url: str, desk: Desk
) -> None:
    """Neither by changing nor by adding rows does one get across."""
    async with part_of(payments_database_url, "paygate_webhooks") as (_, own):
        changed = "UPDATE webhook_endpoints SET status = 'DISABLED' WHERE $1 <> '' RETURNING *"
        rows = await own.fetch(changed, A)
        assert [row["merchant_id"] for row in rows] == [A]
        added = (
            "INSERT INTO webhook_endpoints VALUES"
            " ('mer_b', $1, 'http://127.0.0.1:9/', '{}', 'ENABLED', '', now(), now())"
        )
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await own.fetch(added, A)
    statuses = await desk.pool.fetch("SELECT merchant_id, status FROM webhook_endpoints")
    assert dict(map(tuple, statuses)) == {A: "DISABLED", B: "ENABLED"}


@pytest.mark.usefixtures("desk")
async def test_merchants_that_take_turns_never_meet(payments_database_url: str) -> None:
    """Many merchants at once on few connections, cancelled now and then: each sees its own rows."""
    chance = random.Random(1)
    async with part_of(payments_database_url, "paygate_reader", size=3) as (_, own):

        async def look() -> None:
            for _ in range(30):
                merchant_id = chance.choice((A, B, "mer_nobody"))
                wait = asyncio.wait_for(
                    own.fetch(FORGETFUL["payments"], merchant_id), chance.choice((0.0005, 5, 5))
                )
                try:
                    rows = await wait
                except TimeoutError:
                    continue
                wanted = set() if merchant_id == "mer_nobody" else {merchant_id}
                assert {row["merchant_id"] for row in rows} == wanted

        await asyncio.gather(*(look() for _ in range(20)))


@pytest.mark.usefixtures("desk")
async def test_a_setting_that_was_cut_off_counts_as_none(payments_database_url: str) -> None:
    """Whoever is cancelled while a connection is set leaves it to be set by the next."""
    async with part_of(payments_database_url, "paygate_reader") as (_, own):
        first = asyncio.create_task(own.fetch(FORGETFUL["payments"], A))
        while not first.cancelled():
            await asyncio.sleep(0)
            first.cancel()
            with suppress(asyncio.CancelledError):
                await first
        rows = await own.fetch(FORGETFUL["payments"], A)
        assert {row["merchant_id"] for row in rows} == {A}


async def test_only_another_merchant_costs_a_round_trip(new_database: NewDatabase) -> None:
    """A connection is set when the merchant changes, and not again for the same one."""
    url = await new_database("payments")
    async with part_of(url, "paygate_reader") as (pool, own):
        sent: list[str] = []
        async with pool.acquire() as connection:
            connection.add_query_logger(lambda record: sent.append(record.query))
            process = connection.get_server_pid()
        for merchant_id in (A, A, A, B, B, A):
            async with own.connection(merchant_id) as connection:
                assert connection.get_server_pid() == process
        settings = [query for query in sent if "set_config" in query]
        assert len(settings) == 3


async def test_a_transaction_that_fails_keeps_the_merchant(payments_database_url: str) -> None:
    """The setting is made outside of transactions, so that none takes it back."""
    async with part_of(payments_database_url, "paygate_webhooks") as (_, own):
        with pytest.raises(asyncpg.DivisionByZeroError):
            async with own.connection(A) as connection, connection.transaction():
                await connection.execute("SELECT 1 / 0")
        setting = "SELECT current_setting('paygate.merchant_id', true) WHERE $1 <> ''"
        assert await own.fetchval(setting, A) == A


async def test_only_the_operators_process_changes_merchants(payments_database_url: str) -> None:
    """No other part may change, make or remove one, not even a column of it.

    But for the sandbox's, which makes sandboxes, and removes nothing else: see test_sandboxes_kept.
    """
    connection = await asyncpg.connect(payments_database_url)
    found = await connection.fetch(
        "SELECT DISTINCT r.rolname FROM pg_roles r, pg_attribute a"
        " WHERE r.rolname LIKE 'paygate%' AND a.attrelid = 'merchants'::regclass AND a.attnum > 0"
        " AND (has_column_privilege(r.oid, a.attrelid, a.attnum, 'UPDATE')"
        " OR has_table_privilege(r.oid, a.attrelid, 'INSERT, DELETE, TRUNCATE'))"
    )
    await connection.close()
    assert {row["rolname"] for row in found} == {"paygate_admin", "paygate_sandbox"}
