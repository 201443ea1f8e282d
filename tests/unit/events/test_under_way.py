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
        under_way.begin(endpoint)
    for _ in range(count):
        under_way.end(endpoint, seconds=seconds, answered=answered)


def test_places_are_counted_by_endpoint_by_merchant_and_in_all() -> None:
    """Whoever has none left is said so; all others have the same."""
    under_way = UnderWay(LIMITS)
    for endpoint, count in ((A1, 6), (A2, 2), (B1, 1)):
        for _ in range(count):
            under_way.begin(endpoint)

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
    attempted(under_way, A1, 0.1, answered=True)

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
        under_way.begin(endpoint)
    assert sum(under_way.free().endpoints.values()) == 0
    assert under_way.free().in_all == 12


def test_what_is_slow_is_forgotten_when_nothing_is_posted_to_it() -> None:
    """So that memory is bounded by what is in use."""
    clock = Clock()
    under_way = UnderWay(LIMITS, monotonic=clock)
    attempted(under_way, A1, HUNG)

    clock.now += 700

    assert under_way.free().endpoints == {}
