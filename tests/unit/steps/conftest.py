"""What each test of the use cases begins with."""

import pytest

from tests.unit.steps.fakes import Fixture
from tests.unit.steps.row import Place


@pytest.fixture
def fixture() -> Fixture:
    """A gateway on fakes."""
    return Fixture()


@pytest.fixture
def place() -> Place:
    """A payment that many want."""
    return Place()
