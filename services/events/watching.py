"""Watches: streams of a merchant's events that stay open, and what they may take of a process.

One task looks for new events, of one merchant who is watched after the other; a watch reads only
when there are some. So idle ones cost a look for each merchant, however many they are, and all of
them together take two connections at most.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Never, TypeAlias

import structlog

from pkg.errors import DependencyUnavailableError
from pkg.grpc.limits import Buckets, Rate
from pkg.grpc.lists import ListPosition, Page
from services.events.errors import WatchEndedError, WatchesFullError, WatchLimitError
from services.events.journal import EventFilter, Journal, PlacedEvent

logger = structlog.get_logger()

# Sends an event and the place after it, or a sign of life; raises if the watch is to end.
Tell: TypeAlias = Callable[[bytes | None, ListPosition], Awaitable[None]]
# Returns if the watcher's key is still good.
Check: TypeAlias = Callable[[], Awaitable[None]]


# Of one merchant: who has much to catch up on takes no more of the process than this.
PAGES = Rate(per_second=25, burst=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchLimits:
    """What bounds the watches of a process."""

    of_merchant_max: int = 5
    in_all_max: int = 256
    look_seconds: float = 0.2
    # The edge ends what is silent for 30 s, or for 5 s while its memory is short.
    heartbeat_seconds: float = 4.0
    check_seconds: float = 1.0
    page_size: int = 100
    pages: Rate = PAGES


class Watches:
    """All watches of a process.

    Args:
        journal: Where events are.
        limits: How many there may be, and how much they do.
    """

    def __init__(self, journal: Journal, limits: WatchLimits | None = None) -> None:
        self._journal = journal
        self._limits = limits or WatchLimits()
        self._pulses: dict[str, _Pulse] = {}  # of merchants who are watched
        self._open: set[asyncio.Timeout] = set()
        self._is_closed = False
        self._pages = Buckets(self._limits.pages)
        self._turn = asyncio.Lock()

    async def watch(
        self,
        merchant_id: str,
        wanted: EventFilter,
        place: ListPosition | None,
        *,
        tell: Tell,
        check: Check,
    ) -> None:
        """Tell events for as long as it can be, and never return.

        Args:
            merchant_id: Whose events.
            wanted: Which of them.
            place: After which one to begin; None for what comes from now on.
            tell: Is awaited for each message; one who takes long holds nothing meanwhile.
            check: Is awaited every second, and before each message.

        Raises:
            WatchLimitError: The merchant has as many watches as it can have.
            WatchesFullError: The process has.
            WatchEndedError: The process ends.
            DependencyUnavailableError: The database is away.
        """
        async with self._opened(merchant_id) as pulse:
            if place is None:
                async with self._turn:
                    place = await self._journal.last_place(merchant_id, wanted.payment_id)
            await self._go_on(merchant_id, wanted, place, pulse, tell, check)

    async def run(self) -> None:
        """Look for new events, until cancelled."""
        while True:
            try:
                for merchant_id, pulse in tuple(self._pulses.items()):
                    pulse.beat(await self._journal.last_place(merchant_id))
            except DependencyUnavailableError:
                self._fail()
            except Exception:
                # A fault of ours: whoever watches is told, and may come again.
                logger.exception("events could not be looked for")
                self._fail()
            await asyncio.sleep(self._limits.look_seconds)

    def close(self) -> None:
        """End all watches now, whatever they wait for, and begin no more."""
        self._is_closed = True
        now = asyncio.get_running_loop().time()
        for ending in self._open:
            ending.reschedule(now)

    async def _go_on(
        self,
        merchant_id: str,
        wanted: EventFilter,
        place: ListPosition,
        pulse: "_Pulse",
        tell: Tell,
        check: Check,
    ) -> Never:
        clock, limits = asyncio.get_running_loop().time, self._limits
        seen, is_behind = 0, True
        silent_until = clock()  # the first message comes at once
        while True:
            if clock() >= silent_until:
                await tell(None, place)
                silent_until = clock() + limits.heartbeat_seconds
            if is_behind:
                seen, last = pulse.beats, pulse.place
                page = await self._page(merchant_id, wanted, place)
                for event in page.items:
                    await tell(event.payload, event.place)
                    silent_until = clock() + limits.heartbeat_seconds
                place, is_behind = page.place or place, page.has_more
                if last and not is_behind and not wanted.payment_id:
                    place = max(place, last)  # past those that are not wanted
            if not is_behind:
                patience = min(limits.check_seconds, silent_until - clock())
                is_behind = await pulse.has_changed(seen, seconds_max=patience)
            await check()

    async def _page(
        self, merchant_id: str, wanted: EventFilter, place: ListPosition
    ) -> Page[PlacedEvent]:
        while wait := self._pages.take(merchant_id):  # noqa: ASYNC110  # tokens come with time
            await asyncio.sleep(wait)
        async with self._turn:
            size = self._limits.page_size
            return await self._journal.events_after(merchant_id, wanted, place, size=size)

    @asynccontextmanager
    async def _opened(self, merchant_id: str) -> "AsyncIterator[_Pulse]":
        """Take a place among the watches; closing them ends what is done in it."""
        if self._is_closed:
            raise WatchEndedError
        if len(self._open) >= self._limits.in_all_max:
            raise WatchesFullError
        pulse = self._pulses.setdefault(merchant_id, _Pulse())
        if pulse.watches >= self._limits.of_merchant_max:
            raise WatchLimitError
        pulse.watches += 1
        ending = asyncio.timeout(None)
        self._open.add(ending)
        try:
            async with ending:
                yield pulse
        except TimeoutError:
            if not ending.expired():
                raise
            raise WatchEndedError from None
        finally:
            self._open.discard(ending)
            pulse.watches -= 1
            if not pulse.watches:
                del self._pulses[merchant_id]

    def _fail(self) -> None:
        for pulse in self._pulses.values():
            pulse.fail()


class _Pulse:
    """Tells the watches of one merchant that there may be something new."""

    def __init__(self) -> None:
        self.watches = 0
        self.beats = 0
        self.place: ListPosition | None = None
        self._is_failed = False
        self._changed = asyncio.Event()

    def beat(self, place: ListPosition) -> None:
        """Take note of where the last event is."""
        self._is_failed = False
        if place != self.place:
            self.place = place
            self._wake()

    def fail(self) -> None:
        """Take note that nobody knows."""
        self._is_failed = True
        self._wake()

    async def has_changed(self, seen: int, *, seconds_max: float) -> bool:
        """Wait until there was a beat after those that were seen; not longer than that.

        Raises:
            DependencyUnavailableError: Nobody knows.
        """
        if self.beats == seen:
            with suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, seconds_max)):
                    await self._changed.wait()
        if self._is_failed:
            raise DependencyUnavailableError
        return self.beats != seen

    def _wake(self) -> None:
        self.beats += 1
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
