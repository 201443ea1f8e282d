"""Delivery by several processes, next to endpoints that fail, and after a crash."""

import asyncio
import statistics
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta
from time import monotonic

import pytest

from pkg.process.mode import Mode
from services.events.deliver import Deliverer, DeliveryLimits
from services.events.delivery_queue import Attempt, DeliveryQueue, Free, Status
from tests.chaos.rig import free_port
from tests.integration.events.desk import Desk, opened, running, until
from tests.integration.events.receiver import Received, receiving

CLAIM_SECONDS = 1.0
HEALTHY_SECONDS_MAX = 2.0
ALL = Free(in_all=10, per_merchant=10, per_endpoint=10)


@pytest.fixture
async def desk(payments_database_url: str) -> AsyncIterator[Desk]:
    """A desk on an empty database."""
    async with opened(payments_database_url) as desk:
        yield desk


async def abandon_a_claim(desk: Desk) -> None:
    """Claim what is due, as a process that dies before it posts anything."""
    claimed = await DeliveryQueue(desk.pool).claim(
        ALL, limit=10, lease=timedelta(seconds=CLAIM_SECONDS)
    )
    assert len(claimed) == 1


async def test_a_claim_that_nobody_ends_is_taken_up_after_its_lease(desk: Desk) -> None:
    """A process that dies loses nothing; turning the sandbox's clock does not end a lease."""
    await desk.endpoint(f"http://127.0.0.1:{free_port()}/hooks")
    await desk.captured(await desk.authorized())
    await desk.relay.run_once()
    async with receiving() as receiver:
        await desk.pool.execute("UPDATE webhook_endpoints SET url = $1", receiver.url)
        started = monotonic()
        await abandon_a_claim(desk)
        await desk.advance(timedelta(days=1))
        async with running(desk.deliverer.run):
            await until(lambda: len(receiver.received) == 2, seconds_max=5)

    first, second = receiver.received
    assert first.time - started >= CLAIM_SECONDS
    assert first.sequence < second.sequence


async def test_a_late_end_does_not_count(desk: Desk) -> None:
    """Whoever has lost the lease can change nothing any more."""
    await desk.endpoint(f"http://127.0.0.1:{free_port()}/hooks")
    await desk.authorized()
    await desk.relay.run_once()
    queue = DeliveryQueue(desk.pool)
    nothing = timedelta(0)
    (late,) = await queue.claim(ALL, limit=1, lease=nothing)
    (again,) = await queue.claim(ALL, limit=1, lease=nothing)

    await queue.record([Attempt(claimed=late, status=Status.DELIVERED, status_code=200)])
    assert await desk.counts() == {"PENDING": 1}
    await queue.record([Attempt(claimed=again, status=Status.DELIVERED, status_code=200)])
    assert await desk.counts() == {"DELIVERED": 1}


async def test_several_processes_keep_the_order(desk: Desk) -> None:
    """Each event arrives, and once as long as nothing fails; those of a payment in order."""
    relay, brisk = desk.relay, DeliveryLimits(under_way_per_endpoint_max=4, claim_max=7)
    others = [Deliverer(desk.pool, desk.box, Mode.SANDBOX, brisk) for _ in range(2)]
    async with receiving(seconds=0.002) as receiver:
        await desk.endpoint(receiver.url)
        async with running(relay.run, relay.run, desk.deliverer.run, *(o.run for o in others)):
            payments = await asyncio.gather(*(desk.authorized() for _ in range(20)))
            await asyncio.gather(*(desk.captured(payment, times=9) for payment in payments))
            await until(lambda: len(receiver.received) >= 200, seconds_max=20)
    for other in others:
        await other.close()

    assert len({got.id for got in receiver.received}) == len(receiver.received) == 200
    by_payment = defaultdict(list)
    for got in receiver.received:
        by_payment[got.payment_id].append(got.sequence)
    assert all(sequences == sorted(sequences) for sequences in by_payment.values())
    assert await desk.counts() == {"DELIVERED": 200}


@pytest.mark.alone
async def test_a_dead_and_a_slow_endpoint_hold_up_nobody(desk: Desk) -> None:
    """Of all events, 99 % reach a healthy endpoint within two seconds of the commit."""
    committed: dict[tuple[str, int], float] = {}
    # The receivers go first: they end the attempts that the deliverer would wait for.
    async with running(desk.relay.run, desk.deliverer.run), AsyncExitStack() as stack:
        healthy = await stack.enter_async_context(receiving())
        slow = await stack.enter_async_context(receiving(seconds=14.5))
        await desk.endpoint(f"http://127.0.0.1:{free_port()}/hooks")
        await desk.endpoint(slow.url)
        await desk.endpoint(healthy.url)
        for _ in range(12):
            payments = await asyncio.gather(*(desk.authorized() for _ in range(25)))
            for payment in payments:
                committed[payment.id, payment.version] = monotonic()
            await asyncio.sleep(0.25)  # a steady load: what is measured is time under it
        await until(lambda: len(healthy.received) >= 300, seconds_max=10)

    def waited(got: Received) -> float:
        return got.time - committed[got.payment_id, got.sequence]

    p99 = statistics.quantiles(map(waited, healthy.received), n=100)[98]
    assert p99 <= HEALTHY_SECONDS_MAX
    assert len(slow.received) < 300
