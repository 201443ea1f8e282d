"""Plans: a look by key stays one, in a database that is new and has no statistics yet."""

import asyncio
from collections.abc import Sequence

import asyncpg

from pkg.postgres.sql import open_pool
from pkg.postgres.tenancy import MerchantPool
from services.events.journal import EventFilter, Journal
from services.payments.adapters.clock import SandboxClocks
from services.payments.adapters.postgres_reader import PostgresReader
from services.payments.adapters.postgres_sandbox import PostgresSandbox
from services.payments.domain.status import Status
from services.payments.ports import PaymentFilter
from services.payments.upcoming import LOOKED_AT_MAX, UPCOMING_MAX
from tests.builders import MERCHANT
from tests.database import as_part
from tests.integration.events.desk import opened

TOGETHER = 500
LOOKS, PAGE = 100, 20
MANY = 20_000
MANY_ALIKE = """
INSERT INTO payments
SELECT (jsonb_populate_record(
  p, jsonb_build_object('id', 'pay_' || lpad(n::text, 26, '0'), 'reference', 'the usual'))).*
FROM payments p, generate_series(1, $1::bigint) n
"""
# A key leads to one row, and to an older version of it now and then.
ROWS_A_LOOK_MAX = 5.0


async def test_the_first_traffic_reads_no_more_than_it_needs(payments_database_url: str) -> None:
    """Much at once, from the first moment on: no statement reads all that a merchant has."""
    async with opened(payments_database_url) as desk:
        payments = await asyncio.gather(*(desk.authorized() for _ in range(TOGETHER)))
        await asyncio.gather(*(desk.captured(payment) for payment in payments))
    looks = await index_use(payments_database_url)
    assert {"payments_pkey", "actions_pkey"} <= set(looks)
    assert looks["payments_pkey"][0] >= 3 * TOGETHER
    read_too_much = {
        name: rows / scans
        for name, (scans, rows) in looks.items()
        if rows > scans * ROWS_A_LOOK_MAX
    }
    assert read_too_much == {}


async def test_looking_reads_no_more_than_it_needs(payments_database_url: str) -> None:
    """Row-level security keeps the indexes in use, in a new database as well."""
    async with opened(payments_database_url) as desk:
        await asyncio.gather(*(desk.authorized() for _ in range(TOGETHER)))
        asked = (desk.authorized(merchant_id="mer_other") for _ in range(TOGETHER))
        payments = await asyncio.gather(*asked)
    before = await index_use(payments_database_url)
    await look_around(payments_database_url, [payment.id for payment in payments[:LOOKS]])
    after = await index_use(payments_database_url)
    read = {name: rows - before.get(name, (0, 0))[1] for name, (_, rows) in after.items()}
    # A payment and its action each time, an event each time, and a page of payments.
    assert sum(read.values()) <= (3 * LOOKS + PAGE) * ROWS_A_LOOK_MAX
    assert read["payments_pkey"] >= LOOKS
    assert read["payments_in_order"] >= PAGE


async def test_a_filter_that_nothing_passes_reads_nothing(payments_database_url: str) -> None:
    """Also where the statistics say that nearly everything would pass it."""
    url = payments_database_url
    async with opened(url) as desk:
        await desk.authorized()
        await desk.pool.execute(MANY_ALIKE, MANY)
        await desk.pool.execute("VACUUM (ANALYZE) payments")
    before = await index_use(url)
    reading = as_part(url, "paygate_reader")
    filters = [PaymentFilter(status=Status.VOIDED), PaymentFilter(reference="another")]
    async with await open_pool(reading, size=1, command_timeout_seconds=5, name="test") as reads:
        reader = PostgresReader(MerchantPool(reads), clocks=SandboxClocks())
        for wanted in filters:
            page = await reader.list_payments(MERCHANT, wanted, place=None, size=PAGE)
            assert (page.items, page.has_more) == ([], False)
        page = await reader.follow_payments(MERCHANT, filters[1], place=None, size=PAGE)
        assert page.items == []
    after = await index_use(url)
    assert sum(rows - before.get(name, (0, 0))[1] for name, (_, rows) in after.items()) == 0


async def test_what_time_brings_next_is_looked_for_among_a_few(payments_database_url: str) -> None:
    """However much of another merchant's, or of its own, is open."""
    url = payments_database_url
    async with opened(url) as desk:
        await desk.authorized()
        await desk.authorized(merchant_id="mer_other")
        await desk.pool.execute(f"{MANY_ALIKE} WHERE p.merchant_id = $2", MANY, MERCHANT)
        await desk.pool.execute("VACUUM (ANALYZE) payments")
    before = await index_use(url)
    sandbox = as_part(url, "paygate_sandbox")
    async with await open_pool(sandbox, size=1, command_timeout_seconds=5, name="test") as pool:
        assert len(await PostgresSandbox(pool).upcoming("mer_other")) == 1
        assert len(await PostgresSandbox(pool).upcoming(MERCHANT)) == UPCOMING_MAX
    after = await index_use(url)
    read = sum(rows - before.get(name, (0, 0))[1] for name, (_, rows) in after.items())
    assert read <= 2 * LOOKED_AT_MAX


async def look_around(url: str, payment_ids: Sequence[str]) -> None:
    """Do what the roles do that see one merchant's rows."""
    reading, hooks = as_part(url, "paygate_reader"), as_part(url, "paygate_webhooks")
    async with (
        await open_pool(reading, size=1, command_timeout_seconds=5, name="test") as reads,
        await open_pool(hooks, size=1, command_timeout_seconds=5, name="test") as events,
    ):
        reader = PostgresReader(MerchantPool(reads), clocks=SandboxClocks())
        journal = Journal(MerchantPool(events))
        for payment_id in payment_ids:
            assert await reader.get_payment("mer_other", payment_id)
            assert await reader.list_actions("mer_other", payment_id, after_sequence=0, limit=9)
            page = await journal.list_events(
                "mer_other",
                EventFilter(payment_id=payment_id),
                place=None,
                size=PAGE,
                follow=False,
            )
            assert len(page.items) == 1
        wanted = PaymentFilter()
        listed = await reader.list_payments("mer_other", wanted, place=None, size=PAGE)
        assert len(listed.items) == PAGE


async def index_use(url: str) -> dict[str, tuple[int, int]]:
    """Return how often each index was used, and the entries that were read from it."""
    connection = await asyncpg.connect(url)
    others = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    try:
        # A connection that was closed tells its part before it is gone.
        async with asyncio.timeout(10):
            while await connection.fetchval(others):
                await asyncio.sleep(0.02)
        rows = await connection.fetch(
            "SELECT indexrelname, idx_scan, idx_tup_read FROM pg_stat_user_indexes"
            " WHERE idx_scan > 0 AND relname IN ('payments', 'actions', 'outbox')"
        )
        return {row[0]: (row[1], row[2]) for row in rows}
    finally:
        await connection.close()
