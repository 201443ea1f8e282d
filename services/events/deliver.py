"""Delivery of events to merchants' endpoints: at least once, in order per (endpoint, payment).

A process that dies leaves its claims to the lease; the receiver may then get an event twice, with
the same `webhook-id`.
"""

import asyncio
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import structlog

from pkg.errors import DependencyUnavailableError
from pkg.observe.metrics import Metrics
from pkg.observe.tracing import Kind, Tracer
from pkg.postgres.sql import Pool
from pkg.process.mode import Mode
from pkg.process.repeating import pause, repeat
from services.events.delivery_queue import Attempt, Claimed, DeliveryQueue, Endpoint, Status
from services.events.facts import body_of
from services.events.origin import event_span
from services.events.post import Poster
from services.events.schedule import next_delay
from services.events.sealing import SecretBox
from services.events.signing import Signer
from services.events.tally import RelayTally
from services.events.under_way import UnderWay, UnderWayLimits

logger = structlog.get_logger()

SIGNERS_MAX = 1_024  # in memory, of the endpoints that were posted to last
ATTEMPT_SECONDS_MAX = 15.0  # Standard Webhooks 1.0 asks for 15 to 30


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryLimits:
    """How much a deliverer does at a time, and how long it waits."""

    poll_seconds: float = 0.1
    under_way_max: int = 512
    under_way_per_merchant_max: int = 64
    under_way_per_endpoint_max: int = 16
    claim_max: int = 128  # in one statement
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
        self._box = box
        self._poster = Poster(
            mode, timeout_seconds=self._limits.attempt_seconds_max, own_ports=own_ports
        )
        # By all of the sealed secrets: what is rotated is opened anew.
        self._signer = lru_cache(SIGNERS_MAX)(self._new_signer)
        self._chance = chance
        self._tally = tally or RelayTally(Metrics())
        self._tracer = tracer
        self._under_way = UnderWay(self._limits.places)
        self._tasks: set[asyncio.Task[None]] = set()
        self._ended: list[tuple[Attempt, float]] = []  # with the seconds that it took
        self._news = asyncio.Event()

    async def run(self, stopped: asyncio.Event) -> None:
        """Deliver until stopped, then let attempts that are under way end."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._deliver_until(stopped))
            tasks.create_task(
                repeat(self.fail_unwanted, stopped, seconds=self._limits.unwanted_interval_seconds)
            )

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
        await self._poster.close()

    async def fail_unwanted(self) -> bool:
        """Give up what no endpoint wants any more; return whether there may be more."""
        limit = self._limits.unwanted_max
        return await self._queue.fail_unwanted(limit=limit) == limit

    async def _deliver_until(self, stopped: asyncio.Event) -> None:
        while not stopped.is_set():
            self._news.clear()
            try:
                await self._record()
                more = await self._start() == self._limits.claim_max
            except DependencyUnavailableError:
                logger.warning("the database is not available")
                await pause(stopped, self._limits.poll_seconds)
                more = False
            if not more:
                # An attempt that has ended frees the next of its stream: that is news, too.
                await pause(self._news, self._limits.poll_seconds)
        try:
            await self._drain()
        except DependencyUnavailableError:
            logger.warning("the database is not available: attempts may be repeated")

    async def _drain(self) -> None:
        while self._tasks:
            await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
            await self._record()
        await self._record()

    async def _start(self) -> int:
        free = self._under_way.free()
        if not free.in_all:
            return 0
        claimed = await self._queue.claim(
            free, limit=self._limits.claim_max, lease=self._limits.lease
        )
        for one in claimed:
            self._under_way.begin(one.endpoint)
            task = asyncio.create_task(self._attempt(one))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return len(claimed)

    async def _record(self) -> None:
        """Record what has ended. Until it is recorded it counts as under way: memory is bounded."""
        ended = tuple(self._ended)
        if not ended:
            return
        await self._queue.record([attempt for attempt, _ in ended])
        del self._ended[: len(ended)]
        for attempt, seconds in ended:
            # An event that is there no more says nothing of the endpoint.
            answered = attempt.status_code != 0 or attempt.claimed.payload is None
            self._under_way.end(attempt.claimed.endpoint, seconds=seconds, answered=answered)
            self._tally.attempted(
                delivered=attempt.status is Status.DELIVERED,
                given_up=attempt.status is Status.FAILED,
            )

    async def _attempt(self, claimed: Claimed) -> None:
        began = time.perf_counter()
        try:
            attempt = await self._tally.timed(self._post(claimed))
        except Exception as problem:  # noqa: BLE001 - one bad row must not end the others' delivery
            # Without the traceback: it could show a secret.
            name = type(problem).__name__
            logger.warning("not delivered", event_id=claimed.event_id, problem=name)
            attempt = self._failed(claimed, 0, "internal error")
        self._ended.append((attempt, time.perf_counter() - began))
        self._news.set()

    async def _post(self, claimed: Claimed) -> Attempt:
        if claimed.payload is None:
            return Attempt(claimed=claimed, status=Status.FAILED, error="event removed")
        if self._tracer is None:
            return await self._post_payload(claimed, claimed.payload)
        with event_span(
            self._tracer, "webhook", claimed.payload, event_id=claimed.event_id, kind=Kind.CLIENT
        ) as span:
            attempt = await self._post_payload(claimed, claimed.payload)
            span.tell("paygate.attempt", claimed.attempts + 1)
            span.tell("http.response.status_code", attempt.status_code)
            if attempt.status is not Status.DELIVERED:
                span.fail(attempt.error)
            return attempt

    async def _post_payload(self, claimed: Claimed, payload: bytes) -> Attempt:
        """Post an event. It gets no `traceparent`: whoever receives it is a stranger."""
        body = body_of(payload)
        signer = self._signer(claimed.endpoint, claimed.secrets)
        headers = signer.headers(body, event_id=claimed.event_id, now=datetime.now(UTC))
        answer = await self._poster.post(
            claimed.url, body, headers, owner=claimed.endpoint.merchant_id
        )
        if 200 <= answer.status < 300:
            return Attempt(claimed=claimed, status=Status.DELIVERED, status_code=answer.status)
        return self._failed(claimed, answer.status, answer.error or f"http {answer.status}")

    def _new_signer(self, endpoint: Endpoint, secrets: tuple[tuple[str, bytes], ...]) -> Signer:
        return Signer(
            [
                self._box.open(
                    sealed,
                    merchant_id=endpoint.merchant_id,
                    endpoint_id=endpoint.id,
                    secret_id=secret_id,
                )
                for secret_id, sealed in secrets
            ]
        )

    def _failed(self, claimed: Claimed, status_code: int, error: str) -> Attempt:
        gone = status_code == 410
        delay = None if gone else next_delay(claimed.attempts + 1, random=self._chance)
        return Attempt(
            claimed=claimed,
            status=Status.FAILED if delay is None else Status.PENDING,
            status_code=status_code,
            error=error,
            delay=delay,
            gone=gone,
        )
