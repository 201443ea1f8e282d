"""The rows of one merchant, on the shard that has them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

import asyncpg

from pkg.errors import DependencyUnavailableError
from pkg.postgres.connection import Connection
from pkg.postgres.shards.cluster import Cluster, has_moved
from pkg.postgres.shards.pool import cluster_of
from pkg.postgres.shards.statements import Statements
from pkg.postgres.sql import Pool, Row, translated
from pkg.postgres.tenancy import MerchantPool

if TYPE_CHECKING:
    from pkg.postgres.tenancy import PooledConnection


class ShardedMerchantPool(MerchantPool):
    """See MerchantPool."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    @asynccontextmanager
    async def connection(self, merchant_id: str) -> "AsyncIterator[PooledConnection]":
        """Take a connection to the merchant's shard.

        Raises:
            DependencyUnavailableError: Also where the shard has moved meanwhile; nothing is done.
        """
        cluster = self.cluster
        shard = cluster.shard_of(merchant_id)
        try:
            with translated():
                pool = await cluster.node(shard.node).get()
                async with pool.acquire() as connection:
                    await cast("Connection", connection).set_merchant(merchant_id)
                    yield cast("PooledConnection", _OnShard(connection, cluster.statements(shard)))
        except asyncpg.PostgresError as problem:
            if not has_moved(problem):
                raise
            await cluster.moved(shard)
            raise DependencyUnavailableError from problem

    async def fetch(
        self, statement: str, merchant_id: str, *arguments: object
    ) -> "Sequence[asyncpg.Record]":
        """Return the rows of a statement."""

        async def do(pool: Pool, own: Statements) -> "Sequence[asyncpg.Record]":
            async with pool.acquire() as connection:
                await cast("Connection", connection).set_merchant(merchant_id)
                return await connection.fetch(own[statement], merchant_id, *arguments)

        with translated():
            return await self.cluster.on(merchant_id, do)

    async def fetchrow(self, statement: str, merchant_id: str, *arguments: object) -> Row | None:
        """Return the first row of a statement, if there is one."""
        rows = await self.fetch(statement, merchant_id, *arguments)
        return rows[0] if rows else None

    async def fetchval(self, statement: str, merchant_id: str, *arguments: object) -> Any:
        """Return the first column of the first row."""
        row = await self.fetchrow(statement, merchant_id, *arguments)
        return None if row is None else cast("asyncpg.Record", row)[0]


class _OnShard:
    """A connection whose statements are those of a shard."""

    def __init__(self, connection: "PooledConnection", own: Statements) -> None:
        self._connection = connection
        self._own = own
        self.transaction = connection.transaction

    async def set_merchant(self, merchant_id: str) -> None:
        await cast("Connection", self._connection).set_merchant(merchant_id)

    async def fetch(self, statement: str, *arguments: Any) -> list[Row]:
        return list(await self._connection.fetch(self._own[statement], *arguments))

    async def fetchrow(self, statement: str, *arguments: Any) -> Row | None:
        return await self._connection.fetchrow(self._own[statement], *arguments)

    async def fetchval(self, statement: str, *arguments: Any) -> Any:
        return await self._connection.fetchval(self._own[statement], *arguments)

    async def execute(self, statement: str, *arguments: Any) -> str:
        return await self._connection.execute(self._own[statement], *arguments)


def merchants_of(pool: Pool) -> MerchantPool:
    """Return a pool whose every statement is for one merchant."""
    cluster = cluster_of(pool)
    return MerchantPool(pool) if cluster is None else ShardedMerchantPool(cluster)
