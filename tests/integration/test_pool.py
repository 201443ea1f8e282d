"""Waiting for a connection ends."""

import asyncio

import pytest

from pkg.errors import DependencyUnavailableError
from pkg.postgres.sql import open_pool, translated


async def test_nobody_waits_for_a_connection_for_ever(payments_database_url: str) -> None:
    """Past the timeout of a statement the database counts as unavailable; then it goes on."""
    pool = await open_pool(payments_database_url, size=1, command_timeout_seconds=0.3, name="test")
    async with pool:
        async with pool.acquire(), asyncio.timeout(5):
            with pytest.raises(DependencyUnavailableError), translated():
                await pool.fetchval("SELECT 1")
        many = [pool.fetchval("SELECT $1::int", number) for number in range(20)]
        assert await asyncio.gather(*many) == list(range(20))
