"""The merchant's endpoint of a scenario."""

from collections.abc import Iterator

import pytest

from tests.e2e.receiver import Receiver
from tests.e2e.seen import Seen


@pytest.fixture
def receiver(seen: Seen) -> Iterator[Receiver]:
    """The endpoint of one scenario."""
    listening = Receiver()
    yield listening
    listening.close()
    seen.posted += listening.everything
