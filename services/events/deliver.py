"""Delivery of events to merchants' endpoints: at least once, in order per (endpoint, payment).

A process that dies leaves its claims to the lease; the receiver may then get an event twice, with
the same `webhook-id`.
"""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import structlog

from pkg.errors import DependencyUnavailableError
from pkg.observe.metrics import Metrics
from pkg.observe.tracing import Tracer
from pkg.postgres.sql import Pool
from pkg.process.mode import Mode
from pkg.process.repeating import pause, repeat
from services.events.delivery_queue import Attempt, Claimed, DeliveryQueue, Status
from services.events.inbox import Inbox, Posted
from services.events.listeners import NO_LISTENER, Listeners
from services.events.messenger import Messenger
from services.events.post import Poster
from services.events.sealing import SecretBox
from services.events.tally import RelayTally
from services.events.under_way import UnderWay, UnderWayLimits
from services.events.waiting import Waiting

logger = structlog.get_logger()

ATTEMPT_SECONDS_MAX = 15.0  # Standard Webhooks 1.0 asks for 15 to 30


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryLimits:
    """How much a deliverer does at a time, and how long it waits."""

    poll_seconds: float = 0.1
    gather_seconds: float = 0.025  # from the first attempt that has ended until they are recorded
    under_way_max: int = 512
    under_way_per_merchant_max: int = 64
    under_way_per_endpoint_max: int = 16
    claim_max: int = 256  # in one statement
    lease: timedelta = timedelta(seconds=30)  # real time; of a delivery that is under way
    unwanted_interval_seconds: float = 1.0
    unwanted_max: int = 1_000  # in one statement

    @property
    def attempt_seconds_max(self) -> float:
        """Return how long an attempt may take: its end is to be recorded within the lease."""
        return min(ATTEMPT_SECONDS_MAX, self.lease.total_seconds() / 2)

    @property
    def places(self) -> UnderWayLimits:
        """Return how the places are shared."""
        return UnderWayLimits(
            in_all=self.under_way_max,
            per_merchant=self.under_way_per_merchant_max,
            per_endpoint=self.under_way_per_endpoint_max,
            slow_seconds=self.attempt_seconds_max / 3,
        )


class Deliverer:
    """Runs until it is stopped; any number of processes may do so at once.

    To be made inside a running event loop, and closed in the end.

    Args:
        pool: Of the gateway's database; two connections are enough.
        box: Opens the endpoints' signing secrets.
        mode: Which places may be posted to.
        limits: How much at a time.
        own_ports: Where on the loopback interface paygate itself listens: nobody posts there.
        chance: Returns a number from 0 to 1, for the jitter of retries.
        tally: Counts attempts; one that nobody reads by default.
        tracer: Records attempts, in the traces of the requests that made the events.
    """

    def __init__(
        self,
        pool: Pool,
        box: SecretBox,
        mode: Mode,
        limits: DeliveryLimits | None = None,
        *,
        own_ports: frozenset[int] = frozenset(),
        chance: Callable[[], float] = random.random,
        tally: RelayTally | None = None,
        tracer: Tracer | None = None,
    ) -> None:
        self._limits = limits or DeliveryLimits()
        self._queue = DeliveryQueue(pool)
        self._inbox = Inbox(pool)
        self._poster = Poster(
            mode, timeout_seconds=self._limits.attempt_seconds_max, own_ports=own_ports
        )
        self._listeners = Listeners(pool, timeout_seconds=self._limits.attempt_seconds_max)
        self._tally = tally or RelayTally(Metrics())
        self._messenger = Messenger(
            self._poster, self._listeners, box, chance=chance, tracer=tracer
        )
        self._under_way = UnderWay(self._limits.places)
        self._waiting = Waiting(self._under_way)
        self._tasks: set[asyncio.Task[None]] = set()
        self._ended: list[Attempt] = []
        self._news = asyncio.Event()
        self._gathering: asyncio.TimerHandle | None = None

    async def run(self, stopped: asyncio.Event) -> None:
        """Deliver until stopped, then let attempts that are under way end, and no other begin."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._deliver_until(stopped))
            tasks.create_task(
                repeat(self.fail_unwanted, stopped, seconds=self._limits.unwanted_interval_seconds)
            )

    def look(self) -> None:
        """Look for work at once, and not when it is time: there is some."""
        self._news.set()

    async def run_once(self) -> int:
        """Attempt each delivery that is due and can go now; return how many were attempted.

        Raises:
            DependencyUnavailableError: The database is away; leases see to what was under way.
        """
        while await self.fail_unwanted():
            pass
        claimed = await self._start()
        await self._drain()
        return claimed

    async def close(self) -> None:
        """Close all connections to endpoints."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._listeners.close()
        await self._poster.close()

    async def fail_unwanted(self) -> bool:
        """Give up what no endpoint wants any more; return whether there may be more."""
        limit = self._limits.unwanted_max
        return await self._queue.fail_unwanted(limit=limit) >= limit

    async def _deliver_until(self, stopped: asyncio.Event) -> None:
        while not stopped.is_set():
            self._stop_gathering()
            try:
                await self._record()
                more = await self._start() == self._limits.claim_max
            except DependencyUnavailableError:
                logger.warning("the database is not available")
                await pause(stopped, self._limits.poll_seconds)
                more = False
            if not more:
                await pause(self._news, self._limits.poll_seconds)
        self._waiting.give_up_all()
        try:
            await self._drain()
        except DependencyUnavailableError:
            logger.warning("the database is not available: attempts may be repeated")

    async def _drain(self) -> None:
        await self._record()  # at once: what is under way may take longer than there is time
        while self._tasks:
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
            await self._record()
        await self._record()  # what has ended while the last was being recorded

    async def _start(self) -> int:
        free = self._under_way.free()
        if free.in_all <= 0:
            return 0
        claimed = await self._queue.claim(
            free, limit=self._limits.claim_max, lease=self._limits.lease
        )
        self._waiting.add(claimed)
        while first := self._waiting.next():
            task = asyncio.create_task(self._attempt_in_turn(first))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return len(claimed)

    async def _record(self) -> None:
        """Record what has ended. Until it is recorded it counts as claimed: memory is bounded."""
        if given_up := tuple(self._waiting.given_up):
            await self._queue.release(given_up)
            del self._waiting.given_up[: len(given_up)]
            for claimed in given_up:
                self._under_way.unclaim(claimed.endpoint)
        ended = tuple(self._ended)
        if not ended:
            return
        # First: what comes twice has the same id, and what is recorded is there to be looked at.
        await self._inbox.keep([posted for attempt in ended if (posted := _posted(attempt))])
        await self._queue.record(ended)
        del self._ended[: len(ended)]
        for attempt in ended:
            self._under_way.unclaim(attempt.claimed.endpoint)
            self._tally.attempted(
                delivered=attempt.status is Status.DELIVERED,
                given_up=attempt.status is Status.FAILED,
            )

    async def _attempt_in_turn(self, first: Claimed) -> None:
        """Attempt one delivery, and whatever has its turn for the place that it leaves."""
        claimed: Claimed | None = first
        while claimed:
            self._end(await self._messenger.attempt(claimed))
            claimed = self._waiting.next()
            self._tell()

    def _end(self, attempt: Attempt) -> None:
        """Note what became of an attempt, and what that says of its endpoint."""
        endpoint, seconds = attempt.claimed.endpoint, attempt.seconds
        # An event that is gone says nothing of the endpoint, and nor does a listener that is away.
        answered = (
            attempt.status_code != 0
            or attempt.claimed.payload is None
            or attempt.error == NO_LISTENER
        )
        goes_on = self._under_way.end(endpoint, seconds=seconds, answered=answered)
        if attempt.gone or not goes_on:
            self._waiting.give_up(endpoint)
        self._ended.append(attempt)
        self._tally.took(seconds)

    def _tell(self) -> None:
        """Have ended attempts recorded, and more claimed; not each by itself.

        A look costs the same, however little it finds. So it is had when places are free and half
        of what was under way has ended, or after a moment: a payment's next event waits for it.
        """
        if not self._waiting and len(self._ended) >= self._under_way.attempts:
            self._news.set()
        elif self._gathering is None:
            loop = asyncio.get_running_loop()
            self._gathering = loop.call_later(self._limits.gather_seconds, self._news.set)

    def _stop_gathering(self) -> None:
        self._news.clear()
        if self._gathering:
            self._gathering.cancel()
            self._gathering = None


def _posted(attempt: Attempt) -> Posted | None:
    """Return what the sandbox's inbox is to keep of an attempt."""
    if attempt.inbox is None or attempt.begin_time is None:
        return None
    endpoint, (headers, body) = attempt.claimed.endpoint, attempt.inbox
    return Posted(
        merchant_id=endpoint.merchant_id,
        endpoint_id=endpoint.id,
        event_id=attempt.claimed.event_id,
        begin_time=attempt.begin_time,
        status_code=attempt.status_code,
        headers=headers,
        body=body,
    )
