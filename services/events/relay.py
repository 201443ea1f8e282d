"""The relay: makes out the deliveries of new events, publishes events to the bus, removes old ones.

Nothing notifies it: a NOTIFY in the statement that writes a payment would make commits wait for
each other. It looks every `poll_seconds`, and at once while there is more.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import structlog

from pkg.observe.tracing import Kind, Tracer
from pkg.postgres.sql import Pool
from pkg.process.repeating import pause, repeat
from services.events.bus import Bus, BusUnavailableError
from services.events.origin import event_span
from services.events.outbox import Outbox, Unpublished

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayLimits:
    """How much a relay does at a time, and how often it looks."""

    poll_seconds: float = 0.1
    events_max: int = 500  # in one statement
    publish_max: int = 100  # under way on the bus at once
    publish_lease: timedelta = timedelta(seconds=10)  # real time; above the timeouts of the bus
    bus_pause_seconds_max: float = 5.0  # between tries while the bus is away, doubling up to this
    keep: timedelta = timedelta(days=30)  # done events, by the gateway's clock
    removal_interval_seconds: float = 60.0
    removal_max: int = 1_000  # in one statement
    removal_by_their_clock_max: int = 100  # of them, of a merchant whose clock is ahead


class Relay:
    """Runs until it is stopped; any number of processes may do so at once.

    Args:
        pool: Of the gateway's database; two connections are enough.
        bus: Where events are published; None for nowhere.
        limits: How much at a time.
        relayed: Told when deliveries were made out.
        tracer: Records what is published, in the traces of the requests that made the events.
    """

    def __init__(
        self,
        pool: Pool,
        bus: Bus | None,
        limits: RelayLimits | None = None,
        *,
        relayed: Callable[[], None] = lambda: None,
        tracer: Tracer | None = None,
    ) -> None:
        self._relayed = relayed
        self._outbox = Outbox(pool)
        self._bus = bus
        self._limits = limits or RelayLimits()
        self._tracer = tracer

    async def run(self, stopped: asyncio.Event) -> None:
        """Relay, publish and remove, each by itself: none waits for another's trouble."""
        poll, limits = self._limits.poll_seconds, self._limits
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(repeat(self.fan_out, stopped, seconds=poll))
            tasks.create_task(
                repeat(self.remove_old, stopped, seconds=limits.removal_interval_seconds)
            )
            if self._bus:
                tasks.create_task(self._publish_until(stopped))

    async def run_once(self) -> bool:
        """Do what is due; return whether there was more than one batch of it.

        Raises:
            BusUnavailableError: The bus is away; what it has not taken is tried again.
            DependencyUnavailableError: The database is.
        """
        return any([await self.fan_out(), await self.publish(), await self.remove_old()])

    async def fan_out(self) -> bool:
        """Make out deliveries of new events; return whether there may be more."""
        limit = self._limits.events_max
        count = await self._outbox.fan_out(limit=limit, publishes=bool(self._bus))
        if count:
            self._relayed()
        return count >= limit

    async def publish(self) -> bool:
        """Publish the next event of each payment; return whether there were any.

        Raises:
            BusUnavailableError: Some were not taken; their leases are given up.
        """
        if not self._bus:
            return False
        events = await self._outbox.take_unpublished(
            limit=self._limits.publish_max, lease=self._limits.publish_lease
        )
        taken = await asyncio.gather(*(self._published(self._bus, event) for event in events))
        await self._outbox.mark_published([e for e, ok in zip(events, taken, strict=True) if ok])
        left = [event for event, ok in zip(events, taken, strict=True) if not ok]
        if left:
            await self._outbox.release(left)
            raise BusUnavailableError
        return bool(events)

    async def remove_old(self) -> bool:
        """Remove events that are old and done with, and attempts at endpoints that are gone.

        Return whether there may be more.
        """
        limit, of_one = self._limits.removal_max, self._limits.removal_by_their_clock_max
        events = await self._outbox.remove_old(
            keep=self._limits.keep, limit=limit, by_their_clock=of_one
        )
        # So many may be all of one merchant, who may have more.
        return events >= of_one or limit <= await self._outbox.remove_attempts(limit=limit)

    async def _published(self, bus: Bus, event: Unpublished) -> bool:
        if self._tracer is None:
            return await _taken(bus, event)
        with event_span(
            self._tracer, "publish", event.payload, event_id=event.id, kind=Kind.PRODUCER
        ) as span:
            taken = await _taken(bus, event, span.traceparent)
            if not taken:
                span.fail("unavailable")
            return taken

    async def _publish_until(self, stopped: asyncio.Event) -> None:
        """Publish until stopped; while the bus is away, try ever less often."""
        seconds = 0.0

        async def patiently() -> bool:
            nonlocal seconds
            try:
                more = await self.publish()
            except BusUnavailableError:
                if not seconds:
                    logger.warning("the bus is not available")
                doubled = seconds * 2 or self._limits.poll_seconds
                seconds = min(doubled, self._limits.bus_pause_seconds_max)
                await pause(stopped, seconds)
                return False
            if seconds:
                logger.info("the bus is available again")
                seconds = 0.0
            return more

        await repeat(patiently, stopped, seconds=self._limits.poll_seconds)


async def _taken(bus: Bus, event: Unpublished, traceparent: str = "") -> bool:
    """Publish an event; return whether the bus has it."""
    try:
        await bus.publish(
            merchant_id=event.merchant_id,
            event_id=event.id,
            type=event.type,
            payload=event.payload,
            traceparent=traceparent,
        )
    except BusUnavailableError:
        return False
    return True
