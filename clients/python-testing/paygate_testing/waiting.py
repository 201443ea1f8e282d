"""Waiting for something that is to be looked for."""

import time
from collections.abc import Callable
from typing import TypeVar

from paygate_testing.errors import NeverCameError

T = TypeVar("T")
_PAUSE_SECONDS_FIRST, _PAUSE_SECONDS_MAX = 0.02, 0.2


def wait_for(look: Callable[[], T | None], *, seconds: float, otherwise: Callable[[], str]) -> T:
    """Look until there is something, and return it.

    Args:
        look: Returns what is waited for, or None while it is not there.
        seconds: How long; it is looked for once at least.
        otherwise: Says what the error is to say.

    Raises:
        NeverCameError: It did not come in time.
    """
    end, pause = time.monotonic() + seconds, _PAUSE_SECONDS_FIRST
    while (found := look()) is None:
        left = end - time.monotonic()
        if left <= 0:
            raise NeverCameError(otherwise())
        time.sleep(min(pause, left))
        pause = min(2 * pause, _PAUSE_SECONDS_MAX)
    return found
