"""Merchants as the operator makes and lists them."""

import pytest

from paygate.admin.v1 import admin_service_pb2 as pb
from tests.integration.admin.served import MERCHANT, Api


async def test_a_merchant_is_made_once(admin: Api) -> None:
    """Its id may be chosen, and is made up otherwise; it is found as it was made."""
    made = (await admin.ask(pb.CreateMerchantRequest(name="Café £"))).merchant
    assert made.id.startswith("mer_")
    assert (made.name, made.status) == ("Café £", pb.Merchant.STATUS_ENABLED)
    assert (await admin.ask(pb.GetMerchantRequest(id=made.id))).merchant == made
    twice = pb.CreateMerchantRequest(id=MERCHANT, name="Another shop")
    assert await admin.refused(twice) == "MERCHANT_EXISTS"
    assert (await admin.ask(pb.GetMerchantRequest(id=MERCHANT))).merchant.name == "The shop"


async def test_merchants_are_listed_by_the_page(admin: Api) -> None:
    """By their ids, each once."""
    ids = [MERCHANT, *(f"mer_{n}" for n in range(5))]
    for merchant_id in ids[1:]:
        await admin.ask(pb.CreateMerchantRequest(id=merchant_id, name="A shop"))
    found, token = [], ""
    while True:
        page = await admin.ask(pb.ListMerchantsRequest(page_size=2, page_token=token))
        assert len(page.merchants) <= 2
        found += [merchant.id for merchant in page.merchants]
        token = page.next_page_token
        if not token:
            break
    assert found == sorted(ids)


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (pb.GetMerchantRequest(id="mer_nobody"), "MERCHANT_NOT_FOUND"),
        (pb.GetMerchantRequest(), "MERCHANT_NOT_FOUND"),
        (pb.DisableMerchantRequest(id="mer_nobody"), "MERCHANT_NOT_FOUND"),
        (pb.EnableMerchantRequest(id="mer_nobody"), "MERCHANT_NOT_FOUND"),
        (pb.CreateMerchantRequest(), "VALIDATION_FAILED"),
        (pb.CreateMerchantRequest(name="x" * 256), "VALIDATION_FAILED"),
        (pb.CreateMerchantRequest(name="a\x00b"), "VALIDATION_FAILED"),
        (pb.CreateMerchantRequest(name="x", id="shop"), "VALIDATION_FAILED"),
        (pb.CreateMerchantRequest(name="x", id="mer_Shop"), "VALIDATION_FAILED"),
        (pb.CreateMerchantRequest(name="x", id="mer_" + "x" * 61), "VALIDATION_FAILED"),
        (pb.ListMerchantsRequest(page_size=-1), "VALIDATION_FAILED"),
        (pb.ListMerchantsRequest(page_token="'"), "INVALID_PAGE_TOKEN"),
    ],
    ids=str,
)
async def test_what_makes_no_sense_is_refused(admin: Api, request_: object, reason: str) -> None:
    """Each wrong request has its reason."""
    assert await admin.refused(request_) == reason  # type: ignore[arg-type]
