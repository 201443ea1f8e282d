"""Stories in which time passes, on the spare stack: turning the clock is for everybody."""

from collections.abc import Iterator

import pytest
from pytest_bdd import scenarios

from tests.e2e.clients import Client, GrpcClient, RestClient
from tests.e2e.stack import Stack

pytest_plugins = ["tests.e2e.steps.vocabulary"]


@pytest.fixture(scope="module")
def stack(spare: Stack) -> Stack:
    """The one whose clock may be turned."""
    return spare


@pytest.fixture(scope="module")
def clients(stack: Stack) -> Iterator[tuple[GrpcClient, RestClient]]:
    """Its clients."""
    with GrpcClient(stack.grpc) as native, RestClient(stack.url) as rest:
        yield native, rest


@pytest.fixture
def other_merchant_key() -> str:
    """Nobody else has a part in these stories."""
    return ""


@pytest.fixture(autouse=True, params=["grpc", "rest"])
def client(request: pytest.FixtureRequest, clients: tuple[GrpcClient, RestClient]) -> Client:
    """What the scenario runs over."""
    return clients[0] if request.param == "grpc" else clients[1]


@pytest.fixture
def other_client(client: Client, clients: tuple[GrpcClient, RestClient]) -> Client:
    """The other protocol."""
    return clients[1] if client is clients[0] else clients[0]


scenarios("features/clock")
