"""The stories of the API, each over gRPC and over REST."""

import pytest
from pytest_bdd import scenarios

from tests.e2e.clients import Client, GrpcClient, RestClient

pytest_plugins = ["tests.e2e.steps.vocabulary"]


@pytest.fixture(autouse=True, params=["grpc", "rest"])
def client(
    request: pytest.FixtureRequest, grpc_client: GrpcClient, rest_client: RestClient
) -> Client:
    """What the scenario runs over."""
    return grpc_client if request.param == "grpc" else rest_client


@pytest.fixture
def other_client(client: Client, grpc_client: GrpcClient, rest_client: RestClient) -> Client:
    """The other protocol."""
    return rest_client if client is grpc_client else grpc_client


scenarios("features/both")
