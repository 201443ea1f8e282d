"""Endpoints through WebhookService: made, read, changed, removed, and their secrets rotated."""

import asyncio
import base64
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message

from paygate.webhooks.v1 import webhook_pb2
from paygate.webhooks.v1 import webhook_service_pb2 as pb
from pkg.process.mode import Mode
from services.events.endpoints import ENDPOINTS_MAX, SECRETS_MAX
from services.events.requests import EVENT_TYPES
from services.payments.domain.event import EventType
from tests.integration.events.api import NO_ENDPOINT, OTHER_MERCHANT, URL, Api, RefusedError, served
from tests.integration.events.desk import Desk

ENABLED, DISABLED = (
    webhook_pb2.WebhookEndpoint.STATUS_ENABLED,
    webhook_pb2.WebhookEndpoint.STATUS_DISABLED,
)


async def secrets_of(desk: Desk, endpoint_id: str) -> list[Any]:
    """Return the secrets that sign, the newest first, opened."""
    rows = await desk.pool.fetch(
        """
        SELECT * FROM webhook_secrets
        WHERE endpoint_id = $1 AND (expire_time IS NULL OR expire_time > clock_timestamp())
        ORDER BY create_time DESC
        """,
        endpoint_id,
    )
    return [
        desk.box.open(
            row["ciphertext"],
            merchant_id=row["merchant_id"],
            endpoint_id=endpoint_id,
            secret_id=row["id"],
        )
        for row in rows
    ]


def raw(secret: str) -> bytes:
    """Return the bytes of a secret as it is told."""
    return base64.b64decode(secret.removeprefix("whsec_"), validate=True)


def test_every_event_has_a_type_that_can_be_asked_for() -> None:
    """What endpoints may ask for is what payments can say."""
    assert set(EVENT_TYPES) == set(EventType)


async def test_an_endpoint_is_what_was_asked_for(desk: Desk, api: Api) -> None:
    """A new endpoint is enabled, has the given fields, and a secret that is stored sealed only."""
    made = await api.endpoint(event_types=["payment.captured"], description="mine")
    endpoint = made.endpoint
    assert (endpoint.url, list(endpoint.event_types)) == (URL, ["payment.captured"])
    assert (endpoint.status, endpoint.description) == (ENABLED, "mine")
    assert endpoint.create_time == endpoint.update_time
    assert await secrets_of(desk, endpoint.id) == [raw(made.secret)]
    stored = await desk.pool.fetchval("SELECT ciphertext FROM webhook_secrets")
    assert raw(made.secret) not in stored
    found = await api.ask(pb.GetWebhookEndpointRequest(id=endpoint.id))
    assert found.endpoint == endpoint


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"url": ""}, {"url"}),
        ({"url": "http://example.com/hooks"}, {"url"}),
        ({"url": "https://10.0.0.1/hooks"}, {"url"}),
        ({"url": "https://user:hunter2@example.com/"}, {"url"}),
        ({"url": "https://example.com/" + "a" * 2048}, {"url"}),
        ({"url": "ftp://example.com/"}, {"url"}),
        ({"event_types": ["payment.nope"]}, {"event_types"}),
        ({"event_types": ["payment.captured"] * 2}, {"event_types"}),
        ({"event_types": [""]}, {"event_types"}),
        ({"description": "a" * 256}, {"description"}),
        ({"description": "a\0"}, {"description"}),
        (
            {"url": "no", "event_types": ["no"], "description": "\n"},
            {"url", "event_types", "description"},
        ),
    ],
)
async def test_a_bad_endpoint_is_refused(api: Api, fields: dict[str, Any], wrong: set[str]) -> None:
    """Everything that is wrong is named at once, nothing is repeated, and nothing is made."""
    with pytest.raises(RefusedError, match="VALIDATION_FAILED") as caught:
        await api.endpoint(**fields)
    assert caught.value.fields == wrong
    assert b"hunter2" not in caught.value.body
    assert not (await api.ask(pb.ListWebhookEndpointsRequest())).endpoints


async def test_production_posts_to_no_loopback_address(
    desk: Desk, payments_database_url: str
) -> None:
    """Plain HTTP to a loopback address is for the sandbox only."""
    async with served(payments_database_url, mode=Mode.PRODUCTION) as api:
        for url in (URL, "https://localhost/hooks", "https://127.0.0.1/hooks"):
            with pytest.raises(RefusedError, match="VALIDATION_FAILED"):
                await api.endpoint(url=url)
        assert (await api.endpoint(url="https://example.com/hooks")).endpoint.id


async def test_a_merchant_has_so_many_endpoints_at_most(api: Api) -> None:
    """However many are made at once, the limit holds; another merchant has a limit of its own."""
    results = await asyncio.gather(
        *(api.endpoint() for _ in range(ENDPOINTS_MAX + 10)), return_exceptions=True
    )
    refused = [result for result in results if isinstance(result, RefusedError)]
    assert len(refused) == 10
    assert {(one.reason, one.code) for one in refused} == {
        ("WEBHOOK_ENDPOINT_LIMIT", grpc.StatusCode.FAILED_PRECONDITION)
    }
    await api.endpoint(merchant_id=OTHER_MERCHANT)


async def test_endpoints_are_listed_newest_first(api: Api) -> None:
    """Pages hold each endpoint once, the newest first; a token is its own list's and merchant's."""
    made = [(await api.endpoint()).endpoint.id for _ in range(5)]
    found: list[str] = []
    tokens = [""]
    while tokens[-1] or not found:
        page = await api.ask(pb.ListWebhookEndpointsRequest(page_size=2, page_token=tokens[-1]))
        found += [endpoint.id for endpoint in page.endpoints]
        tokens.append(page.next_page_token)
    last = tokens[-2]
    assert found == sorted(made, reverse=True)
    for request in (
        pb.ListWebhookEndpointsRequest(page_token=last + "A"),
        pb.ListEventsRequest(page_token=last),
    ):
        with pytest.raises(RefusedError, match="INVALID_PAGE_TOKEN"):
            await api.ask(request)
    with pytest.raises(RefusedError, match="INVALID_PAGE_TOKEN"):
        await api.ask(pb.ListWebhookEndpointsRequest(page_token=last), merchant_id=OTHER_MERCHANT)


async def test_an_update_changes_what_is_given(api: Api) -> None:
    """What is not given stays; an empty list of types is a value; nothing given changes nothing."""
    made = (await api.endpoint(event_types=["payment.captured"], description="mine")).endpoint

    async def update(**fields: Any) -> Any:
        request = pb.UpdateWebhookEndpointRequest(id=made.id, **fields)
        return (await api.ask(request)).endpoint

    assert await update() == made
    changed = await update(url="https://example.com/", description="")
    assert (changed.url, changed.description) == ("https://example.com/", "")
    assert list(changed.event_types) == ["payment.captured"]
    assert changed.update_time.ToNanoseconds() > made.update_time.ToNanoseconds()
    assert list((await update(event_types=pb.EventTypes())).event_types) == []
    assert (await update(status=DISABLED)).status == DISABLED
    again = await update(status=ENABLED)
    assert (again.status, again.url) == (ENABLED, "https://example.com/")
    assert (await api.ask(pb.GetWebhookEndpointRequest(id=made.id))).endpoint == again


async def test_a_bad_update_is_refused(api: Api) -> None:
    """An update is checked as a new endpoint is, and changes nothing if anything is wrong."""
    made = (await api.endpoint()).endpoint
    request = pb.UpdateWebhookEndpointRequest(
        id=made.id,
        url="http://example.com",
        event_types=pb.EventTypes(types=["no"]),
        status=7,  # type: ignore[arg-type]  # what a newer client may send
        description="a" * 256,
    )
    with pytest.raises(RefusedError, match="VALIDATION_FAILED") as caught:
        await api.ask(request)
    assert caught.value.fields == {"url", "event_types", "status", "description"}
    assert (await api.ask(pb.GetWebhookEndpointRequest(id=made.id))).endpoint == made


async def test_a_deleted_endpoint_is_gone(desk: Desk, api: Api) -> None:
    """With it go its secrets; what was on its way is given up; the other endpoint is untouched."""
    gone, stays = (await api.endpoint()).endpoint.id, (await api.endpoint()).endpoint.id
    await desk.authorized()
    await desk.relay.run_once()
    await api.ask(pb.DeleteWebhookEndpointRequest(id=gone))
    with pytest.raises(RefusedError, match="WEBHOOK_ENDPOINT_NOT_FOUND"):
        await api.ask(pb.GetWebhookEndpointRequest(id=gone))
    assert await secrets_of(desk, gone) == []
    assert len(await secrets_of(desk, stays)) == 1
    await desk.deliverer.fail_unwanted()
    statuses = {row["endpoint_id"]: row["status"] for row in await desk.deliveries()}
    assert statuses == {gone: "FAILED", stays: "PENDING"}


async def test_old_secrets_sign_for_the_overlap(desk: Desk, api: Api) -> None:
    """At most three secrets sign, the newest first; without overlap only the newest does."""
    made = await api.endpoint()
    told = [raw(made.secret)]
    for number in range(2, 6):
        request = pb.RotateWebhookSecretRequest(id=made.endpoint.id)
        told.insert(0, raw((await api.ask(request)).secret))
        kept = min(number, SECRETS_MAX)
        assert await secrets_of(desk, made.endpoint.id) == told[:kept]
    at_once = pb.RotateWebhookSecretRequest(id=made.endpoint.id, overlap_seconds=0)
    newest = raw((await api.ask(at_once)).secret)
    assert await secrets_of(desk, made.endpoint.id) == [newest]
    await api.ask(at_once)
    assert await desk.pool.fetchval("SELECT count(*) FROM webhook_secrets") <= SECRETS_MAX


async def test_secrets_rotated_at_once_all_count(desk: Desk, api: Api) -> None:
    """Rotations at once come one after the other: one newest secret, and all told are different."""
    made = await api.endpoint()
    request = pb.RotateWebhookSecretRequest(id=made.endpoint.id, overlap_seconds=60)
    replies = await asyncio.gather(*(api.ask(request) for _ in range(8)))
    told = {raw(reply.secret) for reply in replies}
    assert len(told) == 8
    signing = await secrets_of(desk, made.endpoint.id)
    assert len(signing) == SECRETS_MAX
    assert set(signing) <= told


@pytest.mark.parametrize("seconds", [-1, 604_801])
async def test_an_overlap_has_bounds(api: Api, seconds: int) -> None:
    """An overlap is from nothing to seven days."""
    made = await api.endpoint()
    with pytest.raises(RefusedError, match="VALIDATION_FAILED") as caught:
        await api.ask(pb.RotateWebhookSecretRequest(id=made.endpoint.id, overlap_seconds=seconds))
    assert caught.value.fields == {"overlap_seconds"}


def requests_with_id(endpoint_id: str) -> list[Message]:
    """Return every request that names an endpoint alone."""
    failed = pb.RedeliverFailedEventsRequest(id=endpoint_id)
    failed.since.GetCurrentTime()
    return [
        pb.GetWebhookEndpointRequest(id=endpoint_id),
        pb.UpdateWebhookEndpointRequest(id=endpoint_id, description="theirs"),
        pb.RotateWebhookSecretRequest(id=endpoint_id),
        failed,
        pb.DeleteWebhookEndpointRequest(id=endpoint_id),
    ]


async def test_another_merchants_endpoint_looks_like_none(api: Api) -> None:
    """Any id that is not mine gets the same bytes from each request, and nothing is changed."""
    made = (await api.endpoint(merchant_id=OTHER_MERCHANT)).endpoint
    bodies = set()
    for endpoint_id in (made.id, NO_ENDPOINT, "we_", "pay_1", "naïve ☕", "a\0b"):
        for request in requests_with_id(endpoint_id):
            with pytest.raises(RefusedError, match="WEBHOOK_ENDPOINT_NOT_FOUND") as caught:
                await api.ask(request)
            assert caught.value.code is grpc.StatusCode.NOT_FOUND
            bodies.add(caught.value.body)
    assert len(bodies) == 1
    request = pb.GetWebhookEndpointRequest(id=made.id)
    assert (await api.ask(request, merchant_id=OTHER_MERCHANT)).endpoint == made


async def test_a_request_names_its_endpoint(api: Api) -> None:
    """An id that is missing is a violation, and not an endpoint that was not found."""
    for request in requests_with_id(""):
        with pytest.raises(RefusedError, match="VALIDATION_FAILED") as caught:
            await api.ask(request)
        assert caught.value.fields == {"id"}
