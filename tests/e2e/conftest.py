"""What end-to-end tests share beside the running stack: clients of it, and an edge without one."""

from collections.abc import Iterator

import pytest

from tests.e2e.clients import GrpcClient, RestClient
from tests.e2e.edge import Edge, Upstream, rendered
from tests.e2e.operator import Operator
from tests.e2e.seen import Seen
from tests.e2e.settled import settle
from tests.e2e.stack import Stack

LAST = "test_leaks.py"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Search for leaks after everything else: the more was done, the more there is to find."""
    items.sort(key=lambda item: item.path.name == LAST)


@pytest.fixture(scope="session")
def seen() -> Seen:
    """What all scenarios have used and received."""
    return Seen()


@pytest.fixture(scope="session")
def grpc_client(stack: Stack) -> Iterator[GrpcClient]:
    """The stack's gRPC."""
    with GrpcClient(stack.grpc) as client:
        yield client


@pytest.fixture(scope="session")
def rest_client(stack: Stack) -> Iterator[RestClient]:
    """The stack's REST."""
    with RestClient(stack.url) as client:
        yield client


@pytest.fixture(scope="session")
def operator(stack: Stack) -> Operator:
    """Who runs the gateway."""
    return Operator(stack)


@pytest.fixture
def lonely(spare: Stack) -> Stack:
    """The spare stack, whole, with nothing under way: a test before may have ended a part of it."""
    settle(spare)
    return spare


@pytest.fixture(scope="session")
def upstream() -> Iterator[Upstream]:
    """Services that take notes of what the edge lets through."""
    with Upstream() as running:
        yield running


@pytest.fixture(scope="session")
def edge(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Edge]:
    """Envoy as `make run` has it, in front of them."""
    with Edge(rendered(upstream, whole=True), tmp_path_factory.mktemp("edge")) as running:
        yield running
