"""What each test of the use cases begins with."""

import pytest

from tests.unit.steps.fakes import Fixture


@pytest.fixture
def fixture() -> Fixture:
    """A gateway on fakes."""
    return Fixture()
