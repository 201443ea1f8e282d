"""A backlog must not make each look for work read all of it, with no statistics either."""

import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from services.events.outbox import SQL
from tests.integration.events.desk import Desk, opened

BACKLOG = 5_000
READ_MAX = 500  # rows that are read and not used

DELIVERIES = """
INSERT INTO webhook_deliveries
  (merchant_id, endpoint_id, event_id, payment_id, sequence, status, due_time, create_time)
SELECT 'mer_a', $1, 'evt_' || i, 'pay_' || i / 2, i % 2, 'PENDING', now() - interval '1 h', now()
FROM generate_series(1, $2::int) AS i
"""
EVENTS = """
INSERT INTO outbox (merchant_id, id, payment_id, sequence, type, payload, create_time)
SELECT 'mer_a', 'new_' || i, 'pay_' || i / 2, 2 + i % 2, 'payment.captured', '', now()
FROM generate_series(1, $1::int) AS i
"""
ENDPOINTS = 4_000
# Half of them of merchants with one that is slow.
MANY_ENDPOINTS = """
WITH named AS (
  SELECT 'mer_' || i / 2 AS merchant_id, (ARRAY['we_slow', 'we_healthy'])[1 + i % 2] AS id
  FROM generate_series(0, $1::int - 1) AS i
),
made AS (
  INSERT INTO webhook_endpoints
    (merchant_id, id, url, event_types, status, description, create_time, update_time)
  SELECT merchant_id, id, 'http://127.0.0.1:1/', '{}', 'ENABLED', '', now(), now() FROM named
),
due AS (
  INSERT INTO webhook_deliveries
    (merchant_id, endpoint_id, event_id, payment_id, sequence, status, due_time, create_time)
  SELECT merchant_id, id, 'evt_1', 'pay_1', 1, 'PENDING', now() - interval '1 h', now() FROM named
)
SELECT array_agg(DISTINCT merchant_id) FROM named
"""
LEASE = timedelta(seconds=10)


@pytest.fixture
async def desk(payments_database_url: str) -> AsyncIterator[Desk]:
    """A desk with a backlog: of deliveries, or of events, behind one endpoint."""
    async with opened(payments_database_url) as desk:
        endpoint_id, _ = await desk.endpoint("http://127.0.0.1:1/hooks")
        await desk.pool.execute(DELIVERIES, endpoint_id, BACKLOG)
        yield desk


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Return all nodes of a plan."""
    yield plan
    for part in plan.get("Plans", []):
        yield from nodes(part)


async def unused(desk: Desk, statement: str, *arguments: object) -> float:
    """Execute a statement; return how many rows it read and threw away, or sorted."""
    text = await desk.pool.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {SQL[statement]}", *arguments)
    found = 0.0
    for node in nodes(json.loads(text)[0]["Plan"]):
        rows = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Join Filter", 0)
        rows += node["Actual Rows"] if node["Node Type"] == "Sort" else 0
        found += rows * node["Actual Loops"]
    return found


async def test_claiming_reads_what_it_takes(desk: Desk) -> None:
    """One look into an index for each candidate tells whether it is the head of its stream."""
    arguments: tuple[object, ...] = (128, 16, LEASE, "{}", 64, "{}")

    assert await unused(desk, "claim_deliveries", *arguments) <= READ_MAX


async def test_claiming_compares_no_endpoint_with_all_that_are_slow(desk: Desk) -> None:
    """Thousands that wait, beside thousands that a relay knows to be slow: a look-up for each."""
    merchants = await desk.pool.fetchval(MANY_ENDPOINTS, ENDPOINTS)
    slow = {merchant: {"we_slow": 0, "we_healthy": 1} for merchant in merchants}
    free = dict.fromkeys(merchants, 1)

    arguments = (128, 16, LEASE, json.dumps(slow), 64, json.dumps(free))
    # All are looked at, some are thrown away, and the rest is put in an order.
    assert await unused(desk, "claim_deliveries", *arguments) <= 3 * ENDPOINTS


async def test_relaying_reads_what_it_takes(desk: Desk) -> None:
    """What is ahead of a new delivery is found by its stream, not by its endpoint."""
    await desk.pool.execute(EVENTS, BACKLOG)

    assert await unused(desk, "fan_out", 100, True) <= READ_MAX


async def test_publishing_reads_what_it_takes(desk: Desk) -> None:
    """The heads of payments are found one by one, however much waits while the bus is away."""
    await desk.pool.execute(EVENTS, BACKLOG)

    assert await unused(desk, "take_unpublished", 100, LEASE) <= READ_MAX


async def test_recording_reads_what_it_takes(desk: Desk) -> None:
    """What follows a failed attempt is found by its stream."""
    row = await desk.pool.fetchrow(
        "UPDATE webhook_deliveries SET lease_time = now() WHERE event_id = 'evt_2' RETURNING *"
    )
    assert row
    keys = [[row[name]] for name in ("merchant_id", "endpoint_id", "event_id", "lease_time")]
    delay = timedelta(hours=1)

    came_of_it = [["PENDING"], [500], ["http 500"], [delay], [False]]
    kept = [[datetime.now(UTC)], [timedelta(seconds=1)], ["oh no"]]
    read = await unused(desk, "record_attempts", *keys, *came_of_it, *kept)

    assert read <= READ_MAX
    moved = "SELECT count(*) FROM webhook_deliveries WHERE due_time > now()"
    assert await desk.pool.fetchval(moved) == 2
