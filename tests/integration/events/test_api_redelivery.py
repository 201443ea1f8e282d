"""Redelivery through WebhookService: one event, or all that failed."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from paygate.webhooks.v1 import webhook_pb2
from paygate.webhooks.v1 import webhook_service_pb2 as pb
from pkg.grpc.limits import CallerLimits
from pkg.grpc.shares import Shares
from services.events.journal import JournalLimits
from services.events.outbox import SQL
from tests.builders import MERCHANT
from tests.integration.events.api import (
    CONNECTIONS,
    OTHER_MERCHANT,
    URL,
    Api,
    RefusedError,
    listed,
    served,
)
from tests.integration.events.desk import Desk, until
from tests.integration.events.receiver import receiving

PENDING, DELIVERED, FAILED = (
    webhook_pb2.Delivery.STATUS_PENDING,
    webhook_pb2.Delivery.STATUS_DELIVERED,
    webhook_pb2.Delivery.STATUS_FAILED,
)


async def deliveries(api: Api, event_id: str) -> list[Any]:
    """Return what became of an event."""
    return list((await api.ask(pb.ListDeliveriesRequest(id=event_id))).deliveries)


def since(time: datetime, endpoint_id: str) -> pb.RedeliverFailedEventsRequest:
    """Return the request for what failed since then."""
    timestamp = Timestamp()
    timestamp.FromDatetime(time)
    return pb.RedeliverFailedEventsRequest(id=endpoint_id, since=timestamp)


async def test_an_event_is_delivered_once_more(desk: Desk, api: Api) -> None:
    """Delivered or waiting for its next try, it goes again at once with all its tries ahead."""
    async with receiving() as good, receiving(status=500) as bad:
        await api.endpoint(url=good.url)
        await api.endpoint(url=bad.url)
        await desk.authorized()
        await desk.process()
        (event,) = await listed(api)
        bad.status = 200
        reply = await api.ask(pb.RedeliverEventRequest(id=event.id))
        assert [(one.status, one.attempts) for one in reply.deliveries] == [(PENDING, 0)] * 2
        assert await desk.process() == 2
        assert [one.id for one in good.received] == [event.id] * 2
        assert [one.id for one in bad.received] == [event.id] * 2
    for delivery in await deliveries(api, event.id):
        assert (delivery.status, delivery.attempts) == (DELIVERED, 1)


async def test_a_later_endpoint_gets_an_earlier_event(desk: Desk, api: Api) -> None:
    """An endpoint that is named gets any event, even one of before its time or not of its types."""
    await desk.authorized()
    await desk.process()
    (event,) = await listed(api)
    async with receiving() as late:
        other = await api.endpoint(url=late.url, event_types=["payment.voided"])
        reply = await api.ask(pb.RedeliverEventRequest(id=event.id))
        assert not reply.deliveries
        named = pb.RedeliverEventRequest(id=event.id, endpoint_id=other.endpoint.id)
        (delivery,) = (await api.ask(named)).deliveries
        assert delivery.endpoint_id == other.endpoint.id
        await desk.process()
        assert [one.id for one in late.received] == [event.id]


async def test_a_redelivery_waits_for_nobody_ahead(desk: Desk, api: Api) -> None:
    """What waits ahead in the same stream is tried at once too, and order is kept."""
    async with receiving(status=500) as receiver:
        await api.endpoint(url=receiver.url)
        payment = await desk.captured(await desk.authorized())
        await desk.process()
        assert len(receiver.received) == 1
        receiver.status, receiver.received = 200, []
        newest, _ = await listed(api, payment_id=payment.id)
        await api.ask(pb.RedeliverEventRequest(id=newest.id))
        await desk.process()
        sequences = [one.sequence for one in receiver.received]
        assert len(sequences) == 2
        assert sequences == sorted(sequences)


async def test_what_failed_since_a_time_is_delivered_once_more(desk: Desk, api: Api) -> None:
    """Failed deliveries of events from that time on, to that endpoint, and no others."""
    one, other = [(await api.endpoint()).endpoint.id for _ in range(2)]
    begin = datetime.now(UTC)
    await desk.authorized()
    middle = datetime.now(UTC)
    payment = await desk.captured(await desk.authorized(), times=2)
    await desk.relay.run_once()
    await desk.pool.execute(
        "UPDATE webhook_deliveries SET status = 'FAILED', due_time = NULL, attempts = 10"
    )
    assert (await api.ask(since(datetime.now(UTC), one))).count == 0
    assert (await api.ask(since(middle, one))).count == 3
    assert (await api.ask(since(begin, one))).count == 1
    assert (await api.ask(since(datetime(1, 1, 1, tzinfo=UTC), one))).count == 0
    rows = await desk.deliveries()
    assert {row["status"] for row in rows if row["endpoint_id"] == other} == {"FAILED"}
    mine = [row for row in rows if row["endpoint_id"] == one]
    assert {(row["status"], row["attempts"]) for row in mine} == {("PENDING", 0)}
    assert len([row for row in mine if row["payment_id"] == payment.id]) == 3


async def test_much_that_failed_goes_in_batches(desk: Desk, payments_database_url: str) -> None:
    """Any number is found by batches, up to a bound, and asking again goes on."""
    limits = JournalLimits(redelivered_batch=2, redelivered_batches_max=2)
    async with served(payments_database_url, limits=limits) as api:
        endpoint_id = (await api.endpoint()).endpoint.id
        begin = datetime.now(UTC) - timedelta(seconds=1)
        await desk.captured(await desk.authorized(), times=4)
        await desk.relay.run_once()
        await desk.pool.execute("UPDATE webhook_deliveries SET status = 'FAILED', due_time = NULL")
        assert (await api.ask(since(begin, endpoint_id))).count == 4
        assert (await api.ask(since(begin, endpoint_id))).count == 1
    assert await desk.counts() == {"PENDING": 5}


async def test_a_disabled_endpoint_gets_nothing_once_more(desk: Desk, api: Api) -> None:
    """Redelivery to a disabled endpoint is refused when it is named, and skips it when not."""
    endpoint_id = (await api.endpoint()).endpoint.id
    await desk.authorized()
    (event,) = await listed(api)
    disabled = webhook_pb2.WebhookEndpoint.STATUS_DISABLED
    await api.ask(pb.UpdateWebhookEndpointRequest(id=endpoint_id, status=disabled))
    for request in (
        pb.RedeliverEventRequest(id=event.id, endpoint_id=endpoint_id),
        since(datetime.now(UTC), endpoint_id),
    ):
        with pytest.raises(RefusedError, match="WEBHOOK_ENDPOINT_DISABLED") as caught:
            await api.ask(request)
        assert caught.value.code is grpc.StatusCode.FAILED_PRECONDITION
    assert not (await api.ask(pb.RedeliverEventRequest(id=event.id))).deliveries


async def test_a_time_is_given(api: Api) -> None:
    """What failed is asked for since a time, and the time is one."""
    endpoint_id = (await api.endpoint()).endpoint.id
    for request in (
        pb.RedeliverFailedEventsRequest(id=endpoint_id),
        pb.RedeliverFailedEventsRequest(id=endpoint_id, since=Timestamp(seconds=10**15)),
    ):
        with pytest.raises(RefusedError, match="VALIDATION_FAILED") as caught:
            await api.ask(request)
        assert caught.value.fields == {"since"}


async def test_a_merchant_that_waits_leaves_connections_to_others(
    desk: Desk, payments_database_url: str
) -> None:
    """Whatever it asks for more often than there are connections, and however long that takes."""
    shares = Shares(waiting_max=64, wait_seconds_max=5)
    callers = CallerLimits(reads=shares)
    async with served(payments_database_url, callers=callers) as api:
        endpoint_id = (await api.endpoint()).endpoint.id
        theirs = (await api.endpoint(merchant_id=OTHER_MERCHANT)).endpoint.id
        await desk.authorized()
        (event,) = await listed(api)
        await desk.relay.run_once()
        fail_all = "UPDATE webhook_deliveries SET status = 'FAILED', due_time = NULL"
        for request in (
            pb.RedeliverEventRequest(id=event.id),
            since(datetime(1, 1, 1, tzinfo=UTC), endpoint_id),
            pb.CreateWebhookEndpointRequest(url=URL),
            pb.RotateWebhookSecretRequest(id=endpoint_id),
        ):
            await desk.pool.execute(fail_all)
            async with desk.pool.acquire() as connection, connection.transaction():
                await connection.execute(SQL["api_lock_merchant"], MERCHANT)
                await connection.execute("SELECT FROM webhook_deliveries FOR UPDATE")
                await connection.execute(SQL["api_lock_endpoint"], MERCHANT, endpoint_id)
                asking = [asyncio.create_task(api.ask(request)) for _ in range(2 * CONNECTIONS)]
                await until_some_wait(desk)
                got = pb.GetWebhookEndpointRequest(id=theirs)
                async with asyncio.timeout(1):
                    await api.ask(got, merchant_id=OTHER_MERCHANT)
                    await api.ask(pb.ListEventsRequest(), merchant_id=OTHER_MERCHANT)
            await asyncio.gather(*asking, return_exceptions=True)


async def until_some_wait(desk: Desk) -> None:
    """Wait until a statement waits for another's lock."""

    async def some() -> bool:
        return bool(await desk.pool.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"))

    await until(some, seconds_max=5)
