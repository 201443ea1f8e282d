"""For an endpoint that answers at once more is claimed than is posted; nothing of it is held up."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from pkg.process.mode import Mode
from services.events.deliver import Deliverer, DeliveryLimits
from services.events.relay import Relay, RelayLimits
from tests.integration.events.desk import Desk, opened, running, until
from tests.integration.events.receiver import receiving

PLACES = DeliveryLimits().under_way_per_endpoint_max
MANY = 3 * PLACES
LEASED = "SELECT count(*) FROM webhook_deliveries WHERE lease_time IS NOT NULL"


@pytest.fixture
async def desk(payments_database_url: str) -> AsyncIterator[Desk]:
    """A desk on an empty database."""
    async with opened(payments_database_url) as desk:
        yield desk


async def make_it_quick(desk: Desk) -> None:
    """Have an event delivered, and many more wait."""
    await desk.authorized()
    assert await desk.process() == 1
    await asyncio.gather(*(desk.authorized() for _ in range(MANY)))
    await desk.relay.run_once()


async def leases(desk: Desk) -> int:
    """Return how many deliveries are claimed."""
    count: int = await desk.pool.fetchval(LEASED)
    return count


async def test_what_waits_when_a_process_ends_is_free_at_once(desk: Desk) -> None:
    """Its places are as many as before, and it takes nothing with it that it did not post."""
    async with receiving() as receiver:
        await desk.endpoint(receiver.url)
        await make_it_quick(desk)
        receiver.seconds = 0.5
        async with running(desk.deliverer.run):
            await until(lambda: len(receiver.received) == 1 + PLACES, seconds_max=5)
            assert await leases(desk) == MANY
        assert len(receiver.received) == 1 + PLACES
        assert await leases(desk) == 0

        receiver.seconds = 0.0
        other = Deliverer(desk.pool, desk.box, Mode.SANDBOX)
        while await other.run_once():
            pass
        await other.close()
        assert len({got.id for got in receiver.received}) == len(receiver.received) == 1 + MANY


async def test_what_waits_is_free_at_once_though_what_is_under_way_hangs(desk: Desk) -> None:
    """A process that is told to end gives it back before it waits for its attempts."""
    stopped = asyncio.Event()
    async with receiving() as receiver:
        await desk.endpoint(receiver.url)
        await make_it_quick(desk)
        receiver.seconds = 10.0
        delivering = asyncio.create_task(desk.deliverer.run(stopped))
        await until(lambda: len(receiver.received) == 1 + PLACES, seconds_max=5)
        assert await leases(desk) == MANY
        stopped.set()

        async def is_free() -> bool:
            return await leases(desk) == PLACES

        await until(is_free, seconds_max=5)
        assert not delivering.done()
    await delivering  # the receiver has ended, and with it what was under way


async def test_what_waits_for_an_endpoint_that_is_gone_keeps_no_lease(desk: Desk) -> None:
    """It is tried as if it had not been claimed, and not when the lease is over."""
    async with receiving() as receiver:
        await desk.endpoint(receiver.url)
        await make_it_quick(desk)
    async with running(desk.deliverer.run):

        async def tried() -> bool:
            rows = await desk.deliveries()
            return sum(row["attempts"] > 0 for row in rows) > PLACES and not await leases(desk)

        await until(tried, seconds_max=5)
    rows = await desk.deliveries()
    assert sum(row["attempts"] == 0 for row in rows) >= MANY - 2 * PLACES


async def test_what_waits_for_an_endpoint_that_wants_no_more_is_not_posted(desk: Desk) -> None:
    """A 410 counts for it, too."""
    async with receiving() as receiver:
        await desk.endpoint(receiver.url)
        await make_it_quick(desk)
        receiver.status, receiver.received = 410, []
        async with running(desk.deliverer.run):

            async def failed() -> bool:
                return (await desk.counts()).get("FAILED", 0) == MANY

            await until(failed, seconds_max=10)
        assert len(receiver.received) <= 2 * PLACES


@pytest.mark.alone
async def test_many_are_claimed_and_recorded_by_one_statement_each(desk: Desk) -> None:
    """More of them than attempts are under way: what a statement costs is shared by many."""
    together = DeliveryLimits(gather_seconds=10)
    deliverer = Deliverer(desk.pool, desk.box, Mode.SANDBOX, together)
    async with receiving() as receiver:
        await desk.endpoint(receiver.url)
        await desk.authorized()
        await desk.relay.run_once()
        assert await deliverer.run_once() == 1
        await asyncio.gather(*(desk.authorized() for _ in range(5 * MANY)))
        await desk.relay.run_once()
        async with running(deliverer.run):
            await until(lambda: len(receiver.received) == 1 + 5 * MANY, seconds_max=20)
    await deliverer.close()
    assert await desk.counts() == {"DELIVERED": 1 + 5 * MANY}
    # Rows that one statement has written are of one transaction.
    records = "SELECT count(DISTINCT xmin::text) FROM webhook_deliveries"
    assert await desk.pool.fetchval(records) <= 5 * MANY / (1.5 * PLACES)


async def test_what_is_made_out_is_posted_without_a_look(desk: Desk) -> None:
    """Whoever makes deliveries out says so to who posts them."""
    seldom = Deliverer(desk.pool, desk.box, Mode.SANDBOX, DeliveryLimits(poll_seconds=60))
    relay = Relay(desk.pool, None, RelayLimits(), relayed=seldom.look)
    async with receiving() as receiver:
        await desk.endpoint(receiver.url)
        stopped = asyncio.Event()
        tasks = [asyncio.create_task(seldom.run(stopped)), asyncio.create_task(relay.run(stopped))]
        await asyncio.sleep(0)
        await desk.authorized()
        await until(lambda: len(receiver.received) == 1, seconds_max=5)
        stopped.set()
        seldom.look()
        await asyncio.gather(*tasks)
    await seldom.close()
