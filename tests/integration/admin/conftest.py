"""The admin API on an empty database."""

from collections.abc import AsyncIterator

import pytest

from tests.integration.admin.served import Api, served


@pytest.fixture
async def admin(payments_database_url: str) -> AsyncIterator[Api]:
    """The service, with one merchant."""
    async with served(payments_database_url) as api:
        yield api
