"""The Citus cluster that PAYGATE_CITUS_URL names, for tests that need one."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import asyncpg
import pytest

from pkg.postgres.shards import Shards
from pkg.postgres.shards.opening import open_database
from pkg.postgres.shards.tenancy import merchants_of
from pkg.postgres.sql import Pool
from services.payments.adapters.clock import SandboxClocks
from services.payments.adapters.postgres import PostgresStore
from services.payments.adapters.postgres_reader import PostgresReader
from services.payments.api.codec import ProtoEvents
from tests.database import as_part
from tests.integration.store.changes import LEASE
from tools.stack.settings import REPOSITORY

# The coordinator's, as `payments`, who owns a database of that name on each node: see
# docs/sharding.md. It is emptied.
URL = os.environ.get("PAYGATE_CITUS_URL", "")

TABLES = "SELECT logicalrelid::text AS name FROM pg_dist_partition WHERE partmethod = 'h'"


def needed() -> str:
    """Return the cluster's address; skip the test where there is none."""
    if not URL:
        pytest.skip("needs a Citus cluster, which PAYGATE_CITUS_URL names")
    return URL


async def migrated() -> str:
    """Bring the cluster's tables up to date, spread them, and return its address."""
    url = needed()
    told = {
        "DATABASE_URL": url,
        "DBMATE_MIGRATIONS_DIR": str(REPOSITORY / "services" / "payments" / "migrations"),
        "DBMATE_NO_DUMP_SCHEMA": "true",
        "PAYGATE_SHARDS": "citus",
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "pkg.postgres.migrate", cwd=REPOSITORY, env={**os.environ, **told}
    )
    assert await process.wait() == 0
    return url


async def emptied(url: str) -> None:
    """Remove all rows of merchants, on all nodes."""
    owner = await asyncpg.connect(url)
    try:
        names = [row["name"] for row in await owner.fetch(TABLES) if row["name"] != "commit_eras"]
        await owner.execute(f"TRUNCATE {', '.join(names)}")
    finally:
        await owner.close()


@asynccontextmanager
async def adapters_on(url: str) -> AsyncIterator[tuple[PostgresStore, PostgresReader, Pool]]:
    """Open what a worker works on: its store, its reader, and the pool that it loads with."""
    opened = partial(
        open_database, shards=Shards.CITUS, command_timeout_seconds=5, size=2, name="test"
    )
    part = as_part(url, "paygate_gateway")
    reads, writes = await opened(part), await opened(part, begins_era=True)
    looks = await opened(as_part(url, "paygate_reader"))
    clocks = SandboxClocks()
    async with reads, writes, looks:
        store = PostgresStore(reads, writes, events=ProtoEvents(), clocks=clocks, lease=LEASE)
        yield store, PostgresReader(merchants_of(looks), clocks=clocks), reads
