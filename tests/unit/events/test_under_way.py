"""Who may have how many attempts under way."""

from services.events.delivery_queue import Endpoint
from services.events.under_way import PAUSE_SECONDS_MAX, UnderWay, UnderWayLimits

A1, A2, B1 = Endpoint("mer_a", "we_1"), Endpoint("mer_a", "we_2"), Endpoint("mer_b", "we_1")
LIMITS = UnderWayLimits(
    in_all=16, per_merchant=8, per_endpoint=6, per_slow_endpoint=2, slow_seconds=5
)
HUNG, SLOWLY = 15.0, 9.0


class Clock:
    """A clock that stands still."""

    now = 1000.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


def begin(under_way: UnderWay, endpoint: Endpoint) -> None:
    """Claim a delivery, and begin to attempt it."""
    under_way.claim(endpoint)
    under_way.begin(endpoint)


def attempted(
    under_way: UnderWay,
    endpoint: Endpoint,
    seconds: float,
    *,
    answered: bool = False,
    count: int = 1,
) -> None:
    """Make so many attempts at once."""
    for _ in range(count):
        begin(under_way, endpoint)
    for _ in range(count):
        under_way.end(endpoint, seconds=seconds, answered=answered)
        under_way.unclaim(endpoint)


def test_places_are_counted_by_endpoint_by_merchant_and_in_all() -> None:
    """Whoever has none left is said so; all others have the same."""
    under_way = UnderWay(LIMITS)
    for endpoint, count in ((A1, 6), (A2, 2), (B1, 1)):
        for _ in range(count):
            begin(under_way, endpoint)

    free = under_way.free()

    assert (free.in_all, free.per_merchant, free.per_endpoint) == (7, 8, 6)
    assert free.merchants == {"mer_a": 0, "mer_b": 7}
    assert free.endpoints == {A1: 0, A2: 4, B1: 5}


def test_an_endpoint_that_hangs_is_left_alone_then_tried_by_one() -> None:
    """The pauses grow, however many attempts hung at once; one quick answer ends it all."""
    clock = Clock()
    under_way = UnderWay(LIMITS, monotonic=clock)
    attempted(under_way, A1, HUNG, count=6)

    for pause in (1, 2, 4, 8, 16, 32, PAUSE_SECONDS_MAX, PAUSE_SECONDS_MAX):
        clock.now += pause - 0.1
        assert under_way.free().endpoints[A1] == 0
        clock.now += 0.2
        assert under_way.free().endpoints[A1] == 1
        attempted(under_way, A1, HUNG)
    attempted(under_way, A1, 0.3, answered=True)

    assert under_way.free().endpoints == {}


def test_slow_endpoints_with_nothing_to_do_keep_no_other_from_its_turn() -> None:
    """Those that wait for their retry for hours take the slow ones' places from nobody for long."""
    clock = Clock()
    under_way = UnderWay(LIMITS, monotonic=clock)
    idle = [Endpoint("mer_a", f"we_{number}") for number in range(20)]
    for endpoint in (*idle, B1):
        attempted(under_way, endpoint, HUNG)
    clock.now += 2

    assert any(under_way.free().endpoints[B1] for _ in range(200))


def test_an_endpoint_that_answers_slowly_has_fewer_places() -> None:
    """It is not left alone: it does answer. One that refuses connections does not."""
    under_way = UnderWay(LIMITS)

    attempted(under_way, A1, SLOWLY, answered=True)
    attempted(under_way, B1, 0.01)

    assert under_way.free().endpoints == {A1: 2, B1: 0}


def test_slow_endpoints_share_a_quarter_of_all_places() -> None:
    """The rest is kept for those that are not slow."""
    under_way = UnderWay(LIMITS)
    slow = [Endpoint("mer_a", f"we_{number}") for number in range(10)]
    for endpoint in slow:
        attempted(under_way, endpoint, SLOWLY, answered=True)

    assert sum(under_way.free().endpoints.values()) == 4
    for endpoint in slow[:4]:
        begin(under_way, endpoint)
    assert sum(under_way.free().endpoints.values()) == 0
    assert under_way.free().in_all == 12


def test_what_is_slow_is_forgotten_when_nothing_is_posted_to_it() -> None:
    """So that memory is bounded by what is in use."""
    clock = Clock()
    under_way = UnderWay(LIMITS, monotonic=clock)
    attempted(under_way, A1, HUNG)

    clock.now += 700

    assert under_way.free().endpoints == {}


def test_more_is_claimed_for_an_endpoint_that_answers_at_once() -> None:
    """It has no more places, and its merchant and all together have room for what waits."""
    under_way = UnderWay(LIMITS)
    attempted(under_way, A1, 0.01, answered=True)
    free = under_way.free()
    assert free.endpoints == {A1: 6 + 18}
    assert (free.in_all, free.merchants) == (16 + 18, {"mer_a": 8 + 18})

    for _ in range(24):
        under_way.claim(A1)
    assert under_way.free().endpoints == {A1: 0}
    for _ in range(6):
        assert under_way.may_begin(A1)
        under_way.begin(A1)
    assert not under_way.may_begin(A1)
    assert under_way.may_begin(A2)

    attempted(under_way, A1, SLOWLY, answered=True)
    assert under_way.free().endpoints == {A1: 0}


def test_a_place_is_free_when_all_of_its_limits_have_room() -> None:
    """The endpoint's, the merchant's, and that of all."""
    under_way = UnderWay(LIMITS)
    for endpoint, count in ((A1, 5), (A2, 3)):
        for _ in range(count):
            begin(under_way, endpoint)
    assert not under_way.may_begin(A2)  # its merchant has 8
    for number in range(2):
        for _ in range(4):
            begin(under_way, Endpoint("mer_c", f"we_{number}"))
    assert not under_way.may_begin(B1)  # all have 16
