"""Sandboxes in PostgreSQL, by the role that only tests need.

See `sandboxes.Sandboxes` and `removals.EndedSandboxes`.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from pkg.grpc.auth import CACHE_SECONDS
from pkg.ids import after_all_ids
from pkg.postgres.sql import Pool, Row, translated
from pkg.replies.one_connection import as_pool
from services.payments.adapters.postgres import SQL
from services.payments.adapters.postgres_sandbox import PostgresSandbox
from services.payments.domain.errors import (
    SandboxBusyError,
    SandboxLimitError,
    SandboxNotFoundError,
)
from services.payments.removals import Ended
from services.payments.sandboxes import ALIVE_MAX, THERE_MAX, NewKey, NewSandbox, Sandbox

if TYPE_CHECKING:
    from pkg.postgres.tenancy import PooledConnection

# After it no process takes the key of a sandbox that has ended, and no call with it is under way.
PAUSE = timedelta(seconds=CACHE_SECONDS + 10)
# For so long nobody else removes what somebody has begun to remove. Who posted a webhook meanwhile
# has written what came of it by then: an attempt takes 15 seconds at most.
LEASE = timedelta(seconds=20)
# So few that others who wait for the connection do not wait for long.
BATCH = 200
LEFTOVERS = 500  # at a time


class PostgresSandboxes:
    """Every method may raise DependencyUnavailableError."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def on(self, connection: "PooledConnection") -> "PostgresSandboxes":
        """Return the same inside a transaction that somebody else has begun."""
        return PostgresSandboxes(as_pool(connection))

    async def create(self, owner_id: str, new: NewSandbox, key: NewKey) -> Sandbox:
        """Make a sandbox, inside a transaction.

        Raises:
            SandboxLimitError: The owner has as many as it can have, or is a sandbox.
        """
        with translated():
            await self._pool.fetch(SQL["hold_sandboxes"], owner_id)
            row = await self._pool.fetchrow(
                SQL["create_sandbox"],
                owner_id,
                new.id,
                new.name,
                new.time_to_live,
                new.ahead,
                key.id,
                key.digest,
                sorted(key.scopes),
                PAUSE,
                ALIVE_MAX,
                THERE_MAX,
            )
        if row is None:
            raise SandboxLimitError
        return _sandbox(row)

    async def list(self, owner_id: str, *, before_id: str | None, limit: int) -> Sequence[Sandbox]:
        """Return the owner's sandboxes that have not ended, the newest first."""
        before = before_id or after_all_ids("mer")
        with translated():
            rows = await self._pool.fetch(SQL["list_sandboxes"], owner_id, before, limit)
        return [_sandbox(row) for row in rows]

    async def end(self, owner_id: str, sandbox_id: str) -> None:
        """End a sandbox and its keys; what it has is removed later.

        Raises:
            SandboxNotFoundError: The owner has no such sandbox, or it has ended.
            SandboxBusyError: An action in it is PENDING.
        """
        with translated():
            is_busy = await self._pool.fetchval(SQL["end_sandbox"], owner_id, sandbox_id, PAUSE)
        if is_busy is None:
            raise SandboxNotFoundError
        if is_busy:
            raise SandboxBusyError

    async def take_ended(self) -> Ended | None:
        """Take a sandbox that is to be removed; None if there is none."""
        with translated():
            row = await self._pool.fetchrow(SQL["take_ended"], LEASE)
        return Ended(row["merchant_id"], row["is_busy"]) if row else None

    async def remove_rows(self, sandbox_id: str) -> bool:
        """Remove some of what a sandbox has; return whether there was anything."""
        with translated():
            return bool(await self._pool.fetchval(SQL["remove_rows"], sandbox_id, BATCH))

    async def remove(self, sandbox_id: str) -> None:
        """Remove what is left of a sandbox, and itself."""
        with translated():
            async with self._pool.acquire() as connection, connection.transaction():
                await PostgresSandbox(as_pool(connection)).reset(sandbox_id)
                await connection.fetch(SQL["remove_sandbox"], sandbox_id)

    async def take_leftovers(self) -> Sequence[str]:
        """Take references of operations that the bank is to remove."""
        with translated():
            rows = await self._pool.fetch(SQL["take_leftovers"], LEFTOVERS, LEASE)
        return [row["reference"] for row in rows]

    async def drop_leftovers(self, references: Sequence[str]) -> None:
        """Forget those that it has removed."""
        with translated():
            await self._pool.fetch(SQL["drop_leftovers"], references)


def _sandbox(row: Row) -> Sandbox:
    return Sandbox(
        id=row["merchant_id"],
        name=row["name"],
        create_time=row["create_time"],
        expire_time=row["expire_time"],
    )
