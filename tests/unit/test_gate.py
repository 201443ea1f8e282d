"""Load shedding: what is refused, and in which order."""

import asyncio

import pytest

from pkg.gate import Gate
from pkg.running import Running

FIRST, LATER, HEALTH = "/a.A/Authorize", "/a.A/Capture", "/grpc.health.v1.Health/Check"


@pytest.mark.parametrize(
    ("calls_max", "under_way", "passes"),
    [
        (8, 5, {FIRST, LATER, HEALTH}),
        (8, 6, {LATER, HEALTH}),
        (8, 7, {LATER, HEALTH}),
        (8, 8, {HEALTH}),
        (1, 0, {FIRST, LATER, HEALTH}),
        (1, 1, {HEALTH}),
    ],
)
def test_what_passes(calls_max: int, under_way: int, passes: set[str]) -> None:
    """New payments give way at three quarters, the rest when it is full, health checks never."""
    gate = Gate(calls_max, first=[FIRST])
    for _ in range(under_way):
        assert gate.enter(LATER)
    found = set()
    for method in (FIRST, LATER, HEALTH):
        if gate.enter(method):
            found.add(method)
            gate.leave()
    assert found == passes


def test_what_ends_makes_room() -> None:
    """A refused call takes no room, and one that ended leaves its own."""
    gate = Gate(1)
    assert gate.enter(LATER)
    assert not gate.enter(LATER)
    gate.leave()
    assert gate.enter(LATER)
    assert not gate.enter(LATER)


async def test_work_whose_caller_is_gone_still_counts() -> None:
    """Clients that hang up and come again cannot pile up work behind them."""
    running = Running()
    gate = Gate(2, left_behind=lambda: running.left_behind)
    may_end = asyncio.Event()
    callers = [asyncio.create_task(running.to_the_end(may_end.wait())) for _ in range(2)]
    await asyncio.sleep(0)
    assert running.left_behind == 0
    for caller in callers:
        caller.cancel()
    await asyncio.gather(*callers, return_exceptions=True)
    assert running.left_behind == 2
    assert not gate.enter(LATER)
    may_end.set()
    await running.drain()
    assert running.left_behind == 0
    assert gate.enter(LATER)
