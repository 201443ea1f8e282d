"""Events and deliveries through WebhookService, as merchants read them."""

import grpc
import pytest
from google.protobuf.message import Message

from paygate.webhooks.v1 import webhook_pb2
from paygate.webhooks.v1 import webhook_service_pb2 as pb
from services.events.journal import JournalLimits
from tests.integration.events.api import (
    NO_ENDPOINT,
    NO_EVENT,
    OTHER_MERCHANT,
    URL,
    Api,
    RefusedError,
    listed,
    served,
)
from tests.integration.events.desk import Desk
from tests.integration.events.receiver import receiving

PENDING, DELIVERED, FAILED = (
    webhook_pb2.Delivery.STATUS_PENDING,
    webhook_pb2.Delivery.STATUS_DELIVERED,
    webhook_pb2.Delivery.STATUS_FAILED,
)


@pytest.mark.parametrize("size", [1, 2, 3, 100])
async def test_events_are_listed_newest_first(desk: Desk, api: Api, size: int) -> None:
    """Every page size gives every event once; filters are joined by "and"."""
    first = await desk.captured(await desk.authorized(), times=3)
    await desk.captured(await desk.authorized())
    events = await listed(api, size=size)
    assert sorted((event.id for event in events), reverse=True) == [event.id for event in events]
    assert len(events) == 6
    of_first = await listed(api, size=size, payment_id=first.id)
    assert [event.sequence for event in of_first] == sorted(
        (event.sequence for event in of_first), reverse=True
    )
    assert {event.data.payment.id for event in of_first} == {first.id}
    assert len(of_first) == 4
    captured = await listed(api, size=size, type="payment.captured")
    assert {event.type for event in captured} == {"payment.captured"}
    assert len(captured) == 4
    both = await listed(api, size=size, type="payment.captured", payment_id=first.id)
    assert len(both) == 3
    assert await listed(api, size=size, type="payment.voided") == []


async def test_events_are_followed_from_a_time_on(desk: Desk, api: Api) -> None:
    """Oldest first, and each page has a token that finds what comes later."""
    payment = await desk.captured(await desk.authorized())
    first, second = reversed(await listed(api))
    request = pb.ListEventsRequest(follow=True, page_size=1, created_after=second.create_time)
    page = await api.ask(request)
    assert list(page.events) == [second]
    for payment_id in (None, payment.id):
        every = pb.ListEventsRequest(follow=True, payment_id=payment_id)
        whole = await api.ask(every)
        assert list(whole.events)[:2] == [first, second]
        every.page_token = whole.next_page_token
        assert not (await api.ask(every)).events
        payment = await desk.captured(payment)
        (later,) = (await api.ask(every)).events
        assert later.sequence > second.sequence
    request.page_token = page.next_page_token
    assert len((await api.ask(request)).events) == 1
    before = pb.ListEventsRequest(created_before=second.create_time)
    assert list((await api.ask(before)).events) == [first]


async def test_a_rare_type_is_found_by_short_pages(desk: Desk, payments_database_url: str) -> None:
    """A page looks at so many events at most, and then goes on by its token."""
    payment = await desk.captured(await desk.authorized(), times=5)
    async with served(payments_database_url, limits=JournalLimits(looked_at_max=2)) as api:
        page = await api.ask(pb.ListEventsRequest(page_size=1, type="payment.authorized"))
        assert not page.events
        assert page.next_page_token
        for filters in ({}, {"payment_id": payment.id}):
            found = await listed(api, size=1, type="payment.authorized", **filters)
            assert [event.type for event in found] == ["payment.authorized"]


async def test_an_event_is_the_same_wherever_it_is_read(desk: Desk, api: Api) -> None:
    """One event is what the list shows, with the payment as it was then."""
    payment = await desk.captured(await desk.authorized())
    for event in await listed(api):
        assert (await api.ask(pb.GetEventRequest(id=event.id))).event == event
        captured = event.data.payment.captured.minor_units
        assert captured == (event.type == "payment.captured")
    assert event.data.payment.id == payment.id


async def test_a_token_belongs_to_its_filters(desk: Desk, api: Api) -> None:
    """The token of one list opens no other."""
    await desk.captured(await desk.authorized(), times=2)
    token = (await api.ask(pb.ListEventsRequest(page_size=1))).next_page_token
    for request in (
        pb.ListEventsRequest(page_token=token, type="payment.captured"),
        pb.ListWebhookEndpointsRequest(page_token=token),
    ):
        with pytest.raises(RefusedError, match="INVALID_PAGE_TOKEN"):
            await api.ask(request)


async def test_bad_filters_are_refused(api: Api) -> None:
    """A filter that can match nothing is an error, and not an empty list."""
    request = pb.ListEventsRequest(payment_id="pay_\0", type="payment.nope", page_size=101)
    with pytest.raises(RefusedError, match="VALIDATION_FAILED") as caught:
        await api.ask(request)
    assert caught.value.fields == {"payment_id", "type", "page_size"}


async def test_deliveries_say_what_became_of_an_event(desk: Desk, api: Api) -> None:
    """Each endpoint has its own status, tries and next try; pages are by endpoint."""
    async with receiving() as good, receiving(status=500) as bad:
        well = (await api.endpoint(url=good.url)).endpoint.id
        ill = (await api.endpoint(url=bad.url)).endpoint.id
        await api.endpoint(event_types=["payment.voided"])
        await desk.authorized()
        await desk.process()
    (event,) = await listed(api)
    whole = await api.ask(pb.ListDeliveriesRequest(id=event.id))
    found = {delivery.endpoint_id: delivery for delivery in whole.deliveries}
    assert set(found) == {well, ill}
    assert (found[well].status, found[well].attempts) == (DELIVERED, 1)
    assert (found[well].last_status_code, found[well].last_error) == (200, "")
    assert not found[well].HasField("next_attempt_time")
    assert (found[ill].status, found[ill].attempts) == (PENDING, 1)
    assert (found[ill].last_status_code, found[ill].last_error) == (500, "http 500")
    assert found[ill].HasField("next_attempt_time")
    first = await api.ask(pb.ListDeliveriesRequest(id=event.id, page_size=1))
    second = await api.ask(
        pb.ListDeliveriesRequest(id=event.id, page_size=1, page_token=first.next_page_token)
    )
    assert [*first.deliveries, *second.deliveries] == [found[one] for one in sorted(found)]
    assert not second.next_page_token


def requests_with_id(event_id: str) -> list[Message]:
    """Return every request that names an event."""
    return [
        pb.GetEventRequest(id=event_id),
        pb.ListDeliveriesRequest(id=event_id),
        pb.RedeliverEventRequest(id=event_id),
    ]


async def test_another_merchants_event_looks_like_none(desk: Desk, api: Api) -> None:
    """Whatever the id is that is not mine, each request gets the same bytes."""
    await desk.authorized(merchant_id=OTHER_MERCHANT)
    theirs = await api.ask(pb.ListEventsRequest(), merchant_id=OTHER_MERCHANT)
    (event,) = theirs.events
    assert await listed(api) == []
    assert await listed(api, payment_id=event.data.payment.id) == []
    bodies = set()
    for event_id in (event.id, NO_EVENT, "evt_", "we_1", "naïve ☕", "a\0b"):
        for request in requests_with_id(event_id):
            with pytest.raises(RefusedError, match="EVENT_NOT_FOUND") as caught:
                await api.ask(request)
            assert caught.value.code is grpc.StatusCode.NOT_FOUND
            bodies.add(caught.value.body)
    assert len(bodies) == 1


async def test_an_event_goes_to_no_other_merchants_endpoint(desk: Desk, api: Api) -> None:
    """An endpoint of another merchant cannot be named, and looks like none."""
    theirs = (await api.endpoint(url=URL, merchant_id=OTHER_MERCHANT)).endpoint.id
    await desk.authorized()
    (event,) = await listed(api)
    bodies = set()
    for endpoint_id in (theirs, NO_ENDPOINT, "no id", "a\0b"):
        with pytest.raises(RefusedError, match="WEBHOOK_ENDPOINT_NOT_FOUND") as caught:
            await api.ask(pb.RedeliverEventRequest(id=event.id, endpoint_id=endpoint_id))
        bodies.add(caught.value.body)
    assert len(bodies) == 1
