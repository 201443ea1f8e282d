"""Events as they come, over streams of both kinds of servers."""

import asyncio
import time
from collections.abc import AsyncIterator

import grpc
import pytest

from paygate.webhooks.v1 import webhook_service_pb2 as pb
from pkg.grpc.servers.make import ServerKind
from services.events.watching import WatchLimits
from tests.builders import MERCHANT
from tests.integration.events.api import OTHER_MERCHANT, Api, listed, served
from tests.integration.events.desk import Desk, until

SOON = 0.5
LIMITS = WatchLimits(in_all_max=7, heartbeat_seconds=0.3)
# More than gRPC and the kernel keep on its way for a client that does not read.
MANY = 3_000


@pytest.fixture(params=list(ServerKind))
async def watched(payments_database_url: str, request: pytest.FixtureRequest) -> AsyncIterator[Api]:
    """The service, on a server of each kind."""
    async with served(payments_database_url, watching=LIMITS, kind=request.param) as client:
        yield client


async def test_an_event_is_told_soon(desk: Desk, watched: Api) -> None:
    """At first there is a sign of life, then each event of the merchant in half a second."""
    await desk.authorized()
    began = time.monotonic()
    watching = watched.watch()
    await watching.begun()
    assert time.monotonic() - began < SOON
    payment = await desk.authorized()
    told = []
    for _ in range(3):
        committed = time.monotonic()
        told.append((await watching.event()).event)
        assert time.monotonic() - committed < SOON
        assert told[-1].data.payment.id == payment.id
        payment = await desk.captured(payment)
    told.append((await watching.event()).event)
    assert told == (await listed(watched))[3::-1]


async def test_signs_of_life_have_the_place(desk: Desk, watched: Api) -> None:
    """They come when there is nothing else, and whoever goes on after one misses nothing."""
    watching = watched.watch(type="payment.voided")
    first = await watching.begun()
    await desk.authorized()
    began = time.monotonic()
    _, _, later = [await watching.begun() for _ in range(3)]
    assert time.monotonic() - began < 3 * LIMITS.heartbeat_seconds + SOON
    # Events that are not wanted were looked at, and need not be again.
    assert later.cursor != first.cursor
    assert (await watched.watch(cursor=first.cursor, type="payment.voided").begun()).cursor


async def test_nothing_is_missed_and_nothing_comes_twice(desk: Desk, watched: Api) -> None:
    """Whoever goes on after the last message that was read has all events once, in order."""
    watching = watched.watch()
    first = await watching.begun()
    watching.call.cancel()

    async def pay() -> None:
        for _ in range(5):
            await desk.captured(await desk.authorized(), times=3)

    paying = asyncio.gather(*(pay() for _ in range(4)))
    cursor, seen = first.cursor, list[str]()
    while len(seen) < 80:
        watching = watched.watch(cursor=cursor)
        for _ in range(7):
            message = await watching.next()
            cursor = message.cursor
            seen += [message.event.id] if message.HasField("event") else []
        watching.call.cancel()
        await until(lambda: not watched.watches._open, seconds_max=5)
    await paying
    assert seen == [event.id for event in reversed(await listed(watched))]


async def test_filters_are_joined(desk: Desk, watched: Api) -> None:
    """By payment and by type, live and from a place on; a cursor is of its filters."""
    payment, other = await desk.authorized(), await desk.authorized()
    wanted = {"payment_id": payment.id, "type": "payment.captured"}
    watching, of_payment = watched.watch(**wanted), watched.watch(payment_id=payment.id)
    begun = [await one.begun() for one in (watching, of_payment)]
    await desk.captured(other)
    await desk.captured(payment, times=2)
    for one in (watching, of_payment, watched.watch(**wanted, cursor=begun[0].cursor)):
        found = [(await one.event()).event for _ in range(2)]
        assert {event.data.payment.id for event in found} == {payment.id}
        assert {event.type for event in found} == {"payment.captured"}
    for wrong in ({}, {"payment_id": payment.id}, {"merchant_id": OTHER_MERCHANT, **wanted}):
        refused = await watched.watch(cursor=begun[0].cursor, **wrong).refused()
        assert refused.reason == "INVALID_PAGE_TOKEN"


@pytest.mark.parametrize("fields", [{"payment_id": "pay_1"}, {"payment_id": ""}, {"type": "no"}])
async def test_bad_filters_are_refused(watched: Api, fields: dict[str, str]) -> None:
    """By their names, before anything else."""
    refused = await watched.watch(**fields).refused()
    assert (refused.reason, refused.fields) == ("VALIDATION_FAILED", set(fields))


async def test_another_merchants_events_are_nobodys(desk: Desk, watched: Api) -> None:
    """Neither all of them, nor those of a payment that is theirs."""
    payment = await desk.authorized()
    theirs = [
        watched.watch(merchant_id=OTHER_MERCHANT, **fields)
        for fields in ({}, {"payment_id": payment.id})
    ]
    own = watched.watch()
    await asyncio.gather(*(one.begun() for one in (*theirs, own)))
    await desk.captured(payment)
    await own.event()
    for one in theirs:
        for _ in range(3):
            await one.begun()


async def test_there_are_so_many_of_a_merchant_and_in_all(watched: Api) -> None:
    """What is too much is refused, and the place of one that has ended is free again."""
    open_ones = [watched.watch() for _ in range(LIMITS.of_merchant_max)]
    await asyncio.gather(*(one.begun() for one in open_ones))
    refused = await watched.watch().refused()
    assert (refused.code, refused.reason) == (
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "WATCH_LIMIT",
    )
    others = [watched.watch(merchant_id=OTHER_MERCHANT) for _ in range(2)]
    await asyncio.gather(*(one.begun() for one in others))
    refused = await watched.watch(merchant_id=OTHER_MERCHANT).refused()
    assert (refused.code, refused.reason) == (grpc.StatusCode.UNAVAILABLE, "OVERLOADED")
    open_ones.pop().call.cancel()
    await until(lambda: len(watched.watches._open) == LIMITS.in_all_max - 1, seconds_max=5)
    await watched.watch().begun()


async def test_the_servers_end_ends_them(watched: Api) -> None:
    """At once, so that clients go on elsewhere; and none begins any more."""
    open_ones = [watched.watch() for _ in range(3)]
    await asyncio.gather(*(one.begun() for one in open_ones))
    watched.watches.close()
    for one in (*open_ones, watched.watch()):
        refused = await one.refused(seconds_max=1)
        assert (refused.code, refused.reason) == (grpc.StatusCode.UNAVAILABLE, "WATCH_ENDED")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE api_keys SET revoke_time = now() WHERE merchant_id = $1",
        "UPDATE merchants SET disable_time = now() WHERE id = $1",
    ],
)
async def test_a_key_that_is_good_no_more_ends_it(desk: Desk, api: Api, statement: str) -> None:
    """In seconds, and of that merchant alone."""
    watching, other = api.watch(), api.watch(merchant_id=OTHER_MERCHANT)
    await asyncio.gather(watching.begun(), other.begun())
    await desk.pool.execute(statement, MERCHANT)
    refused = await watching.refused(seconds_max=7)
    assert refused.reason == "INVALID_API_KEY"
    await other.begun()


async def test_who_does_not_read_holds_nothing(desk: Desk, watched: Api) -> None:
    """Others are served meanwhile, and whoever reads after all has everything."""
    begun = await watched.watch().begun()
    payment = await desk.captured(await desk.authorized())
    await multiplied(desk, payment.id, MANY)
    stuck = [watched.watch(cursor=begun.cursor) for _ in range(LIMITS.of_merchant_max - 1)]
    await asyncio.gather(*(one.begun() for one in stuck))
    began = time.monotonic()
    for _ in range(20):
        await watched.ask(pb.ListEventsRequest(page_size=1), merchant_id=OTHER_MERCHANT)
    assert time.monotonic() - began < 2
    found = {(await stuck[0].event()).cursor for _ in range(MANY)}
    assert len(found) == MANY


async def multiplied(desk: Desk, payment_id: str, times: int) -> None:
    """Have so many events like the last one of a payment."""
    await desk.pool.execute(
        """
        INSERT INTO outbox
        SELECT (jsonb_populate_record(o, jsonb_build_object(
          'id', 'evt_' || lpad(n::text, 26, '0'), 'sequence', 1000 + n,
          'commit_order', own_commit_order()))).*
        FROM outbox o, generate_series(1, $2::bigint) n
        WHERE payment_id = $1 AND type = 'payment.captured'
        """,
        payment_id,
        times,
    )
