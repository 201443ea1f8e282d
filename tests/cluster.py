"""The Citus cluster that PAYGATE_CITUS_URL names, for tests that need one."""

import asyncio
import os
import sys
from pathlib import Path

import asyncpg
import pytest

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
