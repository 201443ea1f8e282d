"""The relay: which deliveries are made out, and what is removed."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from services.events.relay import Relay, RelayLimits
from tests.integration.events.desk import Desk, opened

NOWHERE = "http://127.0.0.1:1/hooks"


@pytest.fixture
async def desk(payments_database_url: str) -> AsyncIterator[Desk]:
    """A desk on an empty database."""
    async with opened(payments_database_url) as desk:
        yield desk


async def sequences(desk: Desk) -> list[int]:
    """Return the numbers of the events that are kept."""
    return [row["sequence"] for row in await desk.pool.fetch("SELECT sequence FROM outbox")]


async def test_an_event_goes_to_each_endpoint_that_wants_it(desk: Desk) -> None:
    """Enabled endpoints of the same merchant, for all types or for this one."""
    all_types, _ = await desk.endpoint(NOWHERE)
    this_type, _ = await desk.endpoint(NOWHERE, event_types=("payment.authorized",))
    await desk.endpoint(NOWHERE, event_types=("payment.captured",))
    await desk.endpoint(NOWHERE, status="DISABLED")
    await desk.endpoint(NOWHERE, merchant_id="mer_b")
    await desk.authorized()

    await desk.relay.run_once()

    assert {row["endpoint_id"] for row in await desk.deliveries()} == {all_types, this_type}


async def test_an_event_is_relayed_once(desk: Desk) -> None:
    """Relaying again, and an endpoint that comes later, make out nothing for it."""
    await desk.endpoint(NOWHERE)
    await desk.authorized()
    await desk.relay.run_once()
    await desk.endpoint(NOWHERE)

    await desk.relay.run_once()

    assert await desk.counts() == {"PENDING": 1}


async def test_several_relays_share_the_events(desk: Desk) -> None:
    """However many run at once, each event has exactly one delivery to an endpoint."""
    await desk.endpoint(NOWHERE)
    payments = await asyncio.gather(*(desk.authorized() for _ in range(20)))
    await asyncio.gather(*(desk.captured(payment, times=4) for payment in payments))
    relays = [Relay(desk.pool, None, RelayLimits(events_max=7)) for _ in range(4)]

    async def work(relay: Relay) -> None:
        while await relay.run_once():
            pass

    await asyncio.gather(*map(work, relays))
    await desk.relay.run_once()

    assert await desk.counts() == {"PENDING": 100}


async def test_a_later_event_waits_for_one_that_is_not_relayed(desk: Desk) -> None:
    """Another relay may be about to make out the earlier delivery: nothing overtakes it."""
    await desk.endpoint(NOWHERE)
    await desk.captured(await desk.authorized())
    await desk.relay.run_once()
    await desk.pool.execute("DELETE FROM webhook_deliveries WHERE sequence = 2")
    await desk.pool.execute("UPDATE outbox SET relay_time = NULL WHERE sequence = 2")

    assert await desk.deliverer.run_once() == 0


async def test_without_a_bus_nothing_waits_for_one(desk: Desk) -> None:
    """Relayed events are done with: a bus that is set up later gets the events from then on."""
    await desk.authorized()

    await desk.relay.run_once()

    assert await desk.pool.fetchval("SELECT count(*) FROM outbox WHERE publish_time IS NULL") == 0


async def test_old_events_are_removed_with_their_deliveries(desk: Desk) -> None:
    """What is older than the limit and done with goes; what is still to be delivered stays."""
    await desk.endpoint(NOWHERE, event_types=("payment.captured",))
    await desk.captured(await desk.authorized())
    await desk.relay.run_once()

    await desk.advance(timedelta(days=31))
    await desk.relay.run_once()
    assert await sequences(desk) == [4]
    assert await desk.counts() == {"PENDING": 1}

    await desk.pool.execute("UPDATE webhook_deliveries SET status = 'DELIVERED', due_time = NULL")
    await desk.relay.run_once()
    assert await sequences(desk) == []
    assert await desk.counts() == {}


async def test_young_events_are_kept(desk: Desk) -> None:
    """Merchants can look events up, and ask for them again, until they are old."""
    await desk.authorized()
    await desk.relay.run_once()

    await desk.advance(timedelta(days=29))
    await desk.relay.run_once()

    assert await desk.pool.fetchval("SELECT count(*) FROM outbox") == 1
