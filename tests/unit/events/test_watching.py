"""What watches do when what they need is away, and what an idle one costs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from pkg.errors import DependencyUnavailableError
from pkg.grpc.limits import Rate
from pkg.grpc.lists import BEGINNING, ListPosition, Page
from pkg.process.repeating import meanwhile
from services.events.errors import WatchEndedError
from services.events.journal import EventFilter, PlacedEvent
from services.events.watching import Watches, WatchLimits

LOOKS = 50
QUICK = WatchLimits(
    look_seconds=0.001, heartbeat_seconds=0.01, pages=Rate(per_second=1e6, burst=10)
)


class FakeJournal:
    """Events in memory, and how often they were asked for."""

    def __init__(self) -> None:
        self.events: list[PlacedEvent] = []
        self.problem: Exception | None = None
        self.looks = self.pages = 0

    async def last_place(self, _merchant_id: str, _payment_id: str = "") -> ListPosition:
        """Return the place of the last event."""
        self.looks += 1
        if self.problem:
            raise self.problem
        return self.events[-1].place if self.events else BEGINNING

    async def events_after(
        self, _merchant_id: str, _wanted: EventFilter, place: ListPosition, *, size: int
    ) -> Page[PlacedEvent]:
        """Return those after a place."""
        self.pages += 1
        found = [event for event in self.events if event.place > place]
        last = found[:size][-1].place if found else None
        return Page(found[:size], last, len(found) > size)

    async def looked_for(self, times: int) -> None:
        """Wait until somebody has looked so many times more."""
        looks = self.looks
        while self.looks < looks + times:
            await asyncio.sleep(0.001)

    def add(self, payload: bytes) -> None:
        """Have one more event."""
        place = ListPosition(len(self.events) + 1, "evt")
        self.events.append(PlacedEvent(place, payload))


class Watcher:
    """Somebody who watches, and what they were told."""

    def __init__(self, watches: Watches) -> None:
        self.told: list[bytes | None] = []
        self.is_reading = asyncio.Event()
        self.is_reading.set()
        watching = watches.watch("mer_a", EventFilter(), None, tell=self._tell, check=self._check)
        self.task: asyncio.Task[Any] = asyncio.create_task(watching)

    async def _tell(self, payload: bytes | None, _place: ListPosition) -> None:
        await self.is_reading.wait()
        self.told.append(payload)

    async def _check(self) -> None:
        pass

    async def has(self, payload: bytes | None) -> None:
        """Wait until told."""
        async with asyncio.timeout(5):
            while payload not in self.told:
                await asyncio.sleep(0.001)


@asynccontextmanager
async def watched(journal: FakeJournal, *, count: int = 1) -> AsyncIterator[tuple[Any, ...]]:
    """Have so many watch a journal."""
    made: Any = journal
    watches = Watches(made, QUICK)
    async with meanwhile(watches.run()):
        watchers = [Watcher(watches) for _ in range(count)]
        try:
            yield watches, *watchers
        finally:
            for watcher in watchers:
                watcher.task.cancel()
            await asyncio.gather(*(one.task for one in watchers), return_exceptions=True)


@pytest.mark.parametrize("problem", [DependencyUnavailableError(), ValueError("a fault of ours")])
async def test_a_database_that_is_away_ends_watches(problem: Exception) -> None:
    """Whoever watches is told, and may watch again when it is back."""
    journal = FakeJournal()
    async with watched(journal) as (watches, watcher):
        await watcher.has(None)
        journal.problem = problem
        with pytest.raises(DependencyUnavailableError):
            await asyncio.wait_for(watcher.task, 5)
        journal.problem = None
        again = Watcher(watches)
        await again.has(None)
        journal.add(b"later")
        await again.has(b"later")
        again.task.cancel()


async def test_idle_ones_only_look() -> None:
    """However many of a merchant's wait, one look is for all of them, and no page is read."""
    journal = FakeJournal()
    async with watched(journal, count=5) as (_, *watchers):
        for watcher in watchers:
            await watcher.has(None)
        journal.add(b"one")
        for watcher in watchers:
            await watcher.has(b"one")
        await journal.looked_for(LOOKS)
        pages = journal.pages
        await journal.looked_for(LOOKS)
        assert journal.pages == pages


async def test_their_end_does_not_wait_for_a_reader() -> None:
    """Closing ends those, too, whose message nobody takes."""
    journal = FakeJournal()
    async with watched(journal, count=2) as (watches, stuck, other):
        await asyncio.gather(stuck.has(None), other.has(None))
        stuck.is_reading.clear()
        journal.add(b"one")
        await other.has(b"one")
        watches.close()
        for watcher in (stuck, other):
            with pytest.raises(WatchEndedError):
                await asyncio.wait_for(watcher.task, 1)
        assert b"one" not in stuck.told
