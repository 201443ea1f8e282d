"""Who may have how many attempts under way, so that endpoints that hang hold up no others.

Places go by endpoint, by merchant, and for all slow endpoints together. An endpoint that gives no
answer, at once or after long, is left alone for a while, then tried by one attempt: whatever it is
that comes of it costs time, and there may be thousands of events for it.

For an endpoint that answers at once more is claimed than it has places, since a look for work costs
the same for a few as for many. What is claimed waits for a place in this process (`waiting.py`).
"""

import random
import time
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import TypeVar

from pkg.values import value
from services.events.delivery_queue import Endpoint, Free

Key = TypeVar("Key", Endpoint, str)

PAUSE_SECONDS_MAX = 60.0
# On a busy machine what takes no time takes this. Times AHEAD it is less than anything may wait.
QUICK_SECONDS = 0.25
AHEAD = 3  # times its places, of a quick endpoint
_QUICK_MAX = 256  # endpoints that are remembered
_SLOW_MAX = 4_096
_SLOW_FORGOTTEN_SECONDS = 600.0


@value(frozen=True, slots=True, kw_only=True)
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


@value(frozen=True, slots=True)
class _Slow:
    silences: int  # one after the other; 0 if it answers, slowly
    pause_end: float


class UnderWay:
    """Counts what is claimed, and which of it is being attempted.

    Args:
        limits: How many attempts there may be.
        monotonic: Tells the time, in seconds.
    """

    def __init__(
        self, limits: UnderWayLimits, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._limits = limits
        self._monotonic = monotonic
        self._claimed: Counter[Endpoint] = Counter()
        self._attempts: Counter[Endpoint] = Counter()
        self._attempts_of: Counter[str] = Counter()  # of merchants
        self._quick: OrderedDict[Endpoint, None] = OrderedDict()  # by the last quick answer
        self._slow: OrderedDict[Endpoint, _Slow] = OrderedDict()  # by the last slow attempt
        self.attempts = 0

    def claim(self, endpoint: Endpoint) -> None:
        """Count a delivery that was claimed."""
        self._claimed[endpoint] += 1

    def unclaim(self, endpoint: Endpoint) -> None:
        """Count a delivery no more: its attempt is recorded, or its claim given back."""
        _count_down(self._claimed, endpoint)

    def may_begin(self, endpoint: Endpoint) -> bool:
        """Tell whether one more attempt may begin."""
        limits = self._limits
        return (
            self.attempts < limits.in_all
            and self._attempts[endpoint] < limits.per_endpoint
            and self._attempts_of[endpoint.merchant_id] < limits.per_merchant
        )

    def begin(self, endpoint: Endpoint) -> None:
        """Count an attempt that begins."""
        self.attempts += 1
        self._attempts[endpoint] += 1
        self._attempts_of[endpoint.merchant_id] += 1

    def end(self, endpoint: Endpoint, *, seconds: float, answered: bool) -> bool:
        """Count an attempt that has ended; return False if its endpoint is a slow one by it."""
        self.attempts -= 1
        _count_down(self._attempts, endpoint)
        _count_down(self._attempts_of, endpoint.merchant_id)
        self._quick.pop(endpoint, None)
        if answered and seconds < self._limits.slow_seconds:
            self._slow.pop(endpoint, None)
            if seconds < QUICK_SECONDS:
                self._quick[endpoint] = None
                if len(self._quick) > _QUICK_MAX:
                    self._quick.popitem(last=False)
            return True
        now, before = self._monotonic(), self._slow.pop(endpoint, _Slow(0, 0.0))
        self._slow[endpoint] = _after(before, now, answered=answered)
        if len(self._slow) > _SLOW_MAX:
            self._slow.popitem(last=False)
        return False

    def free(self) -> Free:
        """Return what may be claimed now."""
        limits = self._limits
        self._forget()
        ahead = AHEAD * limits.per_endpoint
        quick = Counter(endpoint.merchant_id for endpoint in self._quick)
        merchants: Counter[str] = Counter()
        for endpoint, count in self._claimed.items():
            merchants[endpoint.merchant_id] += count
        endpoints = {
            endpoint: limits.per_endpoint - count for endpoint, count in self._claimed.items()
        }
        for endpoint in self._quick:
            endpoints[endpoint] = endpoints.get(endpoint, limits.per_endpoint) + ahead
        return Free(
            in_all=limits.in_all
            + min(AHEAD * limits.in_all, ahead * len(self._quick))
            - self._claimed.total(),
            per_merchant=limits.per_merchant,
            per_endpoint=limits.per_endpoint,
            merchants={
                merchant: max(
                    0,
                    limits.per_merchant
                    + min(AHEAD * limits.per_merchant, ahead * quick[merchant])
                    - merchants[merchant],
                )
                for merchant in {**merchants, **quick}
            },
            endpoints={endpoint: max(0, free) for endpoint, free in endpoints.items()}
            | self._free_of_slow(),
        )

    def _free_of_slow(self) -> dict[Endpoint, int]:
        now, free = self._monotonic(), {}
        left = self._limits.slow_in_all - sum(self._claimed[endpoint] for endpoint in self._slow)
        # By chance: who has had its pause need not have anything that is due.
        for endpoint, slow in random.sample(list(self._slow.items()), len(self._slow)):
            most = 1 if slow.silences else self._limits.per_slow_endpoint
            most -= self._claimed[endpoint]
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


def _count_down(counter: Counter[Key], key: Key) -> None:
    counter[key] -= 1
    if counter[key] <= 0:
        del counter[key]
