"""Lists that are followed while others write: each row once, and none missed."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from functools import partial

import asyncpg
import pytest

from pkg.grpc.lists import BEGINNING, ListPosition
from pkg.postgres.sql import BEGIN_COMMIT_ERA, open_pool
from services.events.journal import EventFilter
from services.payments.adapters.clock import SandboxClocks
from services.payments.adapters.postgres import PostgresStore
from services.payments.api.codec import ProtoEvents
from tests.builders import MERCHANT
from tests.database import as_part
from tests.integration.following import (
    LEASE,
    ROWS,
    WRITERS,
    Scene,
    assert_each_once,
    authorized,
    events_of,
    follow,
    opened,
    pay,
    payments_of,
    poll,
    write_captures,
    write_payments,
    written_by,
)


@pytest.fixture
async def scene(payments_database_url: str) -> AsyncIterator[Scene]:
    """Eight writers on an empty database."""
    async with opened(payments_database_url) as scene:
        yield scene


async def test_payments_and_events_are_followed_while_eight_write(scene: Scene) -> None:
    """Two followers of each list, and whoever polls back to what is known, miss nothing."""
    every = EventFilter()
    watchers = [
        *[partial(follow, payments_of(scene, follow=True))] * 2,
        *[partial(follow, events_of(scene, every, follow=True))] * 2,
        partial(follow, payments_of(scene, follow=True, reference="r1")),
        partial(poll, payments_of(scene, follow=False)),
        partial(poll, events_of(scene, every, follow=False)),
    ]
    work = [write_payments(store, ROWS // WRITERS) for store in scene.stores]
    first, second, third, fourth, by_reference, polled, events_polled = await written_by(
        work, watchers
    )
    payments = {row["id"] for row in await scene.owner.fetch("SELECT id FROM payments")}
    events = {row["id"] for row in await scene.owner.fetch("SELECT id FROM outbox")}
    assert len(payments) == len(events) == ROWS // WRITERS * WRITERS
    assert_each_once([first, second, polled], payments)
    assert_each_once([third, fourth, events_polled], events)
    assert first == second == polled  # "newest first" is the same order, backwards
    referenced = await scene.owner.fetch("SELECT id FROM payments WHERE reference = 'r1'")
    assert_each_once([by_reference], {row["id"] for row in referenced})


async def test_one_payments_history_is_followed_while_eight_write(scene: Scene) -> None:
    """Actions and events of one payment: each once, in their sequence."""
    payment = await authorized(scene.stores[0])
    captures = max(ROWS // 100, WRITERS) // WRITERS

    async def actions(token: str) -> tuple[Sequence[str], str]:
        found, token = await scene.queries.list_actions(
            MERCHANT, payment.id, size=7, token=token, follow=True
        )
        return [action.id for action in found], token

    of_payment = events_of(scene, EventFilter(payment_id=payment.id), follow=True)
    looks = (actions, actions, of_payment, of_payment)
    seen = await written_by(
        [write_captures(store, payment.id, captures) for store in scene.stores],
        [partial(follow, look) for look in looks],
    )
    for statement, found in (
        ("SELECT id FROM actions ORDER BY sequence", seen[:2]),
        ("SELECT id FROM outbox ORDER BY sequence", seen[2:]),
    ):
        rows = await scene.owner.fetch(statement)
        assert len(rows) == 1 + captures * WRITERS
        assert found == [[row["id"] for row in rows]] * 2


async def test_deliveries_are_followed_while_eight_write(scene: Scene) -> None:
    """What is redelivered to one more endpoint comes after what was read, whatever its id is."""
    await pay(scene.stores[0], "")
    (event_id,) = [row["id"] for row in await scene.owner.fetch("SELECT id FROM outbox")]
    endpoints = [f"we_{n * 7919 % 1000:026}" for n in range(max(ROWS // 20, WRITERS))]
    await scene.owner.execute(
        """
        INSERT INTO webhook_endpoints
        SELECT $1, id, 'http://127.0.0.1:9/', '{}', 'ENABLED', '', now(), now()
        FROM unnest($2::text[]) AS e (id)
        """,
        MERCHANT,
        endpoints,
    )

    async def deliver(own: Sequence[str]) -> None:
        for endpoint_id in own:
            await scene.journal.redeliver(MERCHANT, event_id, endpoint_id=endpoint_id)

    async def look(token: str) -> tuple[Sequence[str], str]:
        place = ListPosition.parse(token) if token else None
        page = await scene.journal.list_deliveries(MERCHANT, event_id, place=place, size=5)
        ids = [delivery.endpoint_id for delivery in page.items]
        return ids, str(page.place or place or BEGINNING)

    seen = await written_by(
        [deliver(endpoints[n::WRITERS]) for n in range(WRITERS)], [partial(follow, look)] * 2
    )
    assert_each_once(seen, set(endpoints))


async def test_what_may_still_come_holds_back_what_came_after_it(scene: Scene) -> None:
    """A transaction that has begun to write is waited for; one that writes elsewhere is not."""
    look, url = payments_of(scene, follow=True), as_part(scene.url, "paygate_gateway")
    elsewhere, writing = await asyncpg.connect(scene.url), await asyncpg.connect(url)
    try:
        await elsewhere.execute(
            "BEGIN; UPDATE merchants SET name = name; SELECT pg_current_xact_id()"
        )
        await pay(scene.stores[0], "")
        shown, token = await look("")
        assert len(shown) == 1
        await writing.execute("BEGIN; UPDATE payments SET version = version")
        await pay(scene.stores[0], "")
        assert await look(token) == ([], token)
        assert len((await payments_of(scene, follow=False)(""))[0]) == 1
        await writing.execute("COMMIT")
        assert len((await look(token))[0]) == 1
    finally:
        await elsewhere.close()
        await writing.close()


# What is read of the locks while a transaction ends: PostgreSQL first takes it from those that run,
# then lets its locks go, those of tables before the one of its number.
ENDING = """
CREATE SCHEMA ending;
CREATE FUNCTION ending.locks() RETURNS SETOF pg_catalog.pg_locks LANGUAGE plpgsql AS $$
BEGIN
  RETURN QUERY SELECT * FROM pg_catalog.pg_locks WHERE locktype <> 'relation';
  PERFORM pg_advisory_lock(1);
END $$;
CREATE VIEW ending.pg_locks AS SELECT * FROM ending.locks();
"""


async def test_a_row_whose_transaction_is_just_ending_is_not_passed(scene: Scene) -> None:
    """A look whose snapshot is older than the end, and whose list of locks is younger, waits."""
    await pay(scene.stores[0], "")
    await scene.owner.execute(ENDING)
    async with AsyncExitStack() as stack:

        async def connection(**settings: str) -> asyncpg.Connection:
            opened = await asyncpg.connect(scene.url, server_settings=settings)
            stack.push_async_callback(opened.close)
            return opened

        writing, holding = await connection(), await connection()
        looking = await connection(search_path="ending, public, pg_catalog")
        await holding.execute("SELECT pg_advisory_lock(1)")
        await writing.execute("BEGIN; UPDATE payments SET commit_order = own_commit_order()")
        order = await writing.fetchval("SELECT own_commit_order()")
        await pay(scene.stores[0], "")
        look = asyncio.create_task(looking.fetchval("SELECT commit_order_end('payments')"))
        waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)"
        while not await holding.fetchval(waits):
            await asyncio.sleep(0.01)
        await writing.execute("COMMIT")
        await holding.execute("SELECT pg_advisory_unlock(1)")
        assert await look <= order


async def test_another_server_begins_after_all_that_is_there(scene: Scene) -> None:
    """Where numbers of transactions begin again, as in a restored database, order goes on."""
    look = payments_of(scene, follow=True)
    await pay(scene.stores[0], "")
    await scene.owner.execute("UPDATE payments SET commit_order = commit_order + (1::bigint << 40)")
    await scene.owner.execute("UPDATE commit_era SET server = 'the one that was dumped'")
    part = as_part(scene.url, "paygate_gateway")
    async with await open_pool(
        part, size=1, command_timeout_seconds=5, name="test", first=BEGIN_COMMIT_ERA
    ) as writes:
        shown, token = await look("")
        store = PostgresStore(
            writes, writes, events=ProtoEvents(), clocks=SandboxClocks(), lease=LEASE
        )
        await pay(store, "")
    later, token = await look(token)
    assert len(shown) == len(later) == 1
    assert set(shown) != set(later)
    assert await look(token) == ([], token)
    assert await scene.owner.fetchval("SELECT era FROM commit_era") == 2


async def test_rows_of_the_version_before_are_listed_by_their_ids(scene: Scene) -> None:
    """They have no place of their own, come before all that do, and are followed as well."""
    for _ in range(4):
        await pay(scene.stores[0], "")
    await scene.owner.execute("UPDATE payments SET commit_order = 0")
    await pay(scene.stores[0], "")
    rows = await scene.owner.fetch("SELECT id FROM payments ORDER BY commit_order, id")
    ids = [row["id"] for row in rows]
    newest, _ = await payments_of(scene, follow=False)("")
    oldest, _ = await payments_of(scene, follow=True)("")
    assert (newest, oldest) == (ids[::-1], ids)
