"""What is particular to JSON over HTTP."""

import pytest
from pytest_bdd import scenarios

from tests.e2e.clients import GrpcClient, RestClient

pytest_plugins = ["tests.e2e.steps.vocabulary"]


@pytest.fixture(autouse=True, params=["rest"])
def client(rest_client: RestClient) -> RestClient:
    """What the scenario runs over."""
    return rest_client


@pytest.fixture
def other_client(grpc_client: GrpcClient) -> GrpcClient:
    """The other protocol."""
    return grpc_client


scenarios("features/rest")
