"""Plans: a look by key stays one, in a database that is new and has no statistics yet."""

import asyncio

import asyncpg

from tests.integration.events.desk import opened

TOGETHER = 500
# A key leads to one row, and to an older version of it now and then.
ROWS_A_LOOK_MAX = 5.0


async def test_the_first_traffic_reads_no_more_than_it_needs(payments_database_url: str) -> None:
    """Much at once, from the first moment on: no statement reads all that a merchant has."""
    async with opened(payments_database_url) as desk:
        payments = await asyncio.gather(*(desk.authorized() for _ in range(TOGETHER)))
        await asyncio.gather(*(desk.captured(payment) for payment in payments))
    looks = await index_use(payments_database_url)
    assert {"payments_pkey", "actions_pkey"} <= set(looks)
    read_too_much = {
        name: rows / scans
        for name, (scans, rows) in looks.items()
        if rows > scans * ROWS_A_LOOK_MAX
    }
    assert read_too_much == {}


async def index_use(url: str) -> dict[str, tuple[int, int]]:
    """Return how often each index was used, and the entries that were read from it."""
    connection = await asyncpg.connect(url)
    try:
        # The last of the closed connections tells its part a moment later.
        async with asyncio.timeout(10):
            while True:
                rows = await connection.fetch(
                    "SELECT indexrelname, idx_scan, idx_tup_read FROM pg_stat_user_indexes"
                    " WHERE idx_scan > 0 AND relname IN ('payments', 'actions', 'outbox')"
                )
                used = {row[0]: (row[1], row[2]) for row in rows}
                if used.get("payments_pkey", (0, 0))[0] >= 3 * TOGETHER:
                    return used
                await asyncio.sleep(0.1)
    finally:
        await connection.close()
