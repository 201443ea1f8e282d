"""A server of each kind."""

from collections.abc import AsyncIterator

import pytest

from pkg.grpc.servers.make import ServerKind
from tests.integration.servers.served import Served, serving


@pytest.fixture(params=list(ServerKind))
async def served(request: pytest.FixtureRequest) -> AsyncIterator[Served]:
    """A server that serves."""
    async with serving(request.param) as running:
        yield running
