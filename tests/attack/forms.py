"""How long an attack lasts: short in `make test`, long in `make attack`."""

import os

FULL = os.environ.get("PAYGATE_ATTACK") == "full"


def sized(short: float, *, full: float) -> float:
    """Return a size of an attack."""
    return full if FULL else short
