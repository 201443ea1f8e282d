"""How often a merchant may ask for events once more: each is work for a relay and its endpoints."""

import math

from pkg.errors import RateLimitedError
from pkg.grpc.limits import Buckets, Rate

# In one process, of one merchant.
EVENTS = Rate(per_second=5, burst=100)
# Each may make some ten thousand deliveries due.
FAILED = Rate(per_second=0.1, burst=6)


class Redeliveries:
    """Counts what merchants ask for. What is answered from an idempotency key does not count."""

    def __init__(self, events: Rate = EVENTS, failed: Rate = FAILED) -> None:
        self._events = Buckets(events)
        self._failed = Buckets(failed)

    def admit_event(self, merchant_id: str) -> None:
        """Count one event that is to be delivered once more.

        Raises:
            RateLimitedError: The merchant has asked for too many.
        """
        _take(self._events, merchant_id)

    def admit_failed(self, merchant_id: str) -> None:
        """Count one request for all that failed.

        Raises:
            RateLimitedError: The merchant has asked too often.
        """
        _take(self._failed, merchant_id)


def _take(buckets: Buckets, merchant_id: str) -> None:
    wait = buckets.take(merchant_id)
    if wait > 0:
        raise RateLimitedError(retry_after_seconds=math.ceil(wait))
