"""How much a proof does: a little in every run of the tests, all of it by `make proofs`."""

import os

IS_FULL = bool(os.environ.get("PAYGATE_PROOFS"))


def whole(name: str, *, full: int, short: int) -> int:
    """Return how many of something there are.

    Args:
        name: Of a variable that says another number, for a proof that is run in part.
        full: As many as are claimed.
        short: In every run of the tests.
    """
    return int(os.environ.get(name) or 0) or (full if IS_FULL else short)
