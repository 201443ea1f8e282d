"""How much a proof does: a little in every run of the tests, all of it by `make proofs`."""

import os
import time

import pytest

IS_FULL = bool(os.environ.get("PAYGATE_PROOFS"))
# Then a proof ends with what it has; a page that says so is better than none.
MINUTES_MAX = float(os.environ.get("PAYGATE_PROOF_MINUTES") or 24 * 60)
# Of a proof whose parts every run of the tests has anyway: docs/reliability.md names them.
LONG = pytest.mark.skipif(
    not IS_FULL and os.environ.get("PAYGATE_CHAOS") != "full",
    reason="the long form is `make chaos` or `make proofs`",
)


def whole(name: str, *, full: int, short: int) -> int:
    """Return how many of something there are.

    Args:
        name: Of a variable that says another number, for a proof that is run in part.
        full: As many as are claimed.
        short: In every run of the tests.
    """
    return int(os.environ.get(name) or 0) or (full if IS_FULL else short)


def is_over(began: float) -> bool:
    """Say whether a proof that began then, by the monotonic clock, has to end."""
    return time.monotonic() - began > MINUTES_MAX * 60
