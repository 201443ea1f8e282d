"""Sandboxes that tests make, as a worker does, by the role that it has."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from pkg.ids import new_id
from pkg.postgres.sql import Pool, open_pool
from services.payments.adapters.postgres_sandboxes import PostgresSandboxes
from services.payments.sandboxes import NewKey, NewSandbox, Sandbox
from tests.builders import MERCHANT
from tests.database import as_part

HOUR = timedelta(hours=1)


@asynccontextmanager
async def pool_of(url: str, part: str = "paygate_sandbox") -> AsyncIterator[Pool]:
    """Open a pool as a worker does."""
    async with await open_pool(
        as_part(url, part), size=1, command_timeout_seconds=5, name="test"
    ) as pool:
        yield pool


@asynccontextmanager
async def making(
    url: str, owner_id: str = MERCHANT, *, life: timedelta = HOUR, ahead: timedelta = timedelta(0)
) -> AsyncIterator[Sandbox]:
    """Make a sandbox on a connection of its own, in a transaction that ends with the block."""
    new = NewSandbox(
        id=new_id("mer", datetime.now(UTC)), name="a test", time_to_live=life, ahead=ahead
    )
    key = NewKey(id=new.id[-16:], digest=bytes(32), scopes=frozenset({"payments"}))
    async with (
        pool_of(url) as pool,
        pool.acquire() as connection,
        connection.transaction(),
    ):
        yield await PostgresSandboxes(pool).on(connection).create(owner_id, new, key)


async def make(
    url: str, owner_id: str = MERCHANT, *, life: timedelta = HOUR, ahead: timedelta = timedelta(0)
) -> Sandbox:
    """Make a sandbox."""
    async with making(url, owner_id, life=life, ahead=ahead) as made:
        return made
