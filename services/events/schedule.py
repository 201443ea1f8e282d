"""When a delivery is tried again: the schedule that Standard Webhooks 1.0 recommends."""

from collections.abc import Callable
from datetime import timedelta

# From the attempt before; the first attempt is made at once. Ten attempts in 75 hours and 35 min.
DELAYS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
ATTEMPTS_MAX = len(DELAYS) + 1
JITTER = 0.1  # of the delay, either way: what failed together is not tried again together


def next_delay(attempts: int, *, random: Callable[[], float]) -> timedelta | None:
    """Return how long to wait after a failed attempt; None when it was the last one.

    Args:
        attempts: How many have been made; at least 1.
        random: Returns a number from 0 to 1.
    """
    if attempts >= ATTEMPTS_MAX:
        return None
    return DELAYS[attempts - 1] * (1 - JITTER + 2 * JITTER * random())
