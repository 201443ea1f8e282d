"""Load shedding: what is refused, in which order, and what one merchant's share is."""

from collections import deque

import pytest

from pkg.grpc.limits import Gate, Place

FIRST, LATER, HEALTH = "/a.A/Authorize", "/a.A/Capture", "/grpc.health.v1.Health/Check"


def begun(gate: Gate, merchant_id: str, method: str = LATER) -> Place | None:
    """Begin a call of the merchant's; None if it was refused, by the gate or for their share."""
    place = gate.enter(method)
    if place and not place.belongs_to(merchant_id):
        place.leave()
        return None
    return place


def flood(gate: Gate, merchant_id: str, method: str = LATER) -> list[Place]:
    """Begin calls of the merchant's until one is refused."""
    places = []
    while place := begun(gate, merchant_id, method):
        places.append(place)
    return places


@pytest.mark.parametrize(
    ("calls_max", "under_way", "passes"),
    [
        (8, 6, {FIRST, LATER, HEALTH}),
        (8, 7, {LATER, HEALTH}),
        (8, 8, {HEALTH}),
        (1, 0, {FIRST, LATER, HEALTH}),
        (1, 1, {HEALTH}),
    ],
)
def test_what_passes(calls_max: int, under_way: int, passes: set[str]) -> None:
    """New payments give way at seven eighths, the rest when it is full, health checks never."""
    gate = Gate(calls_max, first=[FIRST])
    for _ in range(under_way):
        assert gate.enter(LATER)
    found = set()
    for method in (FIRST, LATER, HEALTH):
        if place := gate.enter(method):
            found.add(method)
            place.leave()
    assert found == passes


def test_what_ends_makes_room() -> None:
    """A refused call takes no room, and one that ended leaves its own."""
    gate = Gate(1)
    place = gate.enter(LATER)
    assert place
    assert not gate.enter(LATER)
    place.leave()
    assert gate.enter(LATER)
    assert not gate.enter(LATER)


@pytest.mark.parametrize(
    ("calls_max", "new", "all_of_it"),
    [(1, 1, 1), (2, 1, 2), (8, 6, 6), (64, 42, 48), (256, 168, 192)],
)
def test_what_a_merchant_has_alone(calls_max: int, new: int, all_of_it: int) -> None:
    """Three quarters of all places, and of those that new payments may take."""
    gate = Gate(calls_max, first=[FIRST])
    places = flood(gate, "a", FIRST)
    assert len(places) == new
    assert new + len(flood(gate, "a")) == all_of_it


def all_want_all(gate: Gate, merchants: int, method: str) -> list[int]:
    """Return how many calls each has in the end; they begin in turn, and last 601 turns each."""
    held = [0] * merchants
    under_way: deque[tuple[int, int, Place]] = deque()
    for turn in range(20_000):
        number = turn % merchants
        if place := begun(gate, f"mer_{number}", method):
            held[number] += 1
            under_way.append((turn + 601, number, place))
        while under_way and under_way[0][0] <= turn:
            _, ended, place = under_way.popleft()
            held[ended] -= 1
            place.leave()
    return held


@pytest.mark.parametrize("merchants", [1, 2, 3, 20])
@pytest.mark.parametrize("method", [FIRST, LATER])
def test_somebody_new_finds_a_place(merchants: int, method: str) -> None:
    """However many want all that there is, and whatever for; and those have equally many."""
    gate = Gate(256, first=[FIRST])
    held = all_want_all(gate, merchants, method)
    assert min(held) >= 0.5 * max(held), held
    assert begun(gate, "new", method)
    assert begun(gate, "newer", method)


def test_one_merchants_captures_shut_out_no_new_payments() -> None:
    """What one merchant has at most is less than what makes all new payments give way."""
    gate = Gate(256, first=[FIRST])
    flood(gate, "a")
    assert len(flood(gate, "b", FIRST)) >= 20


def test_nothing_is_kept_of_who_has_no_calls() -> None:
    """Neither of merchants whose calls ended or were refused, nor of calls that were nobody's."""
    gate = Gate(64)
    nobodys = gate.enter(LATER)
    places = [place for number in range(5) for place in flood(gate, f"mer_{number}")]
    for place in (nobodys, *places):
        assert place
        place.leave()
    assert vars(gate)["_calls"] == 0
    assert vars(gate)["_calls_of"] == {}
