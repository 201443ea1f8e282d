"""When deliveries are tried again."""

from datetime import timedelta

import pytest

from services.events.schedule import ATTEMPTS_MAX, next_delay

HOUR = 3600


@pytest.mark.parametrize(
    ("attempts", "seconds"),
    list(
        enumerate(
            [5, 300, 1800, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR], start=1
        )
    ),
)
def test_the_delays_are_those_of_standard_webhooks(attempts: int, seconds: int) -> None:
    """After each failed attempt comes the delay that the specification recommends."""
    assert next_delay(attempts, random=lambda: 0.5) == timedelta(seconds=seconds)


@pytest.mark.parametrize("attempts", [ATTEMPTS_MAX, ATTEMPTS_MAX + 1, 1_000])
def test_the_tenth_attempt_is_the_last(attempts: int) -> None:
    """Nothing is tried more than ten times."""
    assert next_delay(attempts, random=lambda: 0.5) is None


def test_jitter_is_a_tenth_either_way() -> None:
    """What failed together is spread over a fifth of the delay."""
    assert next_delay(2, random=lambda: 0.0) == timedelta(seconds=270)
    assert next_delay(2, random=lambda: 1.0) == timedelta(seconds=330)
