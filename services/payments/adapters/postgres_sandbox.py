"""The sandbox's own view of the database; see `sandbox.SandboxStore`."""

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from pkg.ids import after_all_ids
from pkg.postgres.sql import Pool, Row, translated
from pkg.replies.one_connection import as_pool
from services.payments.adapters.postgres import SQL
from services.payments.drains import Due
from services.payments.inbox import InboxMessage
from services.payments.upcoming import LOOKED_AT_MAX, UPCOMING_MAX, Kind, Upcoming

if TYPE_CHECKING:
    from pkg.postgres.tenancy import PooledConnection


class PostgresSandbox:
    """The clock, what is due, and a merchant's data, in PostgreSQL."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def on(self, connection: "PooledConnection") -> "PostgresSandbox":
        """Return the same inside a transaction that somebody else has begun."""
        return PostgresSandbox(as_pool(connection))

    async def ahead(self, merchant_id: str) -> timedelta:
        """Return how far the merchant's clock is ahead of the real time."""
        with translated():
            reading: list[int] | None = await self._pool.fetchval(SQL["clock"], merchant_id)
        return timedelta(microseconds=reading[1]) if reading else timedelta(0)

    async def advance(
        self, merchant_id: str, by: timedelta, *, ahead_max: timedelta
    ) -> timedelta | None:
        """Turn the clock forward, and return how far it is ahead now; None if that is too far."""
        with translated():
            ahead: timedelta | None = await self._pool.fetchval(
                SQL["advance_clock"], merchant_id, by, ahead_max
            )
        return ahead

    async def due(self, merchant_id: str) -> Due:
        """Return what is due for the merchant."""
        with translated():
            row = await self._pool.fetchrow(SQL["due"], merchant_id)
        assert row is not None
        return Due(**dict(row))

    async def upcoming(self, merchant_id: str) -> Sequence[Upcoming]:
        """Return what time brings next for the merchant, the soonest first."""
        with translated():
            rows = await self._pool.fetch(SQL["list_due"], merchant_id, UPCOMING_MAX, LOOKED_AT_MAX)
        return [Upcoming(**{**dict(row), "kind": Kind(row["kind"])}) for row in rows]

    async def inbox(
        self, merchant_id: str, *, before_id: str | None, limit: int
    ) -> Sequence[InboxMessage]:
        """Return what came into the merchant's inbox, the last first."""
        with translated():
            rows = await self._pool.fetch(
                SQL["list_inbox"], merchant_id, before_id or after_all_ids("msg"), limit
            )
        return [_message(row) for row in rows]

    async def reset(self, merchant_id: str) -> int:
        """Remove the merchant's data but its keys, and return how many payments there were.

        In several statements, to be run in one transaction: only the second one sees what was begun
        while the first one waited for it. The clock is put back last, since who turns it waits.
        """
        with translated():
            removed: int = await self._pool.fetchval(SQL["reset_payments"], merchant_id)
            await self._pool.fetch(SQL["reset"], merchant_id)
            await self._pool.fetch(SQL["put_clock_back"], merchant_id)
        return removed


def _message(row: Row) -> InboxMessage:
    return InboxMessage(
        id=row["id"],
        create_time=row["create_time"],
        endpoint_id=row["endpoint_id"],
        event_id=row["event_id"],
        status_code=row["status_code"],
        headers=json.loads(row["headers"]),
        body=row["body"],
    )
