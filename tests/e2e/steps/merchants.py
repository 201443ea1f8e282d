"""Merchants besides the one of the demo, made as an operator makes them."""

import itertools
from collections.abc import Callable

import pytest

from paygate.admin.v1 import admin_service_pb2 as pb
from tests.e2e.operator import Operator

NewMerchant = Callable[[], str]


@pytest.fixture(scope="session")
def new_merchant(operator: Operator) -> NewMerchant:
    """Makes a merchant and returns its API key."""
    numbers = itertools.count(1)

    def new() -> str:
        merchant_id = f"mer_test_{next(numbers)}"
        operator.ask(pb.CreateMerchantRequest(id=merchant_id, name=merchant_id))
        return operator.new_key(merchant_id)

    return new


@pytest.fixture(scope="session")
def other_merchant_key(new_merchant: NewMerchant) -> str:
    """The API key of a second merchant, who has no part in the scenario's payment."""
    return new_merchant()
