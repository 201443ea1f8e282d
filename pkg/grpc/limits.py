"""How much a caller may ask for: token buckets, which each process counts by itself."""

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass

from pkg.errors import RateLimitedError
from pkg.grpc.gate import Place
from pkg.grpc.shares import Shares

ENTRIES_MAX = 10_000
_ROUNDED = 1e-7  # of a token: sums of times that are rounded must not cost one
_IPV6_PREFIX = 64  # what one customer of a network gets at least: its addresses are one caller


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """So many a second in the long run, and so many at once."""

    per_second: float
    burst: int


class Buckets:
    """A bucket of tokens for each key, which is full when it is first seen.

    All that is kept of a bucket is the time at which it will be full again (the generic cell rate
    algorithm, ITU-T I.371), and nothing of one that is full. Beyond `entries_max` the bucket goes
    that was used the longest ago.

    Args:
        rate: How fast tokens come, and how many fit in.
        monotonic: Tells the time, in seconds.
        entries_max: How many buckets are kept.
    """

    def __init__(
        self,
        rate: Rate,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        entries_max: int = ENTRIES_MAX,
    ) -> None:
        self._rate = rate
        self.shared_by(1)
        self._monotonic = monotonic
        self._entries_max = entries_max
        # The least recently used first. A plain dict would be slow to tell its first, once others
        # before it were removed.
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def shared_by(self, processes: int) -> None:
        """Be one of so many that a key's calls are spread over: give each its part of the rate.

        Tokens come so many times slower, and so many times fewer fit in, but one at least.
        """
        self._interval = processes / self._rate.per_second
        full = max(self._rate.burst / self._rate.per_second, self._interval)
        self._capacity = full + self._interval * _ROUNDED

    def __len__(self) -> int:
        """Return how many buckets are kept."""
        return len(self._full_at)

    def take(self, key: str) -> float:
        """Take a token and return 0; or return the seconds until there is one, and take none."""
        now = self._monotonic()
        # Taken out and put in again, so that the order is that of their use.
        full_at = max(self._full_at.pop(key, now), now) + self._interval
        wait = full_at - now - self._capacity
        if wait > 0:
            self._full_at[key] = full_at - self._interval
            return wait
        self._make_room(now)
        self._full_at[key] = full_at
        return 0.0

    def give_back(self, key: str) -> None:
        """Put a token back that was taken."""
        full_at = self._full_at.pop(key, 0.0) - self._interval
        if full_at > self._monotonic():
            self._full_at[key] = full_at

    def _make_room(self, now: float) -> None:
        # Two at a time at most: full ones go a little faster than new ones come, and no call pays
        # for a flood of others.
        for _ in range(2):
            oldest = next(iter(self._full_at), None)
            if oldest is None:
                return
            if self._full_at[oldest] > now and len(self._full_at) < self._entries_max:
                return
            del self._full_at[oldest]


def _nothing(_kind: str) -> None:
    """Tell nobody."""


class CallerLimits:
    """What one caller may ask of this process.

    Args:
        calls: Per API key; None for no limit.
        failures: Of authentication, per address; None for no limit.
        reads: Of each merchant; None for no limit.
        refused: Told who or what was too much: `key`, `address`, or a merchant's `places`.
    """

    def __init__(
        self,
        *,
        calls: Buckets | None = None,
        failures: Buckets | None = None,
        reads: Shares | None = None,
        refused: Callable[[str], None] = _nothing,
    ) -> None:
        self._calls = calls
        self._failures = failures
        self._reads = reads
        self._refused = refused

    def shared_by(self, processes: int) -> None:
        """Have so many processes together let through what a key may ask for."""
        if self._calls is not None:
            self._calls.shared_by(processes)

    def admit(self, key_id: str) -> None:
        """Count a call that an API key makes.

        Raises:
            RateLimitedError: The key has made too many.
        """
        if self._calls is not None:
            self._allow(self._calls, key_id, "key")

    def share(self, place: Place | None, caller: str) -> None:
        """Have a call's place be this caller's: a merchant, or a key of whom is not known yet.

        Raises:
            RateLimitedError: The caller has its share of them.
        """
        if place and not place.belongs_to(caller):
            self._refused("places")
            raise RateLimitedError(retry_after_seconds=1)

    def reading(self, merchant_id: str) -> AbstractAsyncContextManager[None]:
        """Wait until a merchant may read more than a row.

        Raises:
            RateLimitedError: The merchant reads too much at once.
        """
        return self._reads.turn(merchant_id) if self._reads else nullcontext()

    def may_fail(self, address: str) -> None:
        """Count a failure of authentication, before anything is done to find out.

        Raises:
            RateLimitedError: The address has failed too often.
        """
        if self._failures is not None:
            self._allow(self._failures, network_of(address), "address")

    def did_not_fail(self, address: str) -> None:
        """Take a failure back that did not come about."""
        if self._failures is not None:
            self._failures.give_back(network_of(address))

    def _allow(self, buckets: Buckets, key: str, kind: str) -> None:
        wait = buckets.take(key)
        if wait > 0:
            self._refused(kind)
            raise RateLimitedError(
                retry_after_seconds=math.ceil(wait), unauthenticated=kind == "address"
            )


def network_of(address: str) -> str:
    """Return what is counted as one caller: an IPv4 address, or an IPv6 network of /64."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])  # a zone is no part of it
    except ValueError:
        return ""  # all that are no addresses are one caller
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is None:
            prefix = int(parsed) >> (128 - _IPV6_PREFIX)
            return f"{prefix:x}::/{_IPV6_PREFIX}"
        parsed = parsed.ipv4_mapped
    return str(parsed)
