"""Events as they come, through the edge: over REST, as a page in a browser reads them, and gRPC."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import grpc
import httpx2 as httpx
import pytest
from grpc import aio

from paygate.admin.v1 import admin_service_pb2 as admin
from paygate.webhooks.v1 import webhook_service_pb2 as pb
from paygate.webhooks.v1.webhook_service_pb2_grpc import WebhookServiceStub
from tests.e2e.operator import Operator
from tests.e2e.stack import Stack
from tests.e2e.watcher import ORIGIN, client, pay, watching

SOON = 1.0
# More than the edge waits for the answer to any other call.
LONG = 5.5
EACH_MAX = 5


@pytest.fixture(scope="module")
def key(operator: Operator) -> str:
    """The key of a merchant of these tests."""
    return operator.new_merchant("mer_watch")


@pytest.fixture
async def asking(stack: Stack, key: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of that merchant."""
    async with client(stack, key) as opened:
        yield opened


async def test_messages_come_at_once(asking: httpx.AsyncClient) -> None:
    """The first one, and one for each event, to pages of other origins as well."""
    began = time.monotonic()
    async with watching(asking) as (response, told):
        first = await anext(told)
        assert time.monotonic() - began < SOON
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/event-stream"
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["access-control-allow-origin"] == ORIGIN
        assert set(first) == {"cursor"}
        for _ in range(3):
            payment = await pay(asking)
            paid = time.monotonic()
            event = (await next_event(told))["event"]
            assert time.monotonic() - paid < SOON
            assert event["data"]["payment"]["id"] == payment
            assert (event["type"], event["sequence"]) == ("payment.authorized", "2")
            listed = (await asking.get(f"/events/{event['id']}")).json()
            assert event == listed["event"]


async def next_event(told: AsyncIterator[Any]) -> Any:
    """Return the next message that has an event."""
    async for message in told:
        if "event" in message:
            return message
    raise AssertionError("the stream has ended")


async def test_native_clients_watch_too(stack: Stack, asking: httpx.AsyncClient) -> None:
    """Over the same port, and go on where the other protocol has ended."""
    metadata = (("authorization", asking.headers["authorization"]),)
    async with watching(asking) as (_, told):
        cursor = (await anext(told))["cursor"]
    payment = await pay(asking)
    async with aio.insecure_channel(stack.grpc) as channel:
        call: Any = WebhookServiceStub(channel).WatchEvents(
            pb.WatchEventsRequest(cursor=cursor), metadata=metadata
        )
        while not (message := await call.read()).HasField("event"):
            pass
        assert message.event.data.payment.id == payment
        call.cancel()


@pytest.mark.parametrize(
    ("asked", "headers", "status", "reason"),
    [
        ({}, {"authorization": "Bearer no"}, 401, "INVALID_API_KEY"),
        ({"cursor": "no"}, {}, 400, "INVALID_PAGE_TOKEN"),
        ({"type": "no"}, {}, 400, "VALIDATION_FAILED"),
        ({"page_size": "1"}, {}, 400, "MALFORMED_REQUEST"),
    ],
)
async def test_what_is_refused_is_an_error_as_any(
    asking: httpx.AsyncClient,
    asked: dict[str, str],
    headers: dict[str, str],
    status: int,
    reason: str,
) -> None:
    """With its status, as JSON."""
    reply = await asking.get("/v1/events/watch", params=asked, headers=headers)
    assert reply.status_code == status, reply.text
    assert reply.headers["content-type"] == "application/json"
    assert reply.json()["details"][0]["reason"] == reason
    assert "x-request-id" in reply.headers


async def test_too_many_of_a_merchant_are_refused(
    stack: Stack, operator: Operator, asking: httpx.AsyncClient
) -> None:
    """However many they ask for, others watch and pay meanwhile; what has ended makes room."""
    operator.ask(admin.CreateMerchantRequest(id="mer_other_watch", name="Other"))
    async with client(stack, operator.new_key("mer_other_watch")) as other:
        flood = [asyncio.create_task(watched_for(asking, 3.0)) for _ in range(40)]
        async with watching(other) as (_, told):
            await anext(told)
            for _ in range(5):
                began = time.monotonic()
                payment = await pay(other)
                event = (await next_event(told))["event"]
                assert event["data"]["payment"]["id"] == payment
                assert time.monotonic() - began < 2 * SOON
        statuses = await asyncio.gather(*flood)
    assert sorted(set(statuses)) == [200, 429]
    assert statuses.count(200) == EACH_MAX
    async with watching(asking) as (response, told):
        assert response.status_code == 200


async def watched_for(asking: httpx.AsyncClient, seconds: float) -> int:
    """Watch for so long; return the status."""
    async with watching(asking) as (response, told):
        if response.status_code == 429:
            reply = await response.aread()
            assert b"WATCH_LIMIT" in reply
            assert response.headers["retry-after"] == "5"
            return 429
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            await anext(told)
    return response.status_code


async def test_what_is_anothers_is_nobodys(
    stack: Stack, operator: Operator, asking: httpx.AsyncClient
) -> None:
    """Neither a payment nor a cursor of theirs gives anything away, over either protocol."""
    operator.ask(admin.CreateMerchantRequest(id="mer_watch_thief", name="Thief"))
    payment = await pay(asking)
    async with watching(asking, payment_id=payment) as (_, told):
        cursor = (await anext(told))["cursor"]
    their_key = operator.new_key("mer_watch_thief")
    async with client(stack, their_key) as thief:
        async with watching(thief, payment_id=payment) as (_, told):
            await anext(told)
            amount = {"minor_units": 100, "currency": "GBP"}
            capture = {"authorization_id": payment, "amount": amount}
            assert (await asking.post("/capture", json=capture)).status_code == 200
            began = time.monotonic()
            while time.monotonic() - began < LONG:  # by signs of life it stays open, too
                assert "event" not in await anext(told)
        reply = await thief.get("/events/watch", params={"payment_id": payment, "cursor": cursor})
        assert reply.json()["details"][0]["reason"] == "INVALID_PAGE_TOKEN"
    metadata = (("authorization", f"Bearer {their_key}"),)
    with grpc.insecure_channel(stack.grpc) as channel:
        asked = pb.WatchEventsRequest(payment_id=payment, cursor=cursor)
        with pytest.raises(grpc.RpcError, match="page token"):
            next(WebhookServiceStub(channel).WatchEvents(asked, metadata=metadata, timeout=5))
