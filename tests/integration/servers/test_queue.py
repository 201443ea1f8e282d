"""The queue of the server of our own: read by the loop under load, and by a thread otherwise."""

import asyncio
import random
import time
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest

from pkg.grpc.servers.make import ServerKind
from pkg.grpc.servers.queue import EVENTS_PER_PASS, Queue
from tests.integration.servers.served import serving

CORE = ServerKind.CORE


async def test_no_call_is_missed() -> None:
    """Whenever it comes: while the loop looks, while the thread waits, or in between."""
    seeded = random.Random(7)
    async with serving(CORE) as served:
        for _ in range(300):
            await served.call("echo", timeout=5)
            for _ in range(seeded.randrange(6)):
                await asyncio.sleep(0)
            if seeded.random() < 0.2:
                await asyncio.sleep(seeded.random() * 0.004)


@pytest.mark.alone
async def test_one_that_waits_costs_nothing() -> None:
    """Neither the loop nor the thread spins while there is nothing to do."""
    async with serving(CORE) as served:
        await served.call("echo")
        await asyncio.sleep(0.2)
        before = time.process_time()
        await asyncio.sleep(1)
        assert time.process_time() - before < 0.05


async def test_a_flood_leaves_the_loop_its_turn() -> None:
    """However much there is to handle, others run in between."""
    handled, turns = 0, list[int]()

    def tag(_event: object) -> None:
        nonlocal handled
        handled += 1

    class Endless:
        """A queue in which there is always something."""

        def poll(self, deadline: float | None = None) -> Any:
            """Return it."""
            return SimpleNamespace(completion_type=None, tag=tag)

        def shutdown(self) -> None:
            """Go on."""

    queue = Queue()
    queue.core = Endless()
    queue.open()
    for _ in range(20):
        await asyncio.sleep(0)
        turns.append(handled)
    while handled < 5 * EVENTS_PER_PASS:
        await asyncio.sleep(0)
        turns.append(handled)
    assert max(b - a for a, b in pairwise(turns)) <= 2 * EVENTS_PER_PASS
    queue._look = lambda: None  # type: ignore[method-assign]  # its end


async def test_a_fault_while_an_event_is_handled_stops_nothing(monkeypatch: Any) -> None:
    """The one call may be lost; those that come after are answered."""
    async with serving(CORE) as served:
        await served.call("echo")
        server: Any = served.server
        real, failed = server._methods, []

        class Broken(dict[Any, Any]):
            """Fails once."""

            def get(self, *_: Any) -> Any:
                """Fail."""
                server._methods = real
                failed.append(1)
                raise ValueError

        server._methods = Broken()
        lost = served.call("echo", timeout=0.3)
        assert (await lost.code()) is not None
        assert failed == [1]
        assert (await served.call("echo")).value == b"x"
