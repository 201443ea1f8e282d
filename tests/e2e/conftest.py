"""What end-to-end tests share: one running stack, and one edge without a stack behind it."""

from collections.abc import Iterator

import pytest

from tests.e2e.edge import Edge, Upstream, rendered
from tests.e2e.stack import Stack


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The real thing: PostgreSQL, bank, two workers, sweep, events, relay and Envoy."""
    with Stack(workers=2) as running:
        running.start()
        yield running
        assert running.stop() == 0, running.output
        assert running.processes() == []


@pytest.fixture(scope="session")
def upstream() -> Iterator[Upstream]:
    """Services that take notes of what the edge lets through."""
    with Upstream() as running:
        yield running


@pytest.fixture(scope="session")
def edge(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """Envoy as `make run` has it, in front of them."""
    with Edge(rendered(upstream), tmp_path_factory.mktemp("edge")) as running:
        yield running
