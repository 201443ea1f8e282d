"""The two clients of the running stack."""

from collections.abc import Iterator

import pytest

from tests.e2e.clients import GrpcClient, RestClient
from tests.e2e.stack import Stack


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
