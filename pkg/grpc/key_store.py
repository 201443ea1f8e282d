"""The digests of API keys in PostgreSQL."""

from pathlib import Path

from pkg.grpc.auth import KeyRecord
from pkg.grpc.scopes import known
from pkg.postgres.sql import Pool, translated

_FIND_KEY = Path(__file__).with_name("find_key.sql").read_text("utf-8")


class PostgresKeyStore:
    """The digests of API keys in PostgreSQL."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def find_key(self, key_id: str) -> KeyRecord | None:
        """Return the key with that id."""
        with translated():
            row = await self._pool.fetchrow(_FIND_KEY, key_id)
        if row is None:
            return None
        return KeyRecord(
            merchant_id=row["merchant_id"],
            digest=row["digest"],
            scopes=known(row["scopes"]),
            expire_time=row["expire_time"],
            is_ended=row["is_ended"],
        )
