"""Values: compared, hashed and copied by their fields; frozen for the type checker."""

import pytest

from pkg.values import changed
from services.payments.domain.money import Money
from tests.builders import authorized, gbp


def test_a_copy_differs_in_what_was_changed() -> None:
    """All other fields are the same, and the old value is as it was."""
    payment = authorized()
    other = changed(payment, reference="another", captured=gbp(5))
    assert (other.reference, other.captured) == ("another", gbp(5))
    assert payment.reference == ""
    assert changed(other, reference="", captured=payment.captured) == payment


def test_there_is_no_place_for_what_is_no_field() -> None:
    """A name that is misspelt is no change."""
    with pytest.raises(AttributeError):
        changed(gbp(1), minor_unit=2)  # type: ignore[call-arg]  # the type checker sees it, too


def test_equal_values_are_one_in_a_set() -> None:
    """And others are not."""
    assert len({Money(1, "GBP"), Money(1, "GBP"), Money(1, "EUR"), Money(2, "GBP")}) == 3
