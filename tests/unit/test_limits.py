"""Rate limits: what fits into a bucket, who is one caller, and how much is remembered."""

from types import SimpleNamespace
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pkg.errors import RateLimitedError
from pkg.grpc.guard import Context, client_address
from pkg.grpc.limits import Buckets, CallerLimits, Rate, network_of


class Watch:
    """A monotonic clock that tests turn."""

    def __init__(self, seconds: float = 1_000_000.0) -> None:
        self.seconds = seconds

    def __call__(self) -> float:
        """Return the seconds."""
        return self.seconds


def buckets(watch: Watch, *, per_second: float, burst: int, entries_max: int = 100) -> Buckets:
    """Return buckets on a clock."""
    rate = Rate(per_second=per_second, burst=burst)
    return Buckets(rate, monotonic=watch, entries_max=entries_max)


@pytest.mark.parametrize(
    ("per_second", "burst", "at", "waits"),
    [
        pytest.param(1, 3, [0, 0, 0, 0], [0, 0, 0, 1], id="a burst, and then no more"),
        pytest.param(1, 3, [0, 0, 0, 1, 1], [0, 0, 0, 0, 1], id="a token comes back in time"),
        pytest.param(1, 3, [0, 0, 0, 0.25, 0.5], [0, 0, 0, 0.75, 0.5], id="refusals cost nothing"),
        pytest.param(2, 2, [0, 0, 9, 9, 9], [0, 0, 0, 0, 0.5], id="a full bucket is not fuller"),
        pytest.param(0.1, 1, [0, 0, 10], [0, 10, 0], id="less than one a second"),
        pytest.param(4, 1, [0, 0.25, 0.5, 0.5], [0, 0, 0, 0.25], id="evenly, at the rate"),
    ],
)
def test_a_bucket(per_second: float, burst: int, at: list[float], waits: list[float]) -> None:
    """A token is there, or is told for when."""
    watch = Watch(0.0)
    bucket = buckets(watch, per_second=per_second, burst=burst)
    found = []
    for watch.seconds in at:
        found.append(bucket.take("key"))
    assert found == pytest.approx(waits)


@given(
    per_second=st.floats(min_value=0.05, max_value=1_000),
    burst=st.integers(min_value=1, max_value=50),
    pauses=st.lists(st.floats(min_value=0, max_value=5), max_size=150),
)
def test_no_window_lets_more_through(per_second: float, burst: int, pauses: list[float]) -> None:
    """Between any two moments at most burst + rate x time go through, and a told wait suffices."""
    watch = Watch()
    bucket = buckets(watch, per_second=per_second, burst=burst)
    through = []
    for pause in pauses:
        watch.seconds += pause
        wait = bucket.take("key")
        if not wait:
            through.append(watch.seconds)
            continue
        assert wait <= 1 / per_second + 1e-6
    for first, start in enumerate(through):
        for last in range(first, len(through)):
            most = burst + per_second * (through[last] - start)
            assert last - first + 1 <= most + 1e-6


@given(st.lists(st.tuples(st.integers(0, 500), st.floats(min_value=0, max_value=2)), max_size=400))
def test_a_flood_of_keys_is_bounded(calls: list[tuple[int, float]]) -> None:
    """However many keys there are, no more buckets are kept than may be."""
    watch = Watch()
    some = buckets(watch, per_second=1, burst=3, entries_max=8)
    for number, pause in calls:
        watch.seconds += pause
        some.take(str(number))
        assert len(some) <= 8


def test_full_buckets_are_forgotten() -> None:
    """What is full again is as one that was never used, and goes while others come."""
    watch = Watch()
    some = buckets(watch, per_second=1, burst=2)
    for number in range(50):
        some.take(str(number))
    watch.seconds += 1.0
    for number in range(50, 75):
        some.take(str(number))
    assert len(some) == 25


def test_the_busiest_are_remembered_under_a_flood() -> None:
    """An empty bucket that is asked for again and again is not pushed out by new ones."""
    watch = Watch()
    some = buckets(watch, per_second=1, burst=1, entries_max=4)
    assert not some.take("busy")
    for number in range(100):
        some.take(str(number))
        assert some.take("busy") > 0


def test_a_token_can_be_given_back() -> None:
    """What was taken in advance and not needed is there again, and never more than fits in."""
    watch = Watch()
    some = buckets(watch, per_second=1, burst=2)
    some.give_back("key")
    assert [some.take("key") for _ in range(2)] == [0, 0]
    some.give_back("key")
    assert some.take("key") == 0
    assert some.take("key") > 0


def test_a_refusal_tells_whole_seconds_and_nothing_else() -> None:
    """`retry-after` is rounded up, so that the next try goes through; nobody else shows."""
    watch = Watch()
    limits = CallerLimits(calls=buckets(watch, per_second=0.4, burst=1))
    limits.admit("one")
    limits.admit("another")
    with pytest.raises(RateLimitedError) as refused:
        limits.admit("one")
    assert (refused.value.retry_after_seconds, refused.value.metadata) == (3, {})
    watch.seconds += 3
    limits.admit("one")


def test_nothing_is_limited_unless_it_is_said() -> None:
    """Without rates everything goes through."""
    limits = CallerLimits()
    for _ in range(10_000):
        limits.admit("key")
        limits.may_fail("192.0.2.1")


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2::1", "20010db800010002::/64"),
        ("2001:DB8:1:2:ffff:ffff:ffff:ffff", "20010db800010002::/64"),
        ("2001:db8:1:3::1", "20010db800010003::/64"),
        ("fe80::1%eth0", "fe80000000000000::/64"),
        ("unix", ""),
        ("", ""),
        ("192.0.2.7, 192.0.2.8", ""),
        ("x" * 100_000, ""),
    ],
)
def test_who_is_one_caller(address: str, network: str) -> None:
    """An IPv4 address, an IPv6 network of /64, or all that are no addresses."""
    assert network_of(address) == network


@pytest.mark.parametrize(
    ("forwarded", "peer", "address"),
    [
        ([], "ipv4:192.0.2.7:4711", "192.0.2.7"),
        ([], "ipv6:%5B2001:db8::7%5D:4711", "2001:db8::7"),
        ([], "ipv6:[2001:db8::7]:4711", "2001:db8::7"),
        ([], "unix:/run/socket", "unix"),
        (["192.0.2.9"], "ipv4:10.0.0.1:4711", "192.0.2.9"),
        (["203.0.113.5, 192.0.2.9"], "ipv4:10.0.0.1:4711", "192.0.2.9"),
        (["203.0.113.5", "2001:db8::9"], "ipv4:10.0.0.1:4711", "2001:db8::9"),
    ],
)
def test_where_a_call_comes_from(forwarded: list[str], peer: str, address: str) -> None:
    """The last address that the edge wrote, whatever a client wrote before it; else the peer."""
    metadata = [("x-forwarded-for", value) for value in forwarded]
    context = SimpleNamespace(invocation_metadata=lambda: metadata, peer=lambda: peer)
    assert client_address(cast("Context", context)) == address


@pytest.mark.parametrize(
    ("processes", "burst", "at_once"), [(1, 6, 6), (4, 200, 200), (3, 200, 198), (24, 6, 24)]
)
@pytest.mark.parametrize("per_second", [0.7, 9, 100])
def test_processes_share_a_rate(
    processes: int, burst: int, at_once: int, per_second: float
) -> None:
    """Together they let through what one alone would, and each lets something through."""
    watch = Watch(0.0)
    shared = [buckets(watch, per_second=per_second, burst=burst) for _ in range(processes)]
    for one in shared:
        one.shared_by(processes)
    assert sum(_through(one) for one in shared) == at_once
    later = 0
    for _ in range(20):
        watch.seconds += processes / per_second  # in which a token comes back, of each
        later += sum(_through(one) for one in shared)
    assert later == pytest.approx(per_second * 20 * processes / per_second, rel=0.1)


def _through(some: Buckets) -> int:
    """Take until there is nothing left, and return how much there was."""
    taken = 0
    while not some.take("key"):
        taken += 1
    return taken


def test_who_shares_may_change() -> None:
    """More make each slower from then on, fewer quicker, and what was taken stays taken."""
    watch = Watch(0.0)
    some = buckets(watch, per_second=4, burst=4)
    assert _through(some) == 4
    some.shared_by(2)
    watch.seconds += 1
    assert _through(some) == 2
    some.shared_by(1)
    watch.seconds += 1
    assert _through(some) == 4
