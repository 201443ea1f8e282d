"""What a relay works on: a gateway's database with payments that change, and endpoints."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pkg.ids import new_id
from pkg.postgres.sql import Pool, Row, open_pool
from pkg.process.mode import Mode
from pkg.secret import Secret
from services.events.deliver import Deliverer, DeliveryLimits
from services.events.relay import Relay
from services.events.sealing import SecretBox, new_secret
from services.payments.adapters.clock import SandboxClocks
from services.payments.adapters.postgres import PostgresStore
from services.payments.api.codec import ProtoEvents
from services.payments.domain.action import Action
from services.payments.domain.event import NOBODY, Origin, event_of
from services.payments.domain.payment import Payment
from services.payments.ports import Change, CommitResult
from tests.builders import MERCHANT, begun, capture, settled

WEBHOOK_KEY = "0f" * 32


@dataclass
class Desk:
    """A database, and one of each process that works on its events."""

    pool: Pool
    store: PostgresStore
    box: SecretBox
    relay: Relay
    deliverer: Deliverer

    async def endpoint(
        self,
        url: str,
        *,
        merchant_id: str = MERCHANT,
        event_types: tuple[str, ...] = (),
        status: str = "ENABLED",
    ) -> tuple[str, bytes]:
        """Add an endpoint; return its id and its secret."""
        endpoint_id = new_id("we", datetime.now(UTC))
        await self.pool.execute(
            "INSERT INTO webhook_endpoints VALUES ($1, $2, $3, $4, $5, '', now(), now())",
            merchant_id,
            endpoint_id,
            url,
            list(event_types),
            status,
        )
        secret = await self.secret(endpoint_id, merchant_id=merchant_id)
        return endpoint_id, secret

    async def secret(self, endpoint_id: str, *, merchant_id: str = MERCHANT) -> bytes:
        """Add the newest secret of an endpoint; return it."""
        secret, secret_id = new_secret(), new_id("whs", datetime.now(UTC))
        sealed = self.box.seal(
            secret, merchant_id=merchant_id, endpoint_id=endpoint_id, secret_id=secret_id
        )
        await self.pool.execute(
            "INSERT INTO webhook_secrets VALUES ($1, $2, $3, $4, clock_timestamp(), NULL)",
            merchant_id,
            endpoint_id,
            secret_id,
            sealed,
        )
        return secret

    async def authorized(self, *, merchant_id: str = MERCHANT, origin: Origin = NOBODY) -> Payment:
        """Store a payment that is authorised: one event, of that origin."""
        now = datetime.now(UTC)
        first = begun(amount=1_000_000, merchant_id=merchant_id, now=now)
        await self._stored(*first)
        return await self._settled(first, origin)

    async def captured(self, payment: Payment, *, times: int = 1) -> Payment:
        """Capture a little of a payment, so many times: an event each."""
        for _ in range(times):
            first = capture(payment, 1, now=datetime.now(UTC))
            await self._stored(*first)
            payment = await self._settled(first)
        return payment

    async def _settled(self, first: tuple[Payment, Action], origin: Origin = NOBODY) -> Payment:
        now = datetime.now(UTC)
        payment, action = settled(first, now=now)
        await self._stored(payment, action, origin)
        return payment

    async def _stored(self, payment: Payment, action: Action, origin: Origin | None = None) -> None:
        """Store a change; with an event if that has an origin."""
        event = None
        if origin is not None:
            event_id = new_id("evt", action.update_time)
            event = event_of(payment, action, event_id=event_id, origin=origin)
        change = Change(payment=payment, actions=(action,), event=event)
        assert await self.store.commit(change) is CommitResult.COMMITTED

    async def process(self) -> int:
        """Relay and deliver until nothing is due; return how many attempts that took."""
        attempts = 0
        while await self.relay.run_once():
            pass
        while tried := await self.deliverer.run_once():
            attempts += tried
        return attempts

    async def advance(self, by: timedelta, *, merchant_id: str | None = None) -> None:
        """Turn a merchant's clock; by default that of each who has an endpoint or an event."""
        await self.pool.execute(
            """
            INSERT INTO sandbox_clocks AS c (merchant_id, ahead)
            SELECT merchant_id, $1
            FROM (SELECT merchant_id FROM webhook_endpoints UNION SELECT merchant_id FROM outbox) m
            WHERE $2::text IS NULL OR merchant_id = $2
            ON CONFLICT (merchant_id) DO UPDATE SET ahead = c.ahead + EXCLUDED.ahead
            """,
            by,
            merchant_id,
        )

    async def deliveries(self) -> list[Row]:
        """Return all deliveries, the oldest event first."""
        return list(
            await self.pool.fetch(
                """
                SELECT d.*, due_time - gateway_now(merchant_id) AS wait
                FROM webhook_deliveries d ORDER BY payment_id, sequence, endpoint_id
                """
            )
        )

    async def counts(self) -> dict[str, int]:
        """Return how many deliveries there are by status."""
        rows = await self.pool.fetch(
            "SELECT status, count(*) FROM webhook_deliveries GROUP BY status"
        )
        return {row["status"]: row["count"] for row in rows}


@asynccontextmanager
async def opened(url: str, limits: DeliveryLimits | None = None) -> AsyncIterator[Desk]:
    """Open a desk on an empty database of the gateway."""
    pool = await open_pool(url, size=4, command_timeout_seconds=5, name="test")
    writes = await open_pool(url, size=1, command_timeout_seconds=5, name="test")
    async with pool, writes:
        store = PostgresStore(
            pool,
            writes,
            events=ProtoEvents(),
            clocks=SandboxClocks(),
            lease=timedelta(seconds=10),
        )
        box = SecretBox(Secret(WEBHOOK_KEY))
        deliverer = Deliverer(pool, box, Mode.SANDBOX, limits, chance=lambda: 0.5)
        yield Desk(pool, store, box, Relay(pool, None), deliverer)
        await deliverer.close()


@asynccontextmanager
async def running(*workers: Callable[[asyncio.Event], Awaitable[None]]) -> AsyncIterator[None]:
    """Run workers meanwhile."""
    stopped = asyncio.Event()
    tasks = [asyncio.ensure_future(worker(stopped)) for worker in workers]
    try:
        yield
    finally:
        stopped.set()
        await asyncio.gather(*tasks)


async def until(
    holds: Callable[[], bool] | Callable[[], Awaitable[bool]], *, seconds_max: float
) -> None:
    """Wait until something holds, but not longer than that.

    Raises:
        TimeoutError: It did not hold in time.
    """
    async with asyncio.timeout(seconds_max):
        while True:
            result = holds()
            if result if isinstance(result, bool) else await result:
                return
            await asyncio.sleep(0.02)
