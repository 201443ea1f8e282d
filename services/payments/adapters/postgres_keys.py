"""API keys in PostgreSQL: digests only."""

from datetime import datetime

from services.payments.adapters.postgres import SQL, Pool, translated
from services.payments.auth import KeyRecord


class PostgresKeyStore:
    """Where the digests of API keys live."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def find_key(self, key_id: str) -> KeyRecord | None:
        """Return the key with that id."""
        async with translated():
            row = await self._pool.fetchrow(SQL["find_key"], key_id)
        return KeyRecord(row["merchant_id"], row["digest"], row["revoke_time"]) if row else None

    async def create_key(
        self, *, merchant_id: str, name: str, key_id: str, digest: bytes, now: datetime
    ) -> None:
        """Store a key, and its merchant if that is new."""
        async with translated():
            await self._pool.execute(SQL["create_key"], merchant_id, name, key_id, digest, now)
