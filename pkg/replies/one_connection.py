"""Adapters that work on a pool, inside a transaction that somebody else has begun."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

from pkg.postgres.sql import Pool, Row

if TYPE_CHECKING:
    from pkg.postgres.tenancy import PooledConnection


class _OneConnection:
    """What adapters use of a pool."""

    def __init__(self, connection: "PooledConnection") -> None:
        self._connection = connection

    @asynccontextmanager
    async def acquire(self) -> "AsyncIterator[PooledConnection]":
        yield self._connection

    async def fetch(self, statement: str, *arguments: object) -> list[Row]:
        return list(await self._connection.fetch(statement, *arguments))

    async def fetchrow(self, statement: str, *arguments: object) -> Row | None:
        return await self._connection.fetchrow(statement, *arguments)

    async def fetchval(self, statement: str, *arguments: object) -> Any:
        return await self._connection.fetchval(statement, *arguments)


def as_pool(connection: "PooledConnection") -> Pool:
    """Return what stands for a pool, and does everything on this connection."""
    return cast("Pool", _OneConnection(connection))
