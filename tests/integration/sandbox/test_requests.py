"""The request log of the sandbox, over its API, of two real workers."""

import asyncio
from collections.abc import Callable, Sequence

import grpc
import pytest
from grpc import aio

from paygate.payments.v1 import payment_service_pb2 as service
from paygate.payments.v1.payment_service_pb2_grpc import PaymentServiceStub
from paygate.sandbox.v1 import sandbox_service_pb2 as sandbox
from tests.chaos.rig import CARD, gbp, reason_of
from tests.integration.sandbox.box import Sandbox

AUTHORIZE = service.AuthorizeRequest(card_details=CARD, amount=gbp(1000), reference="order")
KEY = ("idempotency-key", "key-1")
Logged = Sequence[sandbox.LoggedRequest]


async def logged(box: Sandbox, is_enough: Callable[[Logged], bool]) -> Logged:
    """Return the log, once there is enough in it."""
    async with asyncio.timeout(10):
        while True:
            reply = await box.stub.ListRequests(
                sandbox.ListRequestsRequest(page_size=100), metadata=box.metadata
            )
            if is_enough(reply.requests):
                found: Logged = reply.requests
                return found
            await asyncio.sleep(0.02)


async def test_what_became_of_each_call_can_be_seen(box: Sandbox) -> None:
    """Carried out, replayed and refused, by either worker; and after a reset, nothing of it."""
    first, second = (PaymentServiceStub(channel) for channel in box.rig.channels[:2])
    made = await first.Authorize(AUTHORIZE, metadata=(*box.metadata, KEY))
    await second.Authorize(AUTHORIZE, metadata=(*box.metadata, KEY))
    too_much = service.CaptureRequest(authorization_id=made.payment.id, amount=gbp(2000))
    for request in (too_much, service.CaptureRequest(authorization_id=made.payment.id)):
        with pytest.raises(aio.AioRpcError):
            await first.Capture(request, metadata=box.metadata)
    newest, refused, replayed, paid = await logged(box, lambda found: len(found) == 4)
    assert (newest.code, newest.http_status) == ("INVALID_ARGUMENT", 400)
    assert newest.reply["details"][1]["field_violations"][0]["field"] == "amount"  # type: ignore[index]
    assert (refused.method, refused.reason) == ("Capture", "AMOUNT_EXCEEDS_CAPTURABLE")
    assert refused.request["amount"] == {"minor_units": "2000", "currency": "GBP"}
    assert refused.payment_id == paid.payment_id == replayed.payment_id == made.payment.id
    assert (paid.method, paid.code, paid.replayed, replayed.replayed) == (
        "Authorize",
        "OK",
        False,
        True,
    )
    assert paid.idempotency_key == replayed.idempotency_key == "key-1"
    assert paid.service == "paygate.payments.v1.PaymentService"
    assert paid.key_id == box.rig.api_key.split("_")[1]
    assert not paid.rest
    assert paid.duration.ToTimedelta().total_seconds() > 0
    card = paid.request["card_details"]
    assert card["pan"] == "••••••••••••4242"  # type: ignore[index]
    assert "cvv" not in card  # type: ignore[operator]
    assert paid.reply["payment"]["id"] == made.payment.id  # type: ignore[index]
    assert paid.reply["payment"]["captured"]["minor_units"] == "0"  # type: ignore[index]
    got = await box.stub.GetRequest(sandbox.GetRequestRequest(id=refused.id), metadata=box.metadata)
    assert got.request == refused
    await box.stub.Reset(sandbox.ResetRequest(), metadata=box.metadata)
    left = await logged(box, lambda found: len(found) > 0)
    assert [one.method for one in left] == ["Reset"]


async def test_what_is_not_in_it_is_not_found(box: Sandbox) -> None:
    """An id that nobody has had; filters that can find nothing are refused."""
    with pytest.raises(aio.AioRpcError) as refused:
        await box.stub.GetRequest(sandbox.GetRequestRequest(id="x"), metadata=box.metadata)
    assert reason_of(refused.value) == "REQUEST_NOT_FOUND"
    for wrong in ({"method": "Pay"}, {"payment_id": "order-1"}, {"idempotency_key": ""}):
        request = sandbox.ListRequestsRequest(**wrong)  # type: ignore[arg-type]
        with pytest.raises(aio.AioRpcError) as refused:
            await box.stub.ListRequests(request, metadata=box.metadata)
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
