"""The same for the RPCs of the operator; see `tests.chaos.writes`."""

import uuid
from collections.abc import Mapping
from typing import Any

from paygate.admin.v1 import admin_service_pb2 as admin
from paygate.payments.v1 import payment_pb2 as pb
from paygate.payments.v1 import payment_service_pb2 as payments
from tests.chaos.rig import CARD, gbp
from tests.chaos.whole import TOKEN, Whole
from tests.chaos.writes import LOST, Asked, Count, Write


async def create_merchant(whole: Whole) -> Asked:
    """A merchant."""
    merchant_id = f"mer_{uuid.uuid4().hex[:20]}"

    async def count() -> int:
        found = await whole.operator(admin.GetMerchantRequest(id=merchant_id))
        return int(found.merchant.id == merchant_id)

    return Asked(admin.CreateMerchantRequest(id=merchant_id, name="a"), TOKEN, count)


def _status(whole: Whole, merchant_id: str, status: admin.Merchant.Status.ValueType) -> Count:
    async def count() -> int:
        found = await whole.operator(admin.GetMerchantRequest(id=merchant_id))
        return int(found.merchant.status == status)

    return count


async def disable_merchant(whole: Whole) -> Asked:
    """An end to a merchant's keys."""
    shop = await whole.shop()
    count = _status(whole, shop.merchant_id, admin.Merchant.STATUS_DISABLED)
    request = admin.DisableMerchantRequest(id=shop.merchant_id)
    return Asked(request, TOKEN, count, keyed=False)


async def enable_merchant(whole: Whole) -> Asked:
    """Their return."""
    shop = await whole.shop()
    await whole.operator(admin.DisableMerchantRequest(id=shop.merchant_id))
    count = _status(whole, shop.merchant_id, admin.Merchant.STATUS_ENABLED)
    request = admin.EnableMerchantRequest(id=shop.merchant_id)
    return Asked(request, TOKEN, count, keyed=False)


async def _keys(whole: Whole, merchant_id: str) -> list[Any]:
    found = await whole.operator(admin.ListApiKeysRequest(merchant_id=merchant_id))
    return list(found.api_keys)


async def create_key(whole: Whole) -> Asked:
    """A second key."""
    shop = await whole.shop()

    async def count() -> int:
        return len(await _keys(whole, shop.merchant_id)) - 1

    return Asked(admin.CreateApiKeyRequest(merchant_id=shop.merchant_id), TOKEN, count)


async def rotate_key(whole: Whole) -> Asked:
    """A key in the place of another one."""
    shop = await whole.shop()
    (key,) = await _keys(whole, shop.merchant_id)

    async def count() -> int:
        return len(await _keys(whole, shop.merchant_id)) - 1

    return Asked(admin.RotateApiKeyRequest(id=key.id), TOKEN, count)


async def revoke_key(whole: Whole) -> Asked:
    """The end of a key."""
    shop = await whole.shop()
    (key,) = await _keys(whole, shop.merchant_id)

    async def count() -> int:
        (now,) = await _keys(whole, shop.merchant_id)
        return int(now.status == admin.ApiKey.STATUS_REVOKED)

    return Asked(admin.RevokeApiKeyRequest(id=key.id), TOKEN, count, keyed=False)


async def resolve(whole: Whole) -> Asked:
    """The operator's word on what nobody knows the end of."""
    shop = await whole.shop()
    authorize = payments.AuthorizeRequest(card_details=LOST, amount=gbp(500))
    told = await whole.done(authorize, shop.api_key, final=False)
    action: pb.Action = told.message.action
    assert action.status == pb.Action.STATUS_PENDING
    await whole.rig.payments_book.execute(
        "UPDATE actions SET create_time = create_time - interval '2 hours' WHERE id = $1", action.id
    )

    async def count() -> int:
        found = await whole.operator(admin.ListStuckActionsRequest(page_size=100))
        return sum(one.id == action.id and bool(one.resolution) for one in found.actions)

    request = admin.ResolveActionRequest(id=action.id, resolution=admin.RESOLUTION_FAILED)
    return Asked(request, TOKEN, count, keyed=False)


async def rewrap(whole: Whole) -> Asked:
    """Data keys under another version of the key that wraps them."""
    shop = await whole.shop()
    await shop.done(payments.AuthorizeRequest(card_details=CARD, amount=gbp(500)))
    await whole.operator(admin.RotateVaultKeyRequest())
    return Asked(admin.RewrapDataKeysRequest(), TOKEN, keyed=False)


OPERATOR_WRITES: Mapping[str, Write] = {
    "CreateMerchant": create_merchant,
    "DisableMerchant": disable_merchant,
    "EnableMerchant": enable_merchant,
    "CreateApiKey": create_key,
    "RotateApiKey": rotate_key,
    "RevokeApiKey": revoke_key,
    "ResolveAction": resolve,
    "RewrapDataKeys": rewrap,
}
# What writes nothing in a database that fails over, and why.
ELSEWHERE = {
    "RotateVaultKey": "in a file, or in Vault",
    "RefuseOldVaultKeys": "the same; it reads, and proves: see test_replication_writes",
    "Drain": "it waits until others have written",
    "TakeWebhooks": "in tables without a log, of what is under way: it is tried again",
    "AnswerWebhook": "the same",
}
