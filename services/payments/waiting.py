"""Places for calls that wait for something, of which each merchant has a few."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from pkg.errors import RateLimitedError

# Who waits holds a place of those that calls may have (PAYGATE_IN_FLIGHT_MAX): most are for others.
WAITING_PER_MERCHANT_MAX = 16
WAITING_MAX = 48


class Places:
    """Those of a process, for one kind of call."""

    def __init__(self) -> None:
        self._waiting: Counter[str] = Counter()

    @contextmanager
    def one_of(self, merchant_id: str) -> Iterator[None]:
        """Take one while the block runs.

        Raises:
            RateLimitedError: There is none, of this merchant's or at all.
        """
        full = self._waiting.total() >= WAITING_MAX
        if full or self._waiting[merchant_id] >= WAITING_PER_MERCHANT_MAX:
            raise RateLimitedError
        self._waiting[merchant_id] += 1
        try:
            yield
        finally:
            self._waiting[merchant_id] -= 1
            if not self._waiting[merchant_id]:
                del self._waiting[merchant_id]
