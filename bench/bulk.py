"""Fills a database with payments that look as if the gateway had made them.

Copies of two payments that it did make: one that is authorized and one that is captured, each with
its actions, keys, events and card. Every id becomes another one of its time, the same wherever it
stands, so that what belongs together stays together; every time is moved to somewhere in the last
six days. Half of them belong to the merchant that is measured with, the others to nine more.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from bench.systems import SQL, System
from bench.worker import MERCHANT

CHUNK = 200_000
CONNECTIONS = 2
DAYS = 6
SPAN_MILLISECONDS = DAYS * 24 * 3600 * 1000
SAMPLE = 20_000
# Of the tables that hold a payment's parts, what finds the parts of one.
PARTS = {
    "payments": "id = '{payment}'",
    "cards": "token = '{token}'",
    "actions": "payment_id = '{payment}'",
    "outbox": "payment_id = '{payment}'",
    "idempotency_keys": "action_id IN (SELECT id FROM actions WHERE payment_id = '{payment}')",
}
# Keys are kept for a day.
SHORT_LIVED = {"idempotency_keys": DAYS}
IDS = ("id", "payment_id", "action_id", "authorization_id", "card_token", "token")

FIXED = {
    "merchant_id": "made.merchant",
    "commit_order": "0",  # then they are sorted by their ids
    "relay_time": "made.at",  # delivered long ago
    "publish_time": "made.at",
}

# The first ten characters of an id are its time in base 32; see `pkg.ids`.
DIGITS = " || ".join(
    f"substr('0123456789abcdefghjkmnpqrstvwxyz', (ms >> {shift} & 31)::int + 1, 1)"
    for shift in range(45, -1, -5)
)
STATEMENT = """
INSERT INTO {table} ({columns})
SELECT {values}
FROM (
  SELECT g, {digits} AS digits, to_timestamp(ms / 1000.0) AS at,
    CASE WHEN g / 2 % 2 = 0 THEN '{merchant}' ELSE 'mer_bench_' || g / 4 % 9 END AS merchant
  FROM (
    SELECT g, {start} + g * {span} / {payments} AS ms
    FROM generate_series({first}::bigint, {last}::bigint, 2) AS g
    OFFSET 0 -- computed once
  ) AS timed
  OFFSET 0
) AS made
CROSS JOIN (SELECT * FROM {table} WHERE merchant_id = '{merchant}' AND {part}) AS model
"""


@dataclass(frozen=True, kw_only=True)
class Model:
    """A payment to copy."""

    payment: str
    token: str
    created: str


async def load(system: System, *, payments: int) -> float:
    """Copy, and bring the statistics up to date; return the seconds that it took."""
    began = time.monotonic()
    models = [await _model(system, system.pools[pool][0]) for pool in ("open", "captured")]
    now = int(time.time() * 1000)
    work = [
        await _statement(system, table, models[kind], kind, first, payments, now)
        for table in PARTS
        for first in range(_oldest(table, payments), payments, CHUNK)
        for kind in (0, 1)
    ]
    await _run(system.database_url, work)
    await system.fetch("VACUUM (ANALYZE)")
    share = min(100.0, 400.0 * SAMPLE / payments)
    for pool, status in (("open", "AUTHORIZED"), ("captured", "CAPTURED")):
        rows = await system.fetch(SQL["sample_payments"], MERCHANT, status, share, SAMPLE)
        system.pools[pool] = [row["id"] for row in rows]
    system.pools["any"] = system.pools["open"] + system.pools["captured"]
    return time.monotonic() - began


async def _model(system: System, payment: str) -> Model:
    (row,) = await system.fetch(
        "SELECT card_token, create_time::text FROM payments WHERE id = $1", payment
    )
    return Model(payment=payment, token=row["card_token"], created=row["create_time"])


async def _statement(
    system: System, table: str, model: Model, kind: int, first: int, payments: int, now: int
) -> str:
    """Return a statement for a part of a table, for every column that the table has."""
    columns = await system.fetch(SQL["columns"], table)
    values = [_value(row["name"], row["type"], model.created) for row in columns]
    return STATEMENT.format(
        table=table,
        columns=", ".join(row["name"] for row in columns),
        values=", ".join(values),
        digits=DIGITS,
        start=now - SPAN_MILLISECONDS,
        span=SPAN_MILLISECONDS,
        payments=payments,
        merchant=MERCHANT,
        first=first + kind,
        last=min(first + CHUNK, payments) - 1,
        part=PARTS[table].format(payment=model.payment, token=model.token),
    )


def _oldest(table: str, payments: int) -> int:
    """Return the first payment, an even number, that still has rows in a table."""
    return payments // 2 * 2 - payments // SHORT_LIVED.get(table, 1) // 2 * 2


def _value(column: str, kind: str, created: str) -> str:
    if column in FIXED:
        return FIXED[column]
    if column in IDS:
        random = f"substr(md5(made.g || model.{column}), 1, 16)"
        return f"left(model.{column}, 4) || made.digits || {random}"
    if column in {"key", "idempotency_key"}:
        return f"md5(made.g || model.{column})"
    if kind == "timestamp with time zone":
        return f"model.{column} + (made.at - '{created}'::timestamptz)"
    return f"model.{column}"


async def _run(url: str, work: Sequence[str]) -> None:
    left = iter(work)

    async def some() -> None:
        connection = await asyncpg.connect(url)
        for statement in left:
            await connection.execute(statement)
        await connection.close()

    await asyncio.gather(*(some() for _ in range(CONNECTIONS)))
