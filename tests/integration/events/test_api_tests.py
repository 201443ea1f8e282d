"""Test events: sent to one endpoint, as all events are, about no payment."""

import asyncio
import json

import asyncpg
import pytest
from google.protobuf import json_format
from standardwebhooks import Webhook

from paygate.webhooks.v1 import webhook_pb2
from paygate.webhooks.v1 import webhook_service_pb2 as pb
from paygate_client import EventType, webhooks
from pkg.postgres.sql import open_pool
from pkg.postgres.tenancy import MerchantPool
from tests.builders import MERCHANT
from tests.database import as_part
from tests.integration.events.api import NO_ENDPOINT, OTHER_MERCHANT, Api, RefusedError, listed
from tests.integration.events.desk import Desk
from tests.integration.events.receiver import receiving

DELIVERED = webhook_pb2.Delivery.STATUS_DELIVERED
FORGED = """
INSERT INTO outbox (merchant_id, id, payment_id, sequence, type, payload, create_time)
SELECT $1, 'evt_forged', 'pay_1', 1, 'payment.captured', '', now()
"""


async def test_a_test_goes_to_one_endpoint_signed(desk: Desk, api: Api) -> None:
    """The receiver verifies it, reads it with the client, and finds no payment in it."""
    async with receiving() as one, receiving() as other:
        made = await api.endpoint(url=one.url, event_types=["payment.voided"])
        await api.endpoint(url=other.url)
        sent = await api.ask(pb.SendTestEventRequest(id=made.endpoint.id))
        assert await desk.process() == 1
    (got,) = one.received
    assert other.received == []
    shown = json_format.MessageToDict(
        sent.event, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )
    assert Webhook(made.secret).verify(got.body, got.headers) == shown == json.loads(got.body)
    assert "data" not in shown
    event = webhooks.verify(got.body, got.headers, made.secret)
    assert (event.type, event.payment, event.action) == (EventType.TEST, None, None)
    assert (event.id, sent.delivery.event_id) == (sent.event.id, sent.event.id)
    assert (sent.delivery.event_type, sent.delivery.payment_id) == ("webhook.test", "")
    deliveries = await api.ask(pb.ListDeliveriesRequest(id=sent.event.id))
    (delivery,) = deliveries.deliveries
    assert (delivery.status, delivery.payment_id) == (DELIVERED, "")
    assert delivery.create_time == sent.event.create_time


async def test_a_test_that_is_not_taken_holds_back_nothing(desk: Desk, api: Api) -> None:
    """Neither another test nor a payment's event; it is tried again, and redelivered, as any."""
    async with receiving(status=500) as receiver:
        endpoint_id = (await api.endpoint(url=receiver.url)).endpoint.id
        first = await api.ask(pb.SendTestEventRequest(id=endpoint_id))
        await desk.process()
        assert first.event.id in {one.id for one in receiver.received}
        receiver.status = 200
        second = await api.ask(pb.SendTestEventRequest(id=endpoint_id))
        await desk.authorized()
        await desk.process()
        assert second.event.id in {one.id for one in receiver.received}
        assert await desk.counts() == {"PENDING": 1, "DELIVERED": 2}
        await api.ask(pb.RedeliverEventRequest(id=first.event.id, endpoint_id=endpoint_id))
        await desk.process()
    assert await desk.counts() == {"DELIVERED": 3}


async def test_tests_are_listed_with_all_events(desk: Desk, api: Api) -> None:
    """As the newest, by their type; and they are removed like all others."""
    endpoint_id = (await api.endpoint()).endpoint.id
    await desk.authorized()
    sent = await api.ask(pb.SendTestEventRequest(id=endpoint_id))
    assert [event.type for event in await listed(api)] == ["webhook.test", "payment.authorized"]
    assert await listed(api, type="webhook.test") == [sent.event]
    got = await api.ask(pb.GetEventRequest(id=sent.event.id))
    assert got.event == sent.event
    assert not got.event.HasField("data")
    await desk.pool.execute("UPDATE webhook_deliveries SET status = 'FAILED', due_time = NULL")
    await desk.pool.execute("UPDATE outbox SET create_time = create_time - interval '1 year'")
    await desk.relay.remove_old()
    assert await listed(api, type="webhook.test") == []


async def test_a_test_is_not_published(desk: Desk, api: Api) -> None:
    """The bus tells of payments."""
    endpoint_id = (await api.endpoint()).endpoint.id
    await api.ask(pb.SendTestEventRequest(id=endpoint_id))
    waiting = "SELECT count(*) FROM outbox WHERE publish_time IS NULL OR relay_time IS NULL"
    assert await desk.pool.fetchval(waiting) == 0


async def test_an_endpoint_that_gets_nothing_gets_no_test(desk: Desk, api: Api) -> None:
    """One that is disabled, another merchant's, and none."""
    endpoint_id = (await api.endpoint()).endpoint.id
    disabled = webhook_pb2.WebhookEndpoint.STATUS_DISABLED
    await api.ask(pb.UpdateWebhookEndpointRequest(id=endpoint_id, status=disabled))
    theirs = (await api.endpoint(merchant_id=OTHER_MERCHANT)).endpoint.id
    for asked, reason in (
        (endpoint_id, "WEBHOOK_ENDPOINT_DISABLED"),
        (theirs, "WEBHOOK_ENDPOINT_NOT_FOUND"),
        (NO_ENDPOINT, "WEBHOOK_ENDPOINT_NOT_FOUND"),
    ):
        with pytest.raises(RefusedError, match=reason):
            await api.ask(pb.SendTestEventRequest(id=asked))
    assert await desk.pool.fetchval("SELECT count(*) FROM outbox") == 0


async def test_tests_are_rationed(api: Api) -> None:
    """Each is work for a relay, as a redelivery is."""
    endpoint_id = (await api.endpoint()).endpoint.id
    asked = (api.ask(pb.SendTestEventRequest(id=endpoint_id)) for _ in range(200))
    replies = await asyncio.gather(*asked, return_exceptions=True)
    assert "RATE_LIMITED" in {reply.reason for reply in replies if isinstance(reply, RefusedError)}


async def test_the_api_makes_no_other_event(payments_database_url: str) -> None:
    """Its role can write tests and nothing that tells of a payment."""
    url = as_part(payments_database_url, "paygate_webhooks")
    async with await open_pool(url, size=1, command_timeout_seconds=5, name="test") as pool:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
            await MerchantPool(pool).fetch(FORGED, MERCHANT)
