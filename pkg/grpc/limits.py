"""How much may be asked for: places for calls under way, and how many calls a caller may make.

Each process counts by itself.
"""

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass

from pkg.errors import RateLimitedError
from pkg.grpc.shares import Shares
from pkg.observe.health import HEALTH

# What begins something new gives way first, so that what was begun can be brought to an end. It
# is more than one merchant has (below), who would otherwise shut out others' new payments.
FIRST_SHARE = 0.875
# For every place that is free a merchant may have so many: alone three quarters of all, beside
# another who wants as much three sevenths. Somebody new always finds one, however many want all.
PLACES_PER_FREE = 3
ENTRIES_MAX = 10_000  # buckets
_ROUNDED = 1e-7  # of a token: sums of times that are rounded must not cost one
_IPV6_PREFIX = 64  # what one customer of a network gets at least: its addresses are one caller


class Gate:
    """Counts the calls under way, and says when there are too many. Health checks always pass.

    Args:
        calls_max: How many may be under way.
        first: Methods that are refused already when seven eighths of that are under way.
    """

    def __init__(self, calls_max: int, *, first: Collection[str] = ()) -> None:
        self._calls_max = calls_max
        self._first = frozenset(first)
        self._first_max = max(1, int(calls_max * FIRST_SHARE))
        self._calls = 0
        self._calls_of: dict[str, int] = {}  # only of callers that have some

    def enter(self, method: str) -> "Place | None":
        """Give a call that begins a place, until it leaves; or return None, and count nothing."""
        most = self._first_max if method in self._first else self._calls_max
        if self._calls >= most and not method.startswith(HEALTH):
            return None
        self._calls += 1
        return Place(self, most)

    def share(self, caller: str, most: int) -> bool:
        """Count a call that has a place as this caller's; False if they have their share.

        Args:
            caller: Whose it is.
            most: How many calls may be under way for one like it to begin.
        """
        has = self._calls_of.get(caller, 0)
        unused = max(1, most - self._calls + 1)  # with the one that the call has already
        if has >= PLACES_PER_FREE * unused:
            return False
        self._calls_of[caller] = has + 1
        return True

    def unshare(self, caller: str) -> None:
        """Count a call as this caller's no more."""
        has = self._calls_of[caller] - 1
        if has:
            self._calls_of[caller] = has
        else:
            del self._calls_of[caller]

    def end(self) -> None:
        """Count a call that has ended."""
        self._calls -= 1


class Place:
    """What a call takes up of a process, until its handler has ended."""

    __slots__ = ("_caller", "_gate", "_most")

    def __init__(self, gate: Gate, most: int) -> None:
        self._gate = gate
        self._most = most
        self._caller = ""

    def belongs_to(self, caller: str) -> bool:
        """Count as one of this caller's, and nobody else's; return False if they have their share.

        Args:
            caller: A merchant; or the API key that a call shows, until it is known whose it is.
        """
        if self._caller:
            self._gate.unshare(self._caller)
        self._caller = caller if self._gate.share(caller, self._most) else ""
        return bool(self._caller)

    def leave(self) -> None:
        """End the call."""
        self._gate.end()
        if self._caller:
            self._gate.unshare(self._caller)


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
