"""Requests that make, rotate or redeliver have one effect for each idempotency key."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from grpc import aio

from paygate.webhooks.v1 import webhook_service_pb2 as pb
from services.events.endpoints import ENDPOINTS_MAX
from services.events.outbox import SQL
from services.events.redeliveries import EVENTS, FAILED
from tests.builders import LATER, MERCHANT, NOW
from tests.integration.events.api import OTHER_MERCHANT, URL, Api, RefusedError, listed
from tests.integration.events.desk import Desk

CREATE = pb.CreateWebhookEndpointRequest(url=URL)


async def keyed(
    api: Api, request: Message, key: str, *, merchant_id: str = MERCHANT
) -> tuple[bytes, bool]:
    """Send a request with a key; return the reply's bytes, and whether it was stored before."""
    name = type(request).__name__.removesuffix("Request")
    reply_type = getattr(pb, f"{name}Response")
    call = getattr(api.stub, name)(
        request,
        metadata=(
            ("authorization", f"Bearer {api.keys[merchant_id]}"),
            ("idempotency-key", key),
        ),
        timeout=10,
    )
    try:
        reply = await call
    except aio.AioRpcError as problem:
        raise RefusedError(problem) from None
    assert isinstance(reply, reply_type)
    replayed = dict(await call.trailing_metadata()).get("idempotent-replayed") == "true"
    return reply.SerializeToString(), replayed


async def endpoints(api: Api, merchant_id: str = MERCHANT) -> int:
    """Return how many endpoints a merchant has."""
    reply: Any = await api.ask(
        pb.ListWebhookEndpointsRequest(page_size=100), merchant_id=merchant_id
    )
    return len(reply.endpoints)


async def test_an_endpoint_is_made_once(api: Api) -> None:
    """The second reply is the first one, byte for byte, with its secret."""
    first, replayed = await keyed(api, CREATE, "a")
    assert not replayed
    assert pb.CreateWebhookEndpointResponse.FromString(first).secret.startswith("whsec_")

    assert await keyed(api, CREATE, "a") == (first, True)
    assert await endpoints(api) == 1
    assert (await keyed(api, CREATE, "b"))[0] != first
    assert await endpoints(api) == 2


async def test_a_secret_is_rotated_once(desk: Desk, api: Api) -> None:
    """A retry neither ends the old secret sooner nor makes a third one."""
    endpoint_id = (await api.endpoint()).endpoint.id
    request = pb.RotateWebhookSecretRequest(id=endpoint_id)

    first, _ = await keyed(api, request, "a")

    assert await keyed(api, request, "a") == (first, True)
    assert await desk.pool.fetchval("SELECT count(*) FROM webhook_secrets") == 2


async def test_events_are_delivered_again_once(desk: Desk, api: Api) -> None:
    """A retry leaves alone what has been attempted meanwhile."""
    endpoint_id = (await api.endpoint()).endpoint.id
    await desk.authorized()
    await desk.relay.run_once()
    (event,) = await listed(api)
    since = Timestamp()
    since.FromDatetime(datetime.now(UTC) - timedelta(hours=1))
    failed = "UPDATE webhook_deliveries SET status = 'FAILED', due_time = NULL, attempts = 10"
    for request in (
        pb.RedeliverEventRequest(id=event.id),
        pb.RedeliverFailedEventsRequest(id=endpoint_id, since=since),
    ):
        await desk.pool.execute(failed)
        first, _ = await keyed(api, request, "a")
        assert await desk.counts() == {"PENDING": 1}

        await desk.pool.execute(failed)
        assert await keyed(api, request, "a") == (first, True)
        assert await desk.counts() == {"FAILED": 1}


async def test_a_key_is_of_one_merchant_one_rpc_and_one_request(api: Api) -> None:
    """Another request is refused; another merchant's or another RPC's is a key of its own."""
    reply, _ = await keyed(api, CREATE, "a")
    endpoint_id = pb.CreateWebhookEndpointResponse.FromString(reply).endpoint.id

    other = pb.CreateWebhookEndpointRequest(url=URL, description="x")
    with pytest.raises(RefusedError, match="IDEMPOTENCY_KEY_REUSED"):
        await keyed(api, other, "a")
    assert not (await keyed(api, other, "a", merchant_id=OTHER_MERCHANT))[1]
    assert not (await keyed(api, pb.RotateWebhookSecretRequest(id=endpoint_id), "a"))[1]
    assert (await endpoints(api), await endpoints(api, OTHER_MERCHANT)) == (1, 1)


async def test_what_is_refused_stores_nothing(desk: Desk, api: Api) -> None:
    """Mend it, and use the same key; a key that is none is named."""
    with pytest.raises(RefusedError, match="VALIDATION_FAILED"):
        await keyed(api, pb.CreateWebhookEndpointRequest(url="nowhere"), "a")
    made = [(await api.endpoint()).endpoint.id for _ in range(ENDPOINTS_MAX)]
    with pytest.raises(RefusedError, match="WEBHOOK_ENDPOINT_LIMIT"):
        await keyed(api, CREATE, "a")
    assert await desk.pool.fetchval("SELECT count(*) FROM stored_replies") == 0

    await api.ask(pb.DeleteWebhookEndpointRequest(id=made[0]))
    assert not (await keyed(api, CREATE, "a"))[1]
    with pytest.raises(RefusedError) as caught:
        await keyed(api, CREATE, "a b")
    assert caught.value.fields == {"idempotency-key"}


async def test_of_twins_one_has_an_effect(api: Api) -> None:
    """The others get its reply, or are told that it still runs."""

    async def one() -> bytes | str:
        try:
            return (await keyed(api, CREATE, "a"))[0]
        except RefusedError as refused:
            return refused.reason

    answers = set(await asyncio.gather(*(one() for _ in range(30))))

    assert await endpoints(api) == 1
    assert len(answers - {"IDEMPOTENCY_IN_FLIGHT"}) == 1
    assert answers <= {"IDEMPOTENCY_IN_FLIGHT", (await keyed(api, CREATE, "a"))[0]}


async def test_a_twin_that_runs_is_in_flight(desk: Desk, api: Api) -> None:
    """Its transaction holds the key; nobody waits for it."""
    async with desk.pool.acquire() as connection, connection.transaction():
        await connection.execute(SQL["api_lock_merchant"], MERCHANT)
        first = asyncio.create_task(keyed(api, CREATE, "a"))
        waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        async with asyncio.timeout(10):
            while not await desk.pool.fetchval(waits):
                await asyncio.sleep(0.01)
        with pytest.raises(RefusedError, match="IDEMPOTENCY_IN_FLIGHT"):
            await keyed(api, CREATE, "a")
    reply, replayed = await first
    assert not replayed
    assert await keyed(api, CREATE, "a") == (reply, True)


async def test_a_stored_reply_is_sealed_and_bound_to_its_key(desk: Desk, api: Api) -> None:
    """Neither a secret nor anything else of it can be read, nor moved to another key."""
    reply, _ = await keyed(api, CREATE, "a")
    secret = pb.CreateWebhookEndpointResponse.FromString(reply).secret
    row = await desk.pool.fetchrow("SELECT * FROM stored_replies")
    assert row is not None
    for told in (secret, secret.removeprefix("whsec_"), URL):
        assert told.encode() not in row["sealed"]

    await desk.pool.execute("UPDATE stored_replies SET key = 'b'")
    with pytest.raises(RefusedError, match="INTERNAL"):
        await keyed(api, CREATE, "b")


async def test_a_key_is_kept_until_it_is_swept(desk: Desk, api: Api) -> None:
    """The sweep removes what is older than a key's lifetime, and then it is free."""
    first, _ = await keyed(api, CREATE, "a")
    await desk.pool.execute("UPDATE stored_replies SET create_time = $1", NOW)

    await desk.store.remove_keys(before=NOW, limit=10)
    assert await keyed(api, CREATE, "a") == (first, True)
    await desk.store.remove_keys(before=LATER, limit=10)
    assert not (await keyed(api, CREATE, "a"))[1]


async def test_redelivery_is_limited_for_each_merchant(desk: Desk, api: Api) -> None:
    """What is too much says when to come again; what a key answers does not count."""
    endpoint_id = (await api.endpoint()).endpoint.id
    await desk.authorized()
    await desk.authorized(merchant_id=OTHER_MERCHANT)
    (event,) = await listed(api)
    since = Timestamp()
    since.FromDatetime(datetime.now(UTC))
    one = pb.RedeliverEventRequest(id=event.id)
    many = pb.RedeliverFailedEventsRequest(id=endpoint_id, since=since)
    for request, rate in ((one, EVENTS), (many, FAILED)):
        await keyed(api, request, "a")
        for _ in range(rate.burst - 1):
            await api.ask(request)
        with pytest.raises(RefusedError, match="RATE_LIMITED"):
            await asyncio.gather(*(api.ask(request) for _ in range(50)))
        assert (await keyed(api, request, "a"))[1]
    theirs = await api.ask(pb.ListEventsRequest(), merchant_id=OTHER_MERCHANT)
    await api.ask(pb.RedeliverEventRequest(id=theirs.events[0].id), merchant_id=OTHER_MERCHANT)
