"""Rigs on fresh databases, and stacks."""

from collections.abc import AsyncIterator

import pytest

from tests.chaos.rig import Rig
from tests.database import Databases
from tests.e2e.stack import Stack, serving


@pytest.fixture
async def rig(payments_database_url: str, acquirer_database_url: str) -> AsyncIterator[Rig]:
    """Two workers, a sweep and a bank."""
    async with Rig(payments_database_url, acquirer_database_url) as running:
        yield running


@pytest.fixture(scope="module")
async def urls(databases: Databases) -> AsyncIterator[tuple[str, str]]:
    """Databases of the gateway and the bank that the tests of a file share."""
    made = [await databases.create("payments"), await databases.create("acquirer")]
    yield made[0][1], made[1][1]
    for name, _ in made:
        await databases.drop(name)


@pytest.fixture(scope="module")
async def shared_rig(urls: tuple[str, str]) -> AsyncIterator[Rig]:
    """Two workers, a sweep and a bank, for a file whose tests leave them running."""
    async with Rig(*urls) as running:
        yield running


@pytest.fixture(scope="module")
async def struck(urls: tuple[str, str]) -> AsyncIterator[Rig]:
    """One worker with failpoints, a sweep and a bank; who kills the worker starts it again."""
    module = ("tests.chaos.failpoints",)
    async with Rig(*urls, workers_count=1, worker_module=module) as running:
        yield running


@pytest.fixture(scope="session")
async def own_stack() -> AsyncIterator[Stack]:
    """A stack with two workers whose parts are ended; in the end it stops as it should."""
    async with serving(Stack(workers=2)) as running:
        yield running
