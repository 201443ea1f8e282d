"""The merchant's endpoint of a scenario."""

from collections.abc import Iterator

import pytest

from tests.e2e.receiver import Receiver
from tests.e2e.seen import Seen
from tests.e2e.stack import Stack


@pytest.fixture
def receiver(stack: Stack, seen: Seen) -> Iterator[Receiver]:
    """The endpoint of one scenario."""
    listening = Receiver()
    with stack.way_to(listening.port):
        yield listening
    listening.close()
    seen.posted += listening.everything
