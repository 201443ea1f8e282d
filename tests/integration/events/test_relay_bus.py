"""Publishing to NATS JetStream: a real server, which goes away and comes back."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from paygate.events.v1.event_pb2 import PaymentEvent
from pkg.secret import Secret
from services.events.bus import BusUnavailableError
from services.events.nats_bus import NatsBus
from services.events.outbox import Outbox
from services.events.relay import Relay, RelayLimits
from tests.builders import MERCHANT
from tests.certificates import AuthorityInFiles
from tests.integration.events.desk import Desk, opened, running, until
from tests.integration.events.nats_server import NatsServer, nats_running
from tests.integration.events.receiver import receiving

BRISK = RelayLimits(poll_seconds=0.05, bus_pause_seconds_max=0.2, publish_max=7)


@pytest.fixture
async def desk(payments_database_url: str) -> AsyncIterator[Desk]:
    """A desk on an empty database."""
    async with opened(payments_database_url) as desk:
        yield desk


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[NatsServer]:
    """A server that runs."""
    async with nats_running(tmp_path) as server:
        yield server


@pytest.fixture
async def bus(server: NatsServer) -> AsyncIterator[NatsBus]:
    """A bus on it."""
    bus = NatsBus(Secret(server.url), timeout_seconds=1)
    yield bus
    await bus.close()


async def unpublished(desk: Desk) -> int:
    """Return how many events the bus has not taken."""
    count: int = await desk.pool.fetchval("SELECT count(*) FROM outbox WHERE publish_time IS NULL")
    return count


async def published(desk: Desk, bus: NatsBus) -> None:
    """Relay and publish until nothing is left."""
    relay = Relay(desk.pool, bus, BRISK)
    while await relay.run_once():
        pass
    assert await unpublished(desk) == 0


async def test_events_are_published_in_order(desk: Desk, server: NatsServer, bus: NatsBus) -> None:
    """One message an event, by merchant and type, with the stored event as its payload."""
    payment = await desk.captured(await desk.authorized())

    await published(desk, bus)

    messages = await server.messages()
    assert [subject for subject, _, _ in messages] == [
        f"paygate.payments.{MERCHANT}.authorized",
        f"paygate.payments.{MERCHANT}.captured",
    ]
    events = [PaymentEvent.FromString(payload) for _, _, payload in messages]
    assert [event.id for event in events] == [message_id for _, message_id, _ in messages]
    assert [event.sequence for event in events] == [2, 4]
    assert {event.payment.id for event in events} == {payment.id}


async def test_an_event_that_is_published_again_is_dropped(
    desk: Desk, server: NatsServer, bus: NatsBus
) -> None:
    """A relay that dies between the bus and the database does no harm."""
    await desk.authorized()
    await published(desk, bus)
    await desk.pool.execute("UPDATE outbox SET publish_time = NULL, publish_lease_time = NULL")

    await published(desk, bus)

    assert len(await server.messages()) == 1


async def test_only_the_next_event_of_a_payment_is_taken(desk: Desk) -> None:
    """While one is on its way, nothing of the same payment is, and its lease goes by real time."""
    await desk.captured(await desk.authorized())
    await desk.authorized()
    outbox = Outbox(desk.pool)

    taken = await outbox.take_unpublished(limit=10, lease=timedelta(seconds=30))
    await desk.advance(timedelta(days=1))
    nothing = await outbox.take_unpublished(limit=10, lease=timedelta(seconds=30))
    await outbox.mark_published(taken)
    rest = await outbox.take_unpublished(limit=10, lease=timedelta(seconds=30))

    assert [event.type for event in taken] == ["payment.authorized"] * 2
    assert nothing == []
    assert [event.type for event in rest] == ["payment.captured"]


async def test_a_bus_that_is_away_loses_nothing_and_holds_up_nobody(
    desk: Desk, server: NatsServer, bus: NatsBus
) -> None:
    """Payments and webhooks go on meanwhile; then every event comes, once and in order."""
    relays = [Relay(desk.pool, bus, BRISK), Relay(desk.pool, bus, BRISK)]
    async with receiving() as receiver:
        await desk.endpoint(receiver.url)
        async with running(*(relay.run for relay in relays), desk.deliverer.run):
            payments = await asyncio.gather(*(desk.authorized() for _ in range(20)))
            await until(lambda: len(receiver.received) == 20, seconds_max=5)
            await server.kill()
            captures = asyncio.gather(*(desk.captured(one, times=4) for one in payments))
            await captures
            await until(lambda: len(receiver.received) == 100, seconds_max=5)
            assert await unpublished(desk) >= 80
            await server.start()

            async def all_published() -> bool:
                return await unpublished(desk) == 0

            await until(all_published, seconds_max=20)

    by_payment = defaultdict(list)
    for _, _, payload in await server.messages():
        event = PaymentEvent.FromString(payload)
        by_payment[event.payment.id].append(event.sequence)
    assert len(by_payment) == 20
    assert all(sequences == [2, 4, 6, 8, 10] for sequences in by_payment.values())


async def test_what_is_not_taken_is_free_again_at_once(
    desk: Desk, server: NatsServer, bus: NatsBus
) -> None:
    """Another relay that reaches the bus need not wait for a lease; the URL is not in the error."""
    await desk.authorized()
    await server.kill()

    with pytest.raises(BusUnavailableError) as problem:
        await Relay(desk.pool, bus, BRISK).run_once()

    assert server.url not in repr(problem.value)
    assert await desk.pool.fetchval("SELECT count(publish_lease_time) FROM outbox") == 0


async def test_a_bus_that_says_nothing_is_given_up_once_for_all(desk: Desk) -> None:
    """Events do not wait for the same silence one after the other."""

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    silent = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    bus = NatsBus(Secret(f"nats://127.0.0.1:{port}"), timeout_seconds=0.3)
    await asyncio.gather(*(desk.authorized() for _ in range(20)))

    async with asyncio.timeout(2):
        with pytest.raises(BusUnavailableError):
            await Relay(desk.pool, bus, RelayLimits()).publish()

    await bus.close()
    silent.close()
    assert await unpublished(desk) == 20


async def test_a_stream_that_an_operator_made_is_used(
    desk: Desk, server: NatsServer, bus: NatsBus
) -> None:
    """Replicas and retention of an existing stream are its owner's business."""
    import nats  # noqa: PLC0415 - for this test alone

    client = await nats.connect(server.url)
    await client.jetstream().add_stream(name="THEIRS", subjects=["paygate.payments.>"])
    await client.close()
    await desk.authorized()

    await published(desk, bus)

    assert len(await server.messages()) == 1


async def test_it_speaks_tls_where_the_address_says_so(
    desk: Desk, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The server is checked by the authority that is named, and only then gets the events."""
    authority = AuthorityInFiles(tmp_path_factory.mktemp("tls"))
    stranger = AuthorityInFiles(tmp_path_factory.mktemp("stranger"))
    await desk.authorized()
    async with nats_running(tmp_path_factory.mktemp("nats"), authority) as server:
        for wrong in (stranger.file, None):
            bus = NatsBus(Secret(server.url), ca_file=wrong, timeout_seconds=1)
            with pytest.raises(BusUnavailableError):
                await Relay(desk.pool, bus, BRISK).publish()
            await bus.close()
        bus = NatsBus(Secret(server.url), ca_file=authority.file, timeout_seconds=1)
        await desk.pool.execute("UPDATE outbox SET publish_lease_time = NULL")
        await published(desk, bus)
        await bus.close()
        assert len(await server.messages()) == 1


async def test_it_says_nothing_to_a_server_that_would_take_it_in_plain_text(
    server: NatsServer,
) -> None:
    """Whoever stands between can change the greeting: the driver alone would go on without TLS."""
    bus = NatsBus(Secret(server.url.replace("nats://", "tls://")), timeout_seconds=1)
    assert not await bus.answers()
    await bus.close()
