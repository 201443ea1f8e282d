"""Who may have how many attempts under way."""

from services.events.delivery_queue import Endpoint
from services.events.places import PAUSE_SECONDS_MAX, PlaceLimits, Places

A1, A2, B1 = Endpoint("mer_a", "we_1"), Endpoint("mer_a", "we_2"), Endpoint("mer_b", "we_1")
LIMITS = PlaceLimits(in_all=16, per_merchant=8, per_endpoint=6, per_slow_endpoint=2, slow_seconds=5)
HUNG, SLOWLY = 15.0, 9.0


class Clock:
    """A clock that stands still."""

    now = 1000.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


def attempted(
    places: Places, endpoint: Endpoint, seconds: float, *, answered: bool = False, count: int = 1
) -> None:
    """Make so many attempts at once."""
    for _ in range(count):
        places.begin(endpoint)
    for _ in range(count):
        places.end(endpoint, seconds=seconds, answered=answered)


def test_places_are_counted_by_endpoint_by_merchant_and_in_all() -> None:
    """Whoever has none left is said so; all others have the same."""
    places = Places(LIMITS)
    for endpoint, count in ((A1, 6), (A2, 2), (B1, 1)):
        for _ in range(count):
            places.begin(endpoint)

    free = places.free()

    assert (free.in_all, free.per_merchant, free.per_endpoint) == (7, 8, 6)
    assert free.merchants == {"mer_a": 0, "mer_b": 7}
    assert free.endpoints == {A1: 0, A2: 4, B1: 5}


def test_an_endpoint_that_hangs_is_left_alone_then_tried_by_one() -> None:
    """The pauses grow, however many attempts hung at once; one quick answer ends it all."""
    clock = Clock()
    places = Places(LIMITS, monotonic=clock)
    attempted(places, A1, HUNG, count=6)

    for pause in (1, 2, 4, 8, 16, 32, PAUSE_SECONDS_MAX, PAUSE_SECONDS_MAX):
        clock.now += pause - 0.1
        assert places.free().endpoints[A1] == 0
        clock.now += 0.2
        assert places.free().endpoints[A1] == 1
        attempted(places, A1, HUNG)
    attempted(places, A1, 0.1, answered=True)

    assert places.free().endpoints == {}


def test_slow_endpoints_with_nothing_to_do_keep_no_other_from_its_turn() -> None:
    """Those that wait for their retry for hours take the slow ones' places from nobody for long."""
    clock = Clock()
    places = Places(LIMITS, monotonic=clock)
    idle = [Endpoint("mer_a", f"we_{number}") for number in range(20)]
    for endpoint in (*idle, B1):
        attempted(places, endpoint, HUNG)
    clock.now += 2

    assert any(places.free().endpoints[B1] for _ in range(200))


def test_an_endpoint_that_answers_slowly_has_fewer_places() -> None:
    """It is not left alone: it does answer. One that refuses connections does not."""
    places = Places(LIMITS)

    attempted(places, A1, SLOWLY, answered=True)
    attempted(places, B1, 0.01)

    assert places.free().endpoints == {A1: 2, B1: 0}


def test_slow_endpoints_share_a_quarter_of_all_places() -> None:
    """The rest is kept for those that are not slow."""
    places = Places(LIMITS)
    slow = [Endpoint("mer_a", f"we_{number}") for number in range(10)]
    for endpoint in slow:
        attempted(places, endpoint, SLOWLY, answered=True)

    assert sum(places.free().endpoints.values()) == 4
    for endpoint in slow[:4]:
        places.begin(endpoint)
    assert sum(places.free().endpoints.values()) == 0
    assert places.free().in_all == 12


def test_what_is_slow_is_forgotten_when_nothing_is_posted_to_it() -> None:
    """So that memory is bounded by what is in use."""
    clock = Clock()
    places = Places(LIMITS, monotonic=clock)
    attempted(places, A1, HUNG)

    clock.now += 700

    assert places.free().endpoints == {}
