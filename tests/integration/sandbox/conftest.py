"""What each test of the sandbox begins with."""

from collections.abc import AsyncIterator

import pytest

from tests.chaos.rig import Rig
from tests.integration.sandbox.box import Sandbox


@pytest.fixture
async def box(payments_database_url: str, acquirer_database_url: str) -> AsyncIterator[Sandbox]:
    """Two workers, a sweep and a bank."""
    async with Rig(payments_database_url, acquirer_database_url) as rig:
        yield Sandbox(rig)
