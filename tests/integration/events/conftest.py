"""WebhookService on an empty database, for those who test the API."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.events.api import Api, served
from tests.integration.events.desk import Desk, opened


@pytest.fixture
async def desk(payments_database_url: str) -> AsyncIterator[Desk]:
    """An empty database of the gateway."""
    async with opened(payments_database_url) as open_desk:
        yield open_desk


@pytest.fixture
async def api(payments_database_url: str) -> AsyncIterator[Api]:
    """The service on it."""
    async with served(payments_database_url) as client:
        yield client
