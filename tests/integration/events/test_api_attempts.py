"""What merchants read of each try to deliver an event, and of all that went to an endpoint."""

from typing import Any

import grpc
import pytest

from paygate.webhooks.v1 import webhook_pb2
from paygate.webhooks.v1 import webhook_service_pb2 as pb
from services.events.journal import JournalLimits
from services.events.outbox import SQL
from services.events.schedule import DELAYS
from tests.integration.events.api import (
    NO_ENDPOINT,
    OTHER_MERCHANT,
    URL,
    Api,
    RefusedError,
    listed,
    served,
)
from tests.integration.events.desk import Desk
from tests.integration.events.raw_receiver import answering
from tests.integration.events.receiver import receiving

KEPT = 50
FAILED = webhook_pb2.Delivery.STATUS_FAILED
FAIL = "UPDATE webhook_deliveries SET status = 'FAILED', due_time = NULL WHERE event_id = $1"


async def attempts(api: Api, event_id: str, endpoint_id: str, *, size: int = 100) -> list[Any]:
    """Return all attempts, page by page."""
    found: list[Any] = []
    token = ""
    while True:
        request = pb.ListDeliveryAttemptsRequest(
            id=event_id, endpoint_id=endpoint_id, page_size=size, page_token=token
        )
        page = await api.ask(request)
        assert len(page.attempts) <= size
        found += page.attempts
        token = page.next_page_token
        if not token:
            return found


async def of_endpoint(
    api: Api, endpoint_id: str, *, size: int = 100, status: Any = 0
) -> tuple[list[Any], int]:
    """Return all deliveries to an endpoint, page by page, and how many pages there were."""
    found: list[Any] = []
    token, pages = "", 0
    while True:
        request = pb.ListEndpointDeliveriesRequest(
            id=endpoint_id, status=status, page_size=size, page_token=token
        )
        page = await api.ask(request)
        found += page.deliveries
        pages += 1
        token = page.next_page_token
        if not token:
            return found, pages


async def test_each_try_is_kept(desk: Desk, api: Api) -> None:
    """When it began, how long it took, what was answered; redelivery goes on counting."""
    async with receiving(status=500) as receiver:
        endpoint_id = (await api.endpoint(url=receiver.url)).endpoint.id
        await desk.authorized()
        await desk.process()
        await desk.advance(DELAYS[0])
        await desk.process()
        (event,) = await listed(api)
        receiver.status = 200
        await api.ask(pb.RedeliverEventRequest(id=event.id))
        await desk.process()
    found = await attempts(api, event.id, endpoint_id)
    assert [one.number for one in found] == [3, 2, 1]
    assert [one.status_code for one in found] == [200, 500, 500]
    assert [one.error for one in found] == ["", "http 500", "http 500"]
    assert {one.reply for one in found} == {"thanks"}
    third, second, first = [one.create_time.ToDatetime() for one in found]
    assert DELAYS[0] <= second - first  # by the sandbox's clock
    assert second <= third
    assert all(0 < one.duration.ToTimedelta().total_seconds() < 5 for one in found)
    assert await attempts(api, event.id, endpoint_id, size=1) == found


async def test_a_try_without_an_answer_says_why(desk: Desk, api: Api) -> None:
    """There is neither a status nor a reply."""
    endpoint_id = (await api.endpoint(url=URL)).endpoint.id
    await desk.authorized()
    await desk.process()
    (event,) = await listed(api)
    (found,) = await attempts(api, event.id, endpoint_id)
    assert (found.status_code, found.error, found.reply) == (0, "connection refused", "")


async def test_a_reply_is_kept_without_what_could_harm(desk: Desk, api: Api) -> None:
    """Neither a NUL, which no database takes, nor what looks like a card's number."""
    body = b"\0\xff\x1b[1m 4242 4242 4242 4242 " + b"x" * 3_000
    answer = b"HTTP/1.1 400 No\r\ncontent-length: %d\r\n\r\n" % len(body) + body
    async with answering(answer) as receiver:
        endpoint_id = (await api.endpoint(url=receiver.base)).endpoint.id
        await desk.authorized()
        await desk.process()
    (event,) = await listed(api)
    (found,) = await attempts(api, event.id, endpoint_id)
    assert found.reply.startswith("\ufffd\ufffd\ufffd[1m ***************4242 xxx")
    assert len(found.reply.encode()) == 1024
    stored = await desk.pool.fetchval("SELECT reply FROM webhook_attempts")
    assert stored == found.reply


async def test_the_last_fifty_are_kept(desk: Desk, api: Api) -> None:
    """However often an event is redelivered; numbers go on."""
    async with receiving() as receiver:
        endpoint_id = (await api.endpoint(url=receiver.url)).endpoint.id
        await desk.authorized()
        await desk.process()
        (event,) = await listed(api)
        for _ in range(KEPT + 2):
            await api.ask(pb.RedeliverEventRequest(id=event.id))
            await desk.process()
    found = await attempts(api, event.id, endpoint_id, size=20)
    assert [one.number for one in found] == list(range(KEPT + 3, 3, -1))


async def test_attempts_go_with_their_event(desk: Desk, api: Api) -> None:
    """What is removed for its age leaves nothing behind."""
    async with receiving() as receiver:
        await api.endpoint(url=receiver.url)
        await desk.authorized()
        await desk.process()
    count = "SELECT count(*) FROM webhook_attempts"
    assert await desk.pool.fetchval(count) == 1
    await desk.pool.execute("UPDATE outbox SET create_time = create_time - interval '1 year'")
    await desk.relay.remove_old()
    assert await desk.pool.fetchval("SELECT count(*) FROM webhook_deliveries") == 0
    assert await desk.pool.fetchval(count) == 0


async def test_attempts_go_with_their_endpoint(desk: Desk, api: Api) -> None:
    """They are not shown from then on, and removed by and by; other endpoints keep theirs."""
    async with receiving() as receiver:
        gone, stays = [(await api.endpoint(url=receiver.url)).endpoint.id for _ in range(2)]
        await desk.captured(await desk.authorized(), times=2)
        await desk.process()
    (event, *_) = await listed(api)
    await api.ask(pb.DeleteWebhookEndpointRequest(id=gone))
    with pytest.raises(RefusedError, match="WEBHOOK_ENDPOINT_NOT_FOUND"):
        await attempts(api, event.id, gone)
    assert await desk.pool.fetchval(SQL["remove_attempts"], 2) == 2
    assert await desk.pool.fetchval(SQL["remove_attempts"], 2) == 1
    await desk.relay.remove_old()
    left = await desk.pool.fetch("SELECT endpoint_id FROM webhook_attempts")
    assert [row["endpoint_id"] for row in left] == [stays] * 3


async def test_what_is_not_mine_is_not_there(desk: Desk, api: Api) -> None:
    """Another merchant's event and endpoint look as if they never were."""
    theirs = (await api.endpoint(merchant_id=OTHER_MERCHANT)).endpoint.id
    await desk.authorized(merchant_id=OTHER_MERCHANT)
    await desk.process()
    listing = await api.ask(pb.ListEventsRequest(), merchant_id=OTHER_MERCHANT)
    (event,) = listing.events
    mine = (await api.endpoint()).endpoint.id
    with pytest.raises(RefusedError, match="EVENT_NOT_FOUND") as caught:
        await attempts(api, event.id, mine)
    assert caught.value.code is grpc.StatusCode.NOT_FOUND
    await desk.authorized()
    await desk.relay.run_once()
    (own,) = await listed(api)
    for endpoint_id in (theirs, NO_ENDPOINT, "we_"):
        for request in (
            pb.ListEndpointDeliveriesRequest(id=endpoint_id),
            pb.ListDeliveryAttemptsRequest(id=own.id, endpoint_id=endpoint_id),
        ):
            with pytest.raises(RefusedError, match="WEBHOOK_ENDPOINT_NOT_FOUND"):
                await api.ask(request)


async def test_deliveries_to_an_endpoint_are_listed(desk: Desk, api: Api) -> None:
    """The newest event first, with what the event is about; of one status, if that is wanted."""
    endpoint_id = (await api.endpoint()).endpoint.id
    await api.endpoint(url=URL)
    payment = await desk.captured(await desk.authorized(), times=4)
    await desk.relay.run_once()
    events = await listed(api)
    found, _ = await of_endpoint(api, endpoint_id)
    assert [one.event_id for one in found] == [event.id for event in events]
    assert [one.event_type for one in found] == [event.type for event in events]
    assert [one.create_time for one in found] == [event.create_time for event in events]
    assert {(one.endpoint_id, one.payment_id) for one in found} == {(endpoint_id, payment.id)}
    assert await of_endpoint(api, endpoint_id, size=2) == (found, 3)
    for event in (events[0], events[3]):
        await desk.pool.execute(FAIL, event.id)
    failed, _ = await of_endpoint(api, endpoint_id, status=FAILED)
    assert [one.event_id for one in failed] == [events[0].id, events[3].id]
    assert await of_endpoint(api, endpoint_id, status=FAILED, size=1) == (failed, 2)
    (delivery, _) = (await api.ask(pb.ListDeliveriesRequest(id=events[0].id))).deliveries
    assert delivery in failed


async def test_a_rare_status_costs_no_more_than_a_frequent_one(
    desk: Desk, payments_database_url: str
) -> None:
    """A page looks at so many deliveries and no more, and says that the list goes on."""
    limits = JournalLimits(looked_at_max=2)
    async with served(payments_database_url, limits=limits) as api:
        endpoint_id = (await api.endpoint()).endpoint.id
        await desk.captured(await desk.authorized(), times=5)
        await desk.relay.run_once()
        events = await listed(api)
        await desk.pool.execute(
            "UPDATE webhook_deliveries SET status = 'DELIVERED', due_time = NULL"
            " WHERE event_id = $1",
            events[-1].id,
        )
        delivered = webhook_pb2.Delivery.STATUS_DELIVERED
        found, pages = await of_endpoint(api, endpoint_id, status=delivered)
        assert [one.event_id for one in found] == [events[-1].id]
        assert pages == 3 + 1  # the last one looked at as many as it may


async def test_a_page_is_of_its_own_list(desk: Desk, api: Api) -> None:
    """A token is of one endpoint and one status, or of one delivery."""
    one, other = [(await api.endpoint()).endpoint.id for _ in range(2)]
    await desk.captured(await desk.authorized())
    await desk.relay.run_once()
    first = await api.ask(pb.ListEndpointDeliveriesRequest(id=one, page_size=1))
    (event, _) = await listed(api)
    for request in (
        pb.ListEndpointDeliveriesRequest(id=other, page_token=first.next_page_token),
        pb.ListEndpointDeliveriesRequest(id=one, status=FAILED, page_token=first.next_page_token),
        pb.ListDeliveryAttemptsRequest(
            id=event.id, endpoint_id=one, page_token=first.next_page_token
        ),
    ):
        with pytest.raises(RefusedError, match="INVALID_PAGE_TOKEN"):
            await api.ask(request)
    with pytest.raises(RefusedError, match="VALIDATION_FAILED") as caught:
        await api.ask(pb.ListEndpointDeliveriesRequest(status=99, page_size=101))  # type: ignore[arg-type]
    assert caught.value.fields == {"id", "status", "page_size"}
