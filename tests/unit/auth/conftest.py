"""What each test of authentication begins with."""

import pytest

from tests.unit.auth.keys import Keys, Watch


@pytest.fixture
def keys() -> Keys:
    """No keys yet."""
    return Keys()


@pytest.fixture
def watch() -> Watch:
    """A clock at zero."""
    return Watch()
