"""One running stack for all end-to-end tests."""

from collections.abc import Iterator

import pytest

from tests.e2e.stack import Stack


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The real thing: PostgreSQL, bank, two workers, sweep, events, relay and Envoy."""
    with Stack(workers=2) as running:
        running.start()
        yield running
        assert running.stop() == 0, running.output
        assert running.processes() == []
