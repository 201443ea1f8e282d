"""Whose clock is ahead, and was not looked after for long, on PostgreSQL."""

from datetime import timedelta

from pkg.postgres.sql import Pool, translated
from services.payments.adapters.clock import SandboxClocks
from services.payments.adapters.postgres import SQL


class PostgresVisits:
    """See `visits.Visits`."""

    def __init__(self, pool: Pool, clocks: SandboxClocks) -> None:
        self._pool = pool
        self._clocks = clocks

    async def next(self, *, pause: timedelta) -> str | None:
        """Pick who turned their clock, or was not visited for that long; and read the clock."""
        with translated():
            row = await self._pool.fetchrow(SQL["visit_ahead"], pause)
        if row is None:
            return None
        merchant_id: str = row["merchant_id"]
        self._clocks.observe(merchant_id, row["clock"])
        return merchant_id

    async def again(self, merchant_id: str, *, pause: timedelta) -> None:
        """Have a merchant visited again, behind those who wait."""
        with translated():
            await self._pool.execute(SQL["visit_again"], merchant_id, pause)
