"""What is counted of the relay: what waits, and what became of attempts to deliver."""

import asyncio
from contextlib import suppress

import structlog

from pkg.errors import DependencyUnavailableError
from pkg.observe.metrics import Metrics
from services.events.outbox import Outbox

logger = structlog.get_logger()

INTERVAL_SECONDS = 5.0


class RelayTally:
    """Counts what a relay does; it outlives a relay that begins anew."""

    def __init__(self, metrics: Metrics) -> None:
        attempts = metrics.counter(
            "paygate_webhook_attempts_total",
            "Attempts to deliver an event to an endpoint.",
            ("outcome",),
        )
        self._delivered, self._failed = attempts.of("delivered"), attempts.of("failed")
        self._seconds = metrics.histogram(
            "paygate_webhook_attempt_seconds", "How long an attempt took, whatever came of it."
        ).of()
        self._given_up = metrics.counter(
            "paygate_webhook_deliveries_given_up_total",
            "Deliveries that are not tried again: their retries are used up, or their endpoint is"
            " gone (410).",
        ).of()
        self._events = metrics.gauge(
            "paygate_outbox_events",
            "Events whose deliveries are not made out yet (unrelayed) or that the bus has not taken"
            " yet (unpublished), 10000 at most.",
            ("state",),
        )
        self._ages = metrics.gauge(
            "paygate_outbox_oldest_age_seconds",
            "The age of the oldest of them, by the gateway's clock; 0 if there are none.",
            ("state",),
        )

    def took(self, seconds: float) -> None:
        """Note how long an attempt took."""
        self._seconds.observe(seconds)

    def attempted(self, *, delivered: bool, given_up: bool) -> None:
        """Count what became of an attempt."""
        (self._delivered if delivered else self._failed).inc()
        if given_up:
            self._given_up.inc()

    async def look(self, outbox: Outbox) -> None:
        """Look up what waits, once."""
        for state, count, age in await outbox.count_waiting():
            self._events.of(state).value = count
            self._ages.of(state).value = age

    async def watch(self, outbox: Outbox, stopped: asyncio.Event) -> None:
        """Look up what waits, at an interval and never when somebody reads the metrics."""
        while not stopped.is_set():
            try:
                await self.look(outbox)
            except DependencyUnavailableError:
                pass  # what was known last stays: `paygate_dependency_up` tells why
            except Exception:
                # Nobody's webhooks wait for a metric.
                logger.exception("what waits can't be counted")
            with suppress(TimeoutError):
                async with asyncio.timeout(INTERVAL_SECONDS):
                    await stopped.wait()
