"""Merchants besides the one of the demo, made as an operator makes them."""

import itertools
from collections.abc import Callable

import pytest

from tests.e2e.operator import Operator

NewMerchant = Callable[[], str]


@pytest.fixture(scope="session")
def new_merchant(operator: Operator) -> NewMerchant:
    """Makes a merchant and returns its API key."""
    numbers = itertools.count(1)

    def new() -> str:
        merchant_id = f"mer_test_{next(numbers)}"
        return operator.new_merchant(merchant_id)

    return new


@pytest.fixture(scope="session")
def other_merchant_key(new_merchant: NewMerchant) -> str:
    """The API key of a second merchant, who has no part in the scenario's payment."""
    return new_merchant()
