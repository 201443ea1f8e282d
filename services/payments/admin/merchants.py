"""Merchants in PostgreSQL, as the operator sees them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pkg.postgres.sql import Pool, Row, statements, translated
from pkg.replies.one_connection import as_pool
from services.payments.admin.errors import MerchantExistsError, MerchantNotFoundError

if TYPE_CHECKING:
    from pkg.postgres.tenancy import PooledConnection

SQL = statements(Path(__file__).parent / "sql")


@dataclass(frozen=True, slots=True, kw_only=True)
class Merchant:
    """Whose payments these are. `disable_time` is None while its keys work."""

    id: str
    name: str
    create_time: datetime
    disable_time: datetime | None


class PostgresMerchants:
    """Every method may raise DependencyUnavailableError."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def on(self, connection: "PooledConnection") -> "PostgresMerchants":
        """Return the same inside a transaction that somebody else has begun."""
        return PostgresMerchants(as_pool(connection))

    async def create(self, *, merchant_id: str, name: str) -> Merchant:
        """Make a merchant.

        Raises:
            MerchantExistsError: There is one with that id.
        """
        row = await self._row("create_merchant", merchant_id, name)
        if row is None:
            raise MerchantExistsError
        return _merchant(row)

    async def get(self, merchant_id: str) -> Merchant:
        """Return a merchant.

        Raises:
            MerchantNotFoundError: There is none with that id.
        """
        return _found(await self._row("get_merchant", merchant_id))

    async def disable(self, merchant_id: str) -> Merchant:
        """Make its keys useless; raises what `get` does."""
        return _found(await self._row("disable_merchant", merchant_id))

    async def enable(self, merchant_id: str) -> Merchant:
        """Make its keys work again; raises what `get` does."""
        return _found(await self._row("enable_merchant", merchant_id))

    async def list(self, *, after_id: str, limit: int) -> Sequence[Merchant]:
        """Return merchants by their ids, from the one after `after_id` on."""
        with translated():
            rows = await self._pool.fetch(SQL["list_merchants"], after_id, limit)
        return [_merchant(row) for row in rows]

    async def _row(self, statement: str, *arguments: object) -> Row | None:
        with translated():
            return await self._pool.fetchrow(SQL[statement], *arguments)


def _found(row: Row | None) -> Merchant:
    if row is None:
        raise MerchantNotFoundError
    return _merchant(row)


def _merchant(row: Row) -> Merchant:
    return Merchant(
        id=row["id"],
        name=row["name"],
        create_time=row["create_time"],
        disable_time=row["disable_time"],
    )
