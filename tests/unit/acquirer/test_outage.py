"""A line that breaks: once per reference, for a while, remembered within bounds."""

from collections.abc import Callable
from contextlib import suppress

import pytest

from services.acquirer.errors import UnreachableError
from services.acquirer.outage import Outages


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        """Return the time."""
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    """The clock of `outages`."""
    return Clock()


@pytest.fixture
def outages(clock: Clock) -> Outages:
    """Outages of 1.5 s, of which three references are remembered."""
    return Outages(seconds=1.5, references_max=3, now=clock)


def lasts(call: Callable[[str], None], reference: str) -> bool:
    """Tell whether the call says that the bank cannot be reached."""
    with suppress(UnreachableError):
        call(reference)
        return False
    return True


def test_an_outage_lasts_its_time_and_no_longer(outages: Outages, clock: Clock) -> None:
    """From the strike on the reference is cut off for the set time, to the instant."""
    assert not lasts(outages.check, "a")
    assert lasts(outages.strike, "a")
    assert lasts(outages.check, "a")
    clock.seconds += 1.499
    assert lasts(outages.check, "a")
    clock.seconds += 0.001
    assert not lasts(outages.check, "a")


def test_a_reference_is_struck_once(outages: Outages, clock: Clock) -> None:
    """After its outage the same operation goes through."""
    assert lasts(outages.strike, "a")
    clock.seconds += 1.5
    assert not lasts(outages.strike, "a")


def test_references_do_not_disturb_each_other(outages: Outages) -> None:
    """The outage of one reference is nobody else's."""
    assert lasts(outages.strike, "a")
    assert not lasts(outages.check, "b")


def test_the_oldest_is_forgotten_first(outages: Outages) -> None:
    """Memory is bounded: what is forgotten may be struck once more."""
    for reference in "abcd":
        assert lasts(outages.strike, reference)
    assert not lasts(outages.check, "a")
    assert lasts(outages.check, "b")
    assert lasts(outages.strike, "a")
