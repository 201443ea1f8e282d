"""Relays that are killed again and again while payments change."""

import asyncio
import os
import random
from collections import defaultdict
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path

import pytest

from paygate.events.v1.event_pb2 import PaymentEvent
from tests.chaos.rig import SECRETS, Process
from tests.database import as_part
from tests.integration.events.desk import WEBHOOK_KEY, Desk, opened, until
from tests.integration.events.nats_server import NatsServer, nats_running
from tests.integration.events.receiver import Receiver, receiving
from tests.proofs import record, scale, skew

pytestmark = pytest.mark.chaos

MODULE = ("services.events", "relay")
EVENTS_PER_PAYMENT = 10
AT_ONCE = 50  # payments that change at the same time


@dataclass(frozen=True, slots=True)
class Size:
    """How large the drill is."""

    relays: int
    events: int
    kills: int
    seconds_max: float


def size() -> Size:
    """Return how large it is this time."""
    if scale.IS_FULL:
        kills = scale.whole("PAYGATE_PROOF_KILLS", full=200, short=0)
        events = scale.whole("PAYGATE_PROOF_EVENTS", full=100_000, short=0)
        return Size(relays=4, events=events, kills=kills, seconds_max=3_600)
    if os.environ.get("PAYGATE_CHAOS") == "full":
        return Size(relays=4, events=20_000, kills=20, seconds_max=600)
    return Size(relays=2, events=2_000, kills=6, seconds_max=60)


SIZE = size()


def relays(database_url: str, bus: NatsServer) -> list[Process]:
    """Return relays that are not started yet."""
    environment = {
        **SECRETS,
        "DATABASE_URL": as_part(database_url, "paygate_events"),
        "PAYGATE_WEBHOOK_KEY": WEBHOOK_KEY,
        "PAYGATE_MODE": "sandbox",
        "PAYGATE_NATS_URL": bus.url,
        "PAYGATE_DELIVERY_LEASE_SECONDS": "2",
    }
    ahead = cycle((skew.SECONDS, -skew.SECONDS))  # of the clocks of their hosts
    return [Process(MODULE, environment, ahead_seconds=next(ahead)) for _ in range(SIZE.relays)]


async def change_payments(desk: Desk) -> None:
    """Write the events: authorizations, and captures one after the other."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def one() -> None:
        async with turns:
            payment = await desk.authorized()
            await desk.captured(payment, times=EVENTS_PER_PAYMENT - 1)

    await asyncio.gather(*(one() for _ in range(SIZE.events // EVENTS_PER_PAYMENT)))


async def kill_again_and_again(processes: list[Process], receiver: Receiver) -> None:
    """Kill one after so much was received, and start it again; spread over the whole drill."""
    dice = random.Random(1)
    for kill in range(1, SIZE.kills + 1):
        reached = SIZE.events * kill // (SIZE.kills + 2)
        await until(lambda n=reached: len(receiver.received) >= n, seconds_max=SIZE.seconds_max)
        victim = dice.choice(processes)
        await victim.kill()
        await victim.start()


def by_payment(events: Iterable[tuple[str, int]]) -> dict[str, list[int]]:
    """Return the sequences of each payment, in the order of the events."""
    found = defaultdict(list)
    for payment_id, sequence in events:
        found[payment_id].append(sequence)
    return dict(found)


async def published(bus: NatsServer) -> dict[str, list[int]]:
    """Return what the bus holds of each payment, in the order it holds it."""
    events = [PaymentEvent.FromString(payload) for _, _, payload in await bus.messages()]
    return by_payment((event.payment.id, event.sequence) for event in events)


async def test_killed_relays_lose_nothing(payments_database_url: str, tmp_path: Path) -> None:
    """Each event arrives at least once and in order per payment; on the bus exactly once."""
    began = datetime.now(UTC)
    async with AsyncExitStack() as stack:
        desk = await stack.enter_async_context(opened(payments_database_url))
        receiver = await stack.enter_async_context(receiving())
        bus = await stack.enter_async_context(nats_running(tmp_path))
        await desk.endpoint(receiver.url)
        processes = relays(payments_database_url, bus)
        for process in processes:
            stack.push_async_callback(process.kill)
        await asyncio.gather(*(process.start() for process in processes))

        await asyncio.gather(change_payments(desk), kill_again_and_again(processes, receiver))

        async def all_done() -> bool:
            left = "SELECT count(*) FROM outbox WHERE relay_time IS NULL OR publish_time IS NULL"
            delivered = await desk.counts() == {"DELIVERED": SIZE.events}
            return delivered and await desk.pool.fetchval(left) == 0

        await until(all_done, seconds_max=SIZE.seconds_max)
        with record.outcome("relays", began) as figures:
            figures |= {"killed": SIZE.kills, "relays": SIZE.relays, "events": SIZE.events}
            figures["posted"] = len(receiver.received)
            stored = await desk.pool.fetch(
                "SELECT payment_id, sequence FROM outbox ORDER BY sequence"
            )
            expected = by_payment((row["payment_id"], row["sequence"]) for row in stored)
            assert sum(map(len, expected.values())) == SIZE.events
            arrived = by_payment((got.payment_id, got.sequence) for got in receiver.received)
            # Repeated ones, too, come before whatever follows them.
            assert all(sequences == sorted(sequences) for sequences in arrived.values())
            assert {payment: sorted(set(found)) for payment, found in arrived.items()} == expected
            assert await published(bus) == expected
