"""Each merchant's clock is its own; looks for what is due by thousands of them stay small."""

import json
from datetime import UTC, datetime, timedelta

from pkg.postgres.sql import Pool
from services.payments.adapters.clock import ANOTHER, TURNED_MAX, SandboxClocks
from services.payments.adapters.postgres import SQL
from services.payments.adapters.postgres_visits import PostgresVisits
from tests.builders import MERCHANT, begun
from tests.integration.store.changes import OnPostgres, an_authorized, ended, keyed, stored

DAY = timedelta(days=1)
CLOCKS, OPEN_EACH, LIMIT = 1_000, 20, 16
TURN = """
INSERT INTO sandbox_clocks (merchant_id, ahead) VALUES ($1, $2)
ON CONFLICT (merchant_id) DO UPDATE SET ahead = EXCLUDED.ahead
"""
# Payments like one there is, of merchants `<prefix><n>`.
ALIKE = """
INSERT INTO payments (merchant_id, id, commit_order, {rest})
SELECT $1 || m, 'pay_' || lpad(n::text, 26, '0'), n, {rest}
FROM payments p, generate_series(1, $2::bigint) m, generate_series(1, $3::bigint) n
WHERE p.merchant_id = 'mer_a'
"""
THE_REST = """
SELECT string_agg(quote_ident(column_name), ', ')
FROM information_schema.columns
WHERE table_name = 'payments' AND column_name NOT IN ('merchant_id', 'id', 'commit_order')
"""
CLOCKS_OF = """
INSERT INTO sandbox_clocks (merchant_id, ahead)
SELECT DISTINCT merchant_id, $2::interval FROM payments WHERE merchant_id LIKE $1 || '%'
"""


async def test_a_turned_clock_expires_its_merchants_payments_alone(on_postgres: OnPostgres) -> None:
    """Another's are not due; and those that are due by the real time are, whoever's they are."""
    store, now = on_postgres.store, datetime.now(UTC)
    own = await an_authorized(store, now=now)
    await an_authorized(store, now=now, merchant_id="mer_other")
    assert await store.list_expirable(limit=LIMIT) == []
    await on_postgres.pool.execute(TURN, MERCHANT, 8 * DAY)
    assert list(await store.list_expirable(limit=LIMIT)) == [(MERCHANT, own.id)]
    late = await an_authorized(store, now=now - 8 * DAY, merchant_id="mer_third")
    assert set(await store.list_expirable(limit=LIMIT)) == {
        (MERCHANT, own.id),
        ("mer_third", late.id),
    }


async def test_a_merchant_with_much_to_expire_starves_nobody(on_postgres: OnPostgres) -> None:
    """Of fifteen merchants each is among the next sixteen, though one has a thousand."""
    await an_authorized(on_postgres.store, now=datetime.now(UTC))
    await alike(on_postgres.pool, "mer_many", 1, 1_000)
    await alike(on_postgres.pool, "mer_few", 14, 1)
    for prefix in ("mer_many", "mer_few"):
        await on_postgres.pool.execute(CLOCKS_OF, prefix, 8 * DAY)
    found = await on_postgres.store.list_expirable(limit=LIMIT)
    assert len(found) == LIMIT
    assert len({merchant_id for merchant_id, _ in found}) == 15


async def test_a_thousand_clocks_cost_a_bounded_look(on_postgres: OnPostgres) -> None:
    """Without clocks next to nothing is read, and then of each merchant its oldest."""
    await an_authorized(on_postgres.store, now=datetime.now(UTC))
    await alike(on_postgres.pool, "mer_ahead", CLOCKS, OPEN_EACH)
    await alike(on_postgres.pool, "mer_real", 10, 200)
    await on_postgres.pool.execute("VACUUM (ANALYZE) payments")
    assert await pages_read(on_postgres.pool) <= 20
    await on_postgres.pool.execute(CLOCKS_OF, "mer_ahead", DAY)
    assert await on_postgres.store.list_expirable(limit=LIMIT) == []
    assert await pages_read(on_postgres.pool) <= CLOCKS * 16
    await on_postgres.pool.execute(TURN, "mer_ahead500", 8 * DAY)
    found = await on_postgres.store.list_expirable(limit=LIMIT)
    assert {merchant_id for merchant_id, _ in found} == {"mer_ahead500"}
    assert len(found) == LIMIT


async def alike(pool: Pool, prefix: str, merchants: int, each: int) -> None:
    """Store open payments of so many merchants, as many of each."""
    rest = await pool.fetchval(THE_REST)
    await pool.execute(ALIKE.format(rest=rest), prefix, merchants, each)


async def pages_read(pool: Pool) -> int:
    """Return how many pages of tables and indexes a look for what expires takes."""
    explained = f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {SQL['list_expirable']}"
    plan = json.loads(await pool.fetchval(explained, LIMIT))[0]["Plan"]
    return int(plan["Shared Hit Blocks"]) + int(plan["Shared Read Blocks"])


async def test_what_is_too_old_by_a_clock_is_looked_for_when_it_is_turned(
    on_postgres: OnPostgres,
) -> None:
    """Then, and every hour; the merchants take turns, and only their own keys are removed."""
    store, pool = on_postgres.store, on_postgres.pool
    hour, now = timedelta(hours=1), datetime.now(UTC)
    visits = PostgresVisits(pool, SandboxClocks())
    for merchant_id in (MERCHANT, "mer_other"):
        first = await stored(store, keyed(begun(now=now, merchant_id=merchant_id)))
        await stored(store, ended(first))
        assert await visits.next(pause=hour) is None
    await pool.execute(TURN, MERCHANT, 2 * DAY)
    assert await visits.next(pause=hour) == MERCHANT
    assert await visits.next(pause=hour) is None
    old = now + DAY
    assert await store.remove_keys(before=old, limit=10, merchant_id=MERCHANT) == 1
    assert await pool.fetchval("SELECT merchant_id FROM idempotency_keys") == "mer_other"
    await pool.execute(TURN, "mer_other", 2 * DAY)
    await visits.again(MERCHANT, pause=hour)
    visited = [await visits.next(pause=hour) for _ in range(3)]
    assert visited == ["mer_other", MERCHANT, None]


def test_of_clocks_that_were_forgotten_nothing_is_believed_but_the_next_reading() -> None:
    """A process remembers so many; the merchant's next payment is decided by what it reads."""
    clocks, now = SandboxClocks(), datetime.now(UTC)
    assert clocks.observe(MERCHANT, [3, 86_400_000_000])
    assert not clocks.observe(MERCHANT, [2, 0])
    assert not clocks.observe(MERCHANT, None)
    assert clocks.decided(begun(now=now)[0]) == ANOTHER
    assert clocks.decided(begun(now=clocks.now(MERCHANT))[0]) == 86_400_000_000
    for number in range(TURNED_MAX):
        clocks.observe(f"mer_{number}", [1, 1])
    assert clocks.decided(begun(now=now)[0]) == 0
    assert clocks.now(MERCHANT) - now < timedelta(minutes=1)
