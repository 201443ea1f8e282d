"""Who may have how many attempts under way, so that endpoints that hang hold up no others.

Places go by endpoint, by merchant, and for all slow endpoints together. An endpoint that gives no
answer, at once or after long, is left alone for a while, then tried by one attempt: whatever it is
that comes of it costs time, and there may be thousands of events for it.
"""

import random
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from services.events.delivery_queue import Endpoint, Free

PAUSE_SECONDS_MAX = 60.0
_SLOW_MAX = 4_096  # endpoints that are remembered
_SLOW_FORGOTTEN_SECONDS = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class UnderWayLimits:
    """How many attempts may be under way in one process.

    An attempt that takes `slow_seconds`, or that is not answered, makes its endpoint a slow one; a
    quick answer takes that back. Three quarters of all places are kept for those that are not.
    """

    in_all: int = 512
    per_merchant: int = 64
    per_endpoint: int = 16
    per_slow_endpoint: int = 4
    slow_seconds: float = 5.0

    @property
    def slow_in_all(self) -> int:
        """Return how many slow endpoints may have together."""
        return max(1, self.in_all // 4)


@dataclass(frozen=True, slots=True)
class _Slow:
    silences: int  # one after the other; 0 if it answers, slowly
    pause_end: float


class UnderWay:
    """Counts attempts under way.

    Args:
        limits: How many there may be.
        monotonic: Tells the time, in seconds.
    """

    def __init__(
        self, limits: UnderWayLimits, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._limits = limits
        self._monotonic = monotonic
        self._under_way: Counter[Endpoint] = Counter()
        self._slow: OrderedDict[Endpoint, _Slow] = OrderedDict()  # by the last slow attempt

    def begin(self, endpoint: Endpoint) -> None:
        """Count an attempt that begins."""
        self._under_way[endpoint] += 1

    def end(self, endpoint: Endpoint, *, seconds: float, answered: bool) -> None:
        """Count an attempt that has ended, and learn from what came of it."""
        self._under_way[endpoint] -= 1
        if self._under_way[endpoint] <= 0:
            del self._under_way[endpoint]
        if answered and seconds < self._limits.slow_seconds:
            self._slow.pop(endpoint, None)
            return
        now, before = self._monotonic(), self._slow.pop(endpoint, _Slow(0, 0.0))
        self._slow[endpoint] = _after(before, now, answered=answered)
        if len(self._slow) > _SLOW_MAX:
            self._slow.popitem(last=False)

    def free(self) -> Free:
        """Return what may begin now."""
        limits = self._limits
        self._forget()
        merchants: Counter[str] = Counter()
        for endpoint, count in self._under_way.items():
            merchants[endpoint.merchant_id] += count
        endpoints = {
            endpoint: max(0, limits.per_endpoint - count)
            for endpoint, count in self._under_way.items()
        }
        return Free(
            in_all=max(0, limits.in_all - self._under_way.total()),
            per_merchant=limits.per_merchant,
            per_endpoint=limits.per_endpoint,
            merchants={
                merchant: max(0, limits.per_merchant - count)
                for merchant, count in merchants.items()
            },
            endpoints=endpoints | self._free_of_slow(),
        )

    def _free_of_slow(self) -> dict[Endpoint, int]:
        now, free = self._monotonic(), {}
        left = self._limits.slow_in_all - sum(self._under_way[endpoint] for endpoint in self._slow)
        # By chance: who has had its pause need not have anything that is due.
        for endpoint, slow in random.sample(list(self._slow.items()), len(self._slow)):
            most = 1 if slow.silences else self._limits.per_slow_endpoint
            most -= self._under_way[endpoint]
            free[endpoint] = 0 if now < slow.pause_end else max(0, min(most, left))
            left -= free[endpoint]
        return free

    def _forget(self) -> None:
        """Forget slow endpoints that nothing was posted to for long; the oldest are first."""
        old = self._monotonic() - _SLOW_FORGOTTEN_SECONDS
        while self._slow and next(iter(self._slow.values())).pause_end < old:
            self._slow.popitem(last=False)


def _after(before: _Slow, now: float, *, answered: bool) -> _Slow:
    if answered:
        return _Slow(0, now)
    if now < before.pause_end:  # begun beside the attempt that began the pause: it says no more
        return before
    silences = before.silences + 1
    return _Slow(silences, now + min(PAUSE_SECONDS_MAX, 2.0 ** (silences - 1)))
