"""Which cards are kept, on PostgreSQL. What is stored of a card can't be read here."""

from datetime import datetime
from pathlib import Path

from pkg.observe.metrics import Metrics
from pkg.postgres.shards.proofs import Proofs
from pkg.postgres.sql import Pool, statements, translated
from services.payments.domain.card import Removal

SQL = statements(Path(__file__).parent / "sql")


class PostgresCards:
    """See `ports.Cards`.

    Args:
        pool: Of a role that may remove cards, and not read them.
        metrics: Where what is removed is counted.
    """

    def __init__(self, pool: Pool, metrics: Metrics) -> None:
        self._pool = pool
        self._proofs = Proofs(pool)
        removed = metrics.counter(
            "paygate_cards_removed_total",
            "Cards that were removed from the vault: deleted by their merchants, expired, or"
            " unused for too long. Those that an authorization brought which failed are not in it.",
            ("cause",),
        )
        causes = (Removal.DELETED, Removal.EXPIRED, Removal.UNUSED)
        self._removed = {cause: removed.of(cause.lower()) for cause in causes}

    async def remove(self, merchant_id: str, token: str, *, now: datetime) -> bool:
        """Remove a card; return whether the merchant has or had one of that token."""
        for _ in range(2):  # who removes it at the same time may be seen only then
            with translated():
                row = await self._pool.fetchrow(SQL["remove_card"], merchant_id, token, now)
            assert row is not None  # it selects from no table
            if row["is_removed"]:
                self._removed[Removal.DELETED].inc()
                return True
            if row["was_removed"]:
                await self._proofs.ensure_kept(merchant_id)
                return True
        return False

    async def purge(
        self, *, now: datetime, unused_since: datetime, limit: int, merchant_id: str | None = None
    ) -> int:
        """Remove cards that have expired or were last used before; return how many."""
        of = () if merchant_id is None else (merchant_id,)
        statement = "purge_cards_of" if of else "purge_cards"
        with translated():
            rows = await self._pool.fetch(SQL[statement], now, unused_since, limit, *of)
        for row in rows:
            self._removed[Removal(row["cause"])].inc(row["count"])
        return sum(row["count"] for row in rows)
