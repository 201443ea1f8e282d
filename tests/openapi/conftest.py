"""A stack of its own for what is sent by the document: it turns the clock."""

from collections.abc import Iterator

import pytest

from tests.e2e.operator import Operator
from tests.e2e.stack import Stack

ENVIRONMENT = {
    # Long enough to send another request meanwhile, and no longer.
    "ACQUIRER_SLOW_SECONDS": "1",
    "ACQUIRER_OUTAGE_SECONDS": "0.3",
}


@pytest.fixture(scope="package")
def stack() -> Iterator[Stack]:
    """The real thing, with Envoy."""
    with Stack(workers=2, environment=ENVIRONMENT) as running:
        yield running.start()


@pytest.fixture(scope="package")
def operator(stack: Stack) -> Operator:
    """Who makes its merchants."""
    return Operator(stack)
