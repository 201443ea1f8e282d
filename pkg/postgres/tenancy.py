"""The second wall between merchants: rows that a connection may see are one merchant's.

The policies of the database compare `merchant_id` with the setting `paygate.merchant_id`. The first
wall is that every statement names the merchant itself.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

from pkg.postgres.connection import Connection
from pkg.postgres.sql import Pool, Row, translated

# The driver's classes take their parameters only from type checkers.
if TYPE_CHECKING:
    import asyncpg

    PooledConnection = asyncpg.pool.PoolConnectionProxy[asyncpg.Record]


class MerchantPool:
    """A pool whose every statement is for one merchant: `$1` in all of them.

    Every method may raise DependencyUnavailableError.

    Args:
        pool: Of a database role whose policies look at the setting. For other roles it means
            nothing, and does no harm.
    """

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def connection(self, merchant_id: str) -> "AsyncIterator[PooledConnection]":
        """Take a connection that sees this merchant's rows."""
        with translated():
            async with self._pool.acquire() as connection:
                await cast("Connection", connection).set_merchant(merchant_id)
                yield connection

    async def fetch(
        self, statement: str, merchant_id: str, *arguments: object
    ) -> "Sequence[asyncpg.Record]":
        """Return the rows of a statement."""
        async with self.connection(merchant_id) as connection:
            return await connection.fetch(statement, merchant_id, *arguments)

    async def fetchrow(self, statement: str, merchant_id: str, *arguments: object) -> Row | None:
        """Return the first row of a statement, if there is one."""
        async with self.connection(merchant_id) as connection:
            return await connection.fetchrow(statement, merchant_id, *arguments)

    async def fetchval(self, statement: str, merchant_id: str, *arguments: object) -> Any:
        """Return the first column of the first row."""
        async with self.connection(merchant_id) as connection:
            return await connection.fetchval(statement, merchant_id, *arguments)
