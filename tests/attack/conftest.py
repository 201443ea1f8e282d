"""One stack that is attacked in many ways, and how its good callers fare when nobody attacks."""

import time
from collections.abc import Iterator

import pytest

from tests.attack.forms import sized
from tests.attack.good import calling
from tests.e2e.stack import Stack

SECONDS = sized(2.0, full=30.0)


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The real thing, with Envoy."""
    with Stack(workers=2) as running:
        yield running.start()


@pytest.fixture(scope="session")
def quiet(stack: Stack) -> dict[str, float]:
    """The median of a good call by protocol, in seconds, while nobody attacks."""
    with calling(stack):
        time.sleep(0.5)  # connections are made, and code is warm
    with calling(stack) as calls:
        time.sleep(1.0)
    assert all(one.failed == [] for one in calls.values()), calls
    return {protocol: one.median for protocol, one in calls.items()}


@pytest.fixture(scope="session")
def attack_seconds() -> float:
    """How long each attack lasts."""
    return SECONDS
