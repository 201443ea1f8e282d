"""The sandbox's clock: turned for everybody, and what expires by it."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.duration_pb2 import Duration
from google.rpc.status_pb2 import Status
from grpc import aio

from paygate.payments.v1 import payment_pb2 as pb
from paygate.payments.v1 import payment_service_pb2 as service
from paygate.sandbox.v1 import sandbox_service_pb2 as sandbox
from tests.chaos.rig import CARD, Request, Rig, gbp, reason_of
from tests.integration.sandbox.box import WEEK, Sandbox


async def test_an_authorization_expires_by_the_clock(box: Sandbox) -> None:
    """A week later AUTHORIZED is EXPIRED and PARTIALLY_CAPTURED is CAPTURED, at the bank too."""
    rig = box.rig
    untouched, partly, whole = [await rig.authorized() for _ in range(3)]
    await rig.call(service.CaptureRequest(authorization_id=partly, amount=gbp(400)))
    await rig.call(service.CaptureRequest(authorization_id=whole, amount=gbp(1000)))
    await box.advance(WEEK)
    await box.expired()

    expired = await box.payment(untouched)
    assert expired.status == pb.Payment.STATUS_EXPIRED
    assert [action.type for action in expired.actions] == [
        pb.Action.TYPE_AUTHORIZE,
        pb.Action.TYPE_EXPIRE,
    ]
    assert expired.actions[1].status == pb.Action.STATUS_SUCCEEDED
    assert expired.actions[1].amount == gbp(1000)
    rest = await box.payment(partly)
    assert (rest.status, rest.captured, rest.capturable) == (
        pb.Payment.STATUS_CAPTURED,
        gbp(400),
        gbp(0),
    )
    assert rest.actions[-1].amount == gbp(600)
    assert len((await box.payment(whole)).actions) == 2
    with pytest.raises(aio.AioRpcError) as refused:
        await rig.call(service.CaptureRequest(authorization_id=untouched, amount=gbp(1)))
    assert reason_of(refused.value) == "PAYMENT_EXPIRED"
    refund = await rig.call(service.RefundRequest(authorization_id=partly, amount=gbp(400)))
    assert refund.payment.status == pb.Payment.STATUS_REFUNDED
    held = "SELECT coalesce(sum(minor_units - captured - released), 0) FROM authorizations"
    assert await rig.bank_book.fetchval(held) == 0
    await rig.assert_books_agree()


async def test_the_clock_is_everybodys_at_once(box: Sandbox) -> None:
    """What one worker has turned, the next request at another worker goes by."""
    for _ in range(10):
        payment_id = await box.rig.authorized()
        await box.advance(WEEK)
        request = service.CaptureRequest(authorization_id=payment_id, amount=gbp(1))
        with pytest.raises(aio.AioRpcError) as refused:
            await box.rig.call(request, worker=0)
        assert reason_of(refused.value) == "PAYMENT_EXPIRED"
    clock = await box.stub.GetClock(sandbox.GetClockRequest(), metadata=box.metadata)
    assert clock.offset.ToTimedelta() == 10 * WEEK
    ahead = clock.now.ToDatetime(tzinfo=UTC) - datetime.now(UTC)
    assert abs(ahead - 10 * WEEK) < timedelta(seconds=5)
    made = (await box.payment(await box.rig.authorized())).create_time.ToDatetime(tzinfo=UTC)
    assert made > clock.now.ToDatetime(tzinfo=UTC)


async def test_an_expiry_outlives_the_bank(box: Sandbox) -> None:
    """While the bank is away an expiry is PENDING; it ends when the bank is back."""
    payment_id = await box.rig.authorized()
    await box.rig.bank.kill()
    await box.advance(WEEK)
    async with asyncio.timeout(10):
        while len((await box.payment(payment_id)).actions) == 1:
            await asyncio.sleep(0.02)
    assert (await box.payment(payment_id)).status == pb.Payment.STATUS_AUTHORIZED
    await box.rig.bank.start()
    await box.expired()
    assert (await box.payment(payment_id)).status == pb.Payment.STATUS_EXPIRED
    await box.rig.assert_books_agree()


async def test_errors_by_a_turned_clock_name_it(box: Sandbox) -> None:
    """A card or an authorization that has expired by it; by the real time nothing is added."""
    authorized = await box.rig.authorized()
    past = pb.CardDetails(pan=CARD.pan, expiry=pb.Expiry(month=1, year=2020), cvv="123")
    authorize = service.AuthorizeRequest(card_details=past, amount=gbp(5))
    assert "clock" not in await told(box.rig, authorize)
    await box.advance(WEEK)
    year = (datetime.now(UTC) + WEEK).year
    for request in (authorize, service.VoidRequest(authorization_id=authorized)):
        assert f"clock says {year}-" in await told(box.rig, request)


async def told(rig: Rig, request: Request) -> str:
    """Return what a refused request is told, its violations included."""
    with pytest.raises(aio.AioRpcError) as refused:
        await rig.call(request)
    (status,) = [
        value
        for key, value in refused.value.trailing_metadata() or ()
        if key == "grpc-status-details-bin"
    ]
    return f"{refused.value.details()} {Status.FromString(status)}"


async def test_the_clock_is_only_turned_forward(box: Sandbox) -> None:
    """Only steps from a second to 400 days forward are taken."""
    for seconds in (0, -5, 400 * 24 * 3600 + 1, 10**11):
        request = sandbox.AdvanceClockRequest(by=Duration(seconds=seconds))
        with pytest.raises(aio.AioRpcError) as refused:
            await box.stub.AdvanceClock(request, metadata=box.metadata)
        assert reason_of(refused.value) == "VALIDATION_FAILED"


async def test_the_clock_stays_within_a_century(box: Sandbox) -> None:
    """However often it is turned, it never comes to where times end; everything goes on."""
    step = timedelta(days=400)
    last = [await box.advance(step) for _ in range(36_500 // 400)][-1]
    with pytest.raises(aio.AioRpcError) as refused:
        await box.advance(step)
    assert reason_of(refused.value) == "VALIDATION_FAILED"
    clock = await box.stub.GetClock(sandbox.GetClockRequest(), metadata=box.metadata)
    assert clock.offset == last.offset
    await box.advance(timedelta(days=1))
