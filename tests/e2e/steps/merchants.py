"""Merchants besides the one of the demo, made as an operator makes them."""

import itertools
import subprocess
import sys
from collections.abc import Callable

import psutil
import pytest

from tests.e2e.stack import Stack
from tools.stack.settings import REPOSITORY

NewMerchant = Callable[[], str]


@pytest.fixture(scope="session")
def new_merchant(stack: Stack) -> NewMerchant:
    """Makes a merchant with `create-key`, in a worker's environment, and returns its API key."""
    numbers = itertools.count(1)

    def new() -> str:
        merchant_id = f"mer_test_{next(numbers)}"
        environment = psutil.Process(stack.pids()["payments-1"]).environ()
        owner = environment["DATABASE_URL"].replace("//paygate_gateway@", "//payments@")
        created = subprocess.run(
            [
                *(sys.executable, "-m", "services.payments", "create-key"),
                *("--merchant-id", merchant_id, "--name", merchant_id),
            ],
            cwd=REPOSITORY,
            env={**environment, "DATABASE_URL": owner},
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
        return created.stdout.strip()

    return new


@pytest.fixture(scope="session")
def other_merchant_key(new_merchant: NewMerchant) -> str:
    """The API key of a second merchant, who has no part in the scenario's payment."""
    return new_merchant()
