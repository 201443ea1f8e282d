"""What the bank's callers may read about an error."""

import pytest

from services.acquirer.errors import AcquirerError, InvalidRequestError
from services.acquirer.refusals import REASONS, refusal_of


def test_every_error_has_a_code() -> None:
    """An error that is not in the table would reach the caller as an internal one."""
    assert set(REASONS) == set(AcquirerError.__subclasses__())


@pytest.mark.parametrize("error", [kind for kind in REASONS if kind is not InvalidRequestError])
def test_the_docstring_is_the_message(error: type[AcquirerError]) -> None:
    """What is raised without words says what its docstring says."""
    assert str(error()) == error.__doc__


def test_a_malformed_request_names_the_field() -> None:
    """The name, and nothing that was in it."""
    assert str(InvalidRequestError("cvv")) == "The request is malformed: cvv."


def test_a_bug_is_no_refusal() -> None:
    """What is not in the table is nothing that a caller may read about."""
    assert refusal_of(ValueError("4242424242424242")) is None
