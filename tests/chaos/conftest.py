"""Rigs on fresh databases, and stacks."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.chaos.rig import Rig
from tests.e2e.stack import Stack


@pytest.fixture
async def rig(payments_database_url: str, acquirer_database_url: str) -> AsyncIterator[Rig]:
    """Two workers, a sweep and a bank."""
    async with Rig(payments_database_url, acquirer_database_url) as running:
        yield running


@pytest.fixture
async def struck(payments_database_url: str, acquirer_database_url: str) -> AsyncIterator[Rig]:
    """One worker with failpoints, a sweep and a bank."""
    module = ("tests.chaos.failpoints",)
    async with Rig(
        payments_database_url, acquirer_database_url, workers_count=1, worker_module=module
    ) as running:
        yield running


@pytest.fixture
async def own_stack() -> AsyncIterator[Stack]:
    """A stack with two workers that a test alone has; at the end it stops as it should."""
    with Stack(workers=2) as running:
        await asyncio.to_thread(running.start)
        yield running
        assert await asyncio.to_thread(running.stop) == 0, running.output
