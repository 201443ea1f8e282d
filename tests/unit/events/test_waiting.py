"""What is claimed waits for a place, and who waits has turns."""

from datetime import UTC, datetime

from services.events.delivery_queue import Claimed, Endpoint
from services.events.under_way import AHEAD, QUICK_SECONDS, UnderWay, UnderWayLimits
from services.events.waiting import WAIT_SECONDS_MAX, Waiting

A1, A2, B1 = Endpoint("mer_a", "we_1"), Endpoint("mer_a", "we_2"), Endpoint("mer_b", "we_1")
LIMITS = UnderWayLimits(in_all=6, per_merchant=4, per_endpoint=3)


def claims(endpoint: Endpoint, count: int) -> list[Claimed]:
    """Return what was claimed for an endpoint."""
    return [
        Claimed(
            endpoint=endpoint,
            event_id=f"evt_{number}",
            attempts=0,
            lease_time=datetime.now(UTC),
            url="https://example.com/",
            payload=b"",
            secrets=(),
        )
        for number in range(count)
    ]


def begun(waiting: Waiting) -> list[tuple[Endpoint, str]]:
    """Begin all that may be attempted."""
    found = []
    while claimed := waiting.next():
        found.append((claimed.endpoint, claimed.event_id))
    return found


async def test_places_are_given_in_turns() -> None:
    """Of merchants, and of each one's endpoints; nobody has more than their places."""
    under_way = UnderWay(LIMITS)
    waiting = Waiting(under_way)
    for endpoint in (A1, A2, B1):
        waiting.add(claims(endpoint, 9))
    first = begun(waiting)
    assert [endpoint for endpoint, _ in first] == [A1, B1, A2, B1, A1, B1]
    assert len(waiting) == 27 - 6

    under_way.end(B1, seconds=0.01, answered=True)
    assert begun(waiting) == [(A2, "evt_1")]
    under_way.end(A1, seconds=0.01, answered=True)
    assert [endpoint for endpoint, _ in begun(waiting)] == [B1]


async def test_what_waits_for_an_endpoint_is_given_back() -> None:
    """When it turns out to be slow, or in the end all of it; each claim once."""
    under_way = UnderWay(LIMITS)
    waiting = Waiting(under_way)
    for endpoint in (A1, B1):
        waiting.add(claims(endpoint, 5))
    begun(waiting)
    waiting.give_up(A1)
    assert [one.event_id for one in waiting.given_up] == ["evt_3", "evt_4"]
    waiting.give_up(A1)
    waiting.give_up_all()
    assert [one.endpoint for one in waiting.given_up] == [A1, A1, B1, B1]
    assert len(waiting) == 0
    assert waiting.next() is None


async def test_nothing_waits_for_long() -> None:
    """What was claimed too long ago is given back: its endpoint may have changed since."""
    waiting = Waiting(UnderWay(LIMITS), seconds_max=0)
    waiting.add(claims(A1, 2_000))
    assert waiting.next() is None
    assert len(waiting.given_up) == 2_000


def test_what_is_claimed_ahead_has_its_place_in_time() -> None:
    """As long as the endpoint is as quick as it has to be for that."""
    assert AHEAD * QUICK_SECONDS < WAIT_SECONDS_MAX
