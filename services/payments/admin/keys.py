"""API keys in PostgreSQL, as the operator sees them: never the key, nor even its digest."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pkg.grpc.scopes import Scopes, known
from pkg.postgres.sql import Pool, Row, translated
from pkg.replies.one_connection import as_pool
from services.payments.admin.errors import (
    ApiKeyEndedError,
    ApiKeyLimitError,
    ApiKeyNotFoundError,
    MerchantNotFoundError,
)
from services.payments.admin.merchants import SQL

if TYPE_CHECKING:
    from pkg.postgres.tenancy import PooledConnection


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """What is told of a key. Times are real ones, whatever the sandbox's clock says."""

    id: str
    merchant_id: str
    name: str
    scopes: Scopes
    create_time: datetime
    expire_time: datetime | None
    revoke_time: datetime | None

    def is_live(self, now: datetime) -> bool:
        """Tell whether it works, if its merchant is enabled."""
        return self.revoke_time is None and (self.expire_time is None or now < self.expire_time)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewKey:
    """What is stored of a key that was just made."""

    id: str
    digest: bytes


class PostgresKeys:
    """Every method may raise DependencyUnavailableError."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def on(self, connection: "PooledConnection") -> "PostgresKeys":
        """Return the same inside a transaction that somebody else has begun."""
        return PostgresKeys(as_pool(connection))

    async def create(self, merchant_id: str, new: NewKey, *, name: str, scopes: Scopes) -> ApiKey:
        """Store a key.

        Raises:
            MerchantNotFoundError: There is no such merchant.
            ApiKeyLimitError: It has two live keys.
        """
        async with self._of_merchant(merchant_id) as connection:
            return await _insert(connection, merchant_id, new, name=name, scopes=scopes)

    async def rotate(
        self, key_id: str, new: NewKey, *, overlap: timedelta
    ) -> tuple[ApiKey, ApiKey]:
        """Store a key with name and scopes of another one; return it and the other one.

        The other one works on for `overlap` at most.

        Raises:
            ApiKeyNotFoundError: There is no key with that id.
            ApiKeyEndedError: It works no more.
            ApiKeyLimitError: Its merchant has another live key besides, and would have three.
        """
        with translated():
            merchant_id = _found(await self._pool.fetchrow(SQL["get_key"], key_id)).merchant_id
        async with self._of_merchant(merchant_id) as connection:
            row = await connection.fetchrow(SQL["expire_key"], key_id, overlap)
            if row is None:
                raise ApiKeyEndedError
            old = _key(row)
            new_key = await _insert(connection, merchant_id, new, name=old.name, scopes=old.scopes)
        return new_key, old

    async def revoke(self, key_id: str) -> ApiKey:
        """End a key, if it has not ended yet.

        Raises:
            ApiKeyNotFoundError: There is no key with that id.
        """
        with translated():
            return _found(await self._pool.fetchrow(SQL["revoke_key"], key_id))

    async def list(self, merchant_id: str, *, before_id: str, limit: int) -> Sequence[ApiKey]:
        """Return keys, the newest first, from the one before `before_id` on."""
        with translated():
            rows = await self._pool.fetch(SQL["list_keys"], merchant_id, before_id, limit)
        return [_key(row) for row in rows]

    @asynccontextmanager
    async def _of_merchant(self, merchant_id: str) -> "AsyncIterator[PooledConnection]":
        """Hold a merchant, so that its live keys are counted by one at a time."""
        with translated():
            async with self._pool.acquire() as connection, connection.transaction():
                if await connection.fetchrow(SQL["lock_merchant"], merchant_id) is None:
                    raise MerchantNotFoundError
                await connection.execute(SQL["free_slots"], merchant_id)
                yield connection


async def _insert(
    connection: "PooledConnection", merchant_id: str, new: NewKey, *, name: str, scopes: Scopes
) -> ApiKey:
    row = await connection.fetchrow(
        SQL["create_key"], merchant_id, new.id, name, sorted(scopes), new.digest
    )
    if row is None:
        raise ApiKeyLimitError
    return _key(row)


def _found(row: Row | None) -> ApiKey:
    if row is None:
        raise ApiKeyNotFoundError
    return _key(row)


def _key(row: Row) -> ApiKey:
    return ApiKey(
        id=row["id"],
        merchant_id=row["merchant_id"],
        name=row["name"],
        scopes=known(row["scopes"]),
        create_time=row["create_time"],
        expire_time=row["expire_time"],
        revoke_time=row["revoke_time"],
    )
