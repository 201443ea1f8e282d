"""What the operator makes or rotates is made once for each idempotency key."""

import pytest
from google.protobuf.message import Message

from paygate.admin.v1 import admin_service_pb2 as pb
from pkg.postgres.sql import open_pool
from tests.integration.admin.served import MERCHANT, TOKEN, Api

NEW_MERCHANT = pb.CreateMerchantRequest(name="Another shop")
NEW_KEY = pb.CreateApiKeyRequest(merchant_id=MERCHANT)


async def keyed(admin: Api, request: Message, key: str = "a") -> bytes:
    """Send a request with an idempotency key; return the reply's bytes."""
    metadata = (("authorization", f"Bearer {TOKEN}"), ("idempotency-key", key))
    reply: Message = await admin.ask(request, *metadata)
    return reply.SerializeToString()


async def test_merchants_and_keys_are_made_once(admin: Api) -> None:
    """A lost reply is had again, with the key that is told but once."""
    first = await keyed(admin, NEW_MERCHANT)
    assert await keyed(admin, NEW_MERCHANT) == first
    assert len((await admin.ask(pb.ListMerchantsRequest())).merchants) == 2

    first = await keyed(admin, NEW_KEY)
    assert pb.CreateApiKeyResponse.FromString(first).secret
    assert await keyed(admin, NEW_KEY) == first
    assert len(await admin.statuses()) == 1

    rotate = pb.RotateApiKeyRequest(id=pb.CreateApiKeyResponse.FromString(first).api_key.id)
    rotated = await keyed(admin, rotate)
    assert await keyed(admin, rotate) == rotated
    assert len(await admin.statuses()) == 2


@pytest.mark.parametrize("request_", [NEW_MERCHANT, NEW_KEY], ids=["merchant", "key"])
async def test_another_request_is_told_so(admin: Api, request_: Message) -> None:
    """A key is of one request."""
    await keyed(admin, request_)
    other = type(request_)()
    other.CopyFrom(request_)
    other.name = "Something else"  # type: ignore[attr-defined]  # both requests have it
    metadata = (("authorization", f"Bearer {TOKEN}"), ("idempotency-key", "a"))
    assert await admin.refused(other, *metadata) == "IDEMPOTENCY_KEY_REUSED"


async def test_an_api_key_is_not_stored_readably(admin: Api, payments_database_url: str) -> None:
    """What is stored of the reply is sealed."""
    secret = pb.CreateApiKeyResponse.FromString(await keyed(admin, NEW_KEY)).secret
    async with await open_pool(
        payments_database_url, size=1, command_timeout_seconds=5, name="test"
    ) as pool:
        sealed = await pool.fetchval("SELECT sealed FROM stored_replies")
    assert secret.encode() not in sealed
    assert secret.rpartition("_")[2].encode() not in sealed
