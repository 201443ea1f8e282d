"""What is particular to native gRPC."""

import pytest
from pytest_bdd import scenarios

from tests.e2e.clients import GrpcClient, RestClient

pytest_plugins = ["tests.e2e.steps.vocabulary"]


@pytest.fixture(autouse=True, params=["grpc"])
def client(grpc_client: GrpcClient) -> GrpcClient:
    """What the scenario runs over."""
    return grpc_client


@pytest.fixture
def other_client(rest_client: RestClient) -> RestClient:
    """The other protocol."""
    return rest_client


scenarios("features/grpc")
